"""A small site file as data that a test changes before it is read."""

import json
from typing import Any

from domain.site import Site, read_site


def tag(name: str, **members: Any) -> dict[str, Any]:
    """A level tag in % with H 80 and HH 90, and what the test says."""
    return {
        "name": name,
        "kind": "level",
        "unit": "%",
        "range": [0, 100],
        "limits": {"H": 80, "HH": 90},
        "interval_s": 5,
    } | members


def enterprise(code: str, *tags: dict[str, Any], park: str = "p1") -> dict[str, Any]:
    """An enterprise with one gateway g1 and one source s1 with vessel V-1, holding these tags."""
    source = {
        "code": "s1",
        "kind": "storage",
        "name": "Tank farm",
        "equipment": [{"code": "V-1", "kind": "tank", "volume_m3": 100, "fill_limit": 0.9}],
        "tags": list(tags),
    }
    return {
        "code": code,
        "park": park,
        "name": f"Enterprise {code}",
        "gateways": ["g1"],
        "sources": [source],
    }


def site_data(*enterprises: dict[str, Any]) -> dict[str, Any]:
    """A province with one park p1, and these enterprises."""
    park = {"code": "p1", "kind": "park", "name": "Park"}
    province = {"code": "gansu", "kind": "province", "name": "甘肃省", "children": [park]}
    return {"version": 1, "tree": [province], "enterprises": list(enterprises)}


def site(*enterprises: dict[str, Any]) -> Site:
    """That site, read. JSON is YAML."""
    return read_site(json.dumps(site_data(*enterprises)))

"""The inventory of a source on the wire."""

from datetime import timedelta

from api.routes.inventory import inventory_item
from tests.support.builders import START

ROW = {
    "source": 12, "source_name": "液氨罐区", "enterprise": 7, "grade": 1, "at": START, "load": 0.62,
    "vessels": {"13": ["V-211", "液氨球罐 V-211"]},
    "tags": {"56": ["LT-211A", "%"]},
    "body": {
        "pooled": 0.62, "s_now": 25.7, "s_design": 41.48, "complete": True, "held": 0,
        "tanks": [
            {
                "node": 13, "sight": 1, "volume_m3": 211.0, "capacity_m3": 400.0,
                "density_t_m3": 0.61, "tonnes": 128.7, "design_t": 207.4, "load": 0.62,
                "substance": "ammonia", "notes": [],
                "gauges": [
                    {"tag": 56, "value": 62.0, "volume_m3": 211.0, "good": "2026-11-21T07:59:00Z"},
                    {"tag": 99, "value": None, "volume_m3": None, "good": None},
                ],
            }
        ],
        "substances": [
            {"name": "ammonia", "cas": "7664-41-7", "tonnes": 128.7, "design_t": 414.8,
             "critical_t": 10.0, "load": 0.31}
        ],
    },
}  # fmt: skip


def test_names_qualities_and_ages_are_told():
    item = inventory_item(ROW, START + timedelta(seconds=30))
    (tank,) = item.tanks
    assert (item.source, tank.code, tank.quality) == ("12", "V-211", "stale")
    assert tank.gauges[0].name == "LT-211A"
    assert tank.gauges[0].age_s == tank.age_s == 90
    assert tank.gauges[1].age_s is None
    assert item.grade == 1
    assert item.s_now == 25.7


def test_a_source_of_which_nothing_was_told_says_so():
    item = inventory_item(ROW | {"at": None, "load": None, "body": None}, START)
    assert (item.at, item.load, item.tanks, item.complete) == (None, None, [], False)

"""What a gateway says beside samples: its `state`, and `alarm`s that the plant itself raised."""

import json
import math
from typing import Any

from domain.instant import moment
from ingest.batch import GatewaySays, PlantAlarm
from ingest.message import MAX_BOOT
from ingest.rejection import Rejection, shown
from ingest.text import all_sound
from ingest.wiretime import instant

MAX_REPORT = 64 * 1024
"""Bytes of a state or an alarm."""
MAX_DEPTH = 100
"""Brackets that such a body may open."""
MAX_TEXT = 128
"""Characters of an alarm's id, tag and kind."""


def state(payload: bytes, gateway: int, received: int, retained: bool) -> GatewaySays | Rejection:
    """What a `state` message says.

    A retained one is no sign of life of now: it counts as received when it was said, where that
    is known.
    """
    told = _object(payload)
    if isinstance(told, Rejection):
        return told
    online, boot = told.get("online"), told.get("boot")
    if not isinstance(online, bool):
        return Rejection("bad_state", f"'online' is {shown(online)}; allowed are true and false")
    said = None if told.get("time") is None else instant(told["time"])
    if isinstance(said, Rejection):
        return Rejection("bad_state", said.detail)
    if not (boot is None or (isinstance(boot, str) and len(boot) <= MAX_BOOT)):
        return Rejection("bad_state", f"'boot' is {shown(boot)}; allowed is text of {MAX_BOOT}")
    if retained and said is not None:
        received = min(received, said)
    return GatewaySays(gateway, online, boot, None if said is None else moment(said), received)


def alarm(payload: bytes, gateway: int, received: int) -> PlantAlarm | Rejection:
    """What an `alarm` message says; its body is kept whole."""
    told = _object(payload)
    if isinstance(told, Rejection):
        return told
    for name in ("id", "tag", "kind"):
        said = told.get(name)
        if not isinstance(said, str) or not 0 < len(said) <= MAX_TEXT:
            detail = f"'{name}' is {shown(said)}; allowed is text of 1 to {MAX_TEXT} characters"
            return Rejection("bad_alarm", detail)
    time, active = instant(told.get("time")), told.get("active")
    if isinstance(time, Rejection):
        return Rejection("bad_alarm", time.detail)
    if not isinstance(active, bool):
        return Rejection("bad_alarm", f"'active' is {shown(active)}; allowed are true and false")
    return PlantAlarm(
        gateway, told["id"], moment(time), received, told["tag"], told["kind"], active, told
    )


def _object(payload: bytes) -> dict[str, Any] | Rejection:
    if len(payload) > MAX_REPORT:
        return Rejection("too_large", f"{len(payload)} bytes came; at most {MAX_REPORT} are taken")
    if payload.count(b"{") + payload.count(b"[") > MAX_DEPTH:
        return Rejection("malformed", f"more than {MAX_DEPTH} brackets in one report")
    try:
        told = json.loads(
            payload.decode("utf-8-sig", "replace"), parse_int=_integer, parse_constant=_no_number
        )
    except ValueError as error:
        return Rejection("malformed", f"the body is not JSON: {error}")
    if not isinstance(told, dict):
        return Rejection("not_an_object", f"the body is {shown(told)}, not an object")
    sound: dict[str, Any] = all_sound(told)
    return sound


def _integer(digits: str) -> int | float:
    """Integers that JSON columns and float64 both keep; beyond them the nearest float."""
    return int(digits) if len(digits) <= 15 else _finite(float(digits))


def _no_number(_: str) -> None:
    return None


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.nan

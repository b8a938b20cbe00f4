"""A notice of every occasion, as an example: of an ammonia leak at night, and what came with it."""

from datetime import UTC, datetime

AT = datetime(2026, 11, 22, 19, 16, 30, tzinfo=UTC)
_PLACE: dict[str, object] = {
    "source_name": "液氨罐区",
    "enterprise_name": "示范化工有限公司",
    "park_name": "示范化工园区",
}
_GAS: dict[str, object] = {
    "name": "AT-101",
    "class": "GAS_L2",
    "kind": "HH",
    "priority": "P1",
    "state": "UNACK",
    "enterprise": "5",
    "source": "11",
    "onset": "2026-11-22T19:15:02Z",
    "value": 52.3,
    "limit": 50.0,
    "worst": 52.3,
    "unit": "ppm",
}
_LEVEL = _GAS | {
    "name": "LT-101",
    "class": "LEVEL",
    "kind": "H",
    "priority": "P3",
    "value": 86.2,
    "limit": 85.0,
    "worst": 87.9,
    "unit": "%",
}
_OFFLINE = _GAS | {
    "name": "液氨罐区",
    "class": "SOURCE_OFFLINE",
    "kind": "SOURCE_OFFLINE",
    "priority": "P2",
    "value": None,
    "limit": None,
    "worst": None,
    "unit": None,
    "text": "液氨罐区: 全部测点无数据 no good sample from any tag since 2026-11-23 03:15:02+08:00",
}
_ACKED = _GAS | {"state": "ACKED"}
_CASE: dict[str, object] = _PLACE | {
    "worst_alarm": _GAS,
    "further": 2,
    "type": "warning",
    "opened": "2026-11-22T19:15:12Z",
    "colour": "orange",
    "worst": "orange",
    "alarms": ["9843e12c-9d73-50de-8e52-2417f36129c5"],
    "role": "PK",
    "role_name": "园区值班 park duty desk",
    "reason": "opened",
    "duty": "receive",
    "after_s": 0,
    "sign_within_s": 300,
    "sign_by": "2026-11-22T19:20:12Z",
    "text": "橙色预警 orange warning",
    "sent": "2026-11-22T19:15:12Z",
}
_DRILL: dict[str, object] = {
    "drill": True,
    "drill_by": "chen.jing",
    "drill_until": "2026-11-22T20:00:00Z",
    "drill_comment": "液氨泄漏桌面推演",
    "worst_alarm": None,
    "further": 0,
}


def _alarm(alarm: dict[str, object], event: str, **more: object) -> dict[str, object]:
    within = 60 if alarm["priority"] == "P1" else 600
    body = {
        "type": "alarm",
        "ack_within_s": within,
        "transition": {"event": event},
        "alarm": alarm | more,
    }
    return _PLACE | body | {"sent": "2026-11-22T19:16:30Z", "text": alarm.get("text", "")}


SAMPLES: dict[str, dict[str, object]] = {
    "gas raised": _alarm(_GAS, "raise"),
    "gas worse": _alarm(_GAS, "worsen", worst=118.0),
    "level again": _alarm(_LEVEL, "re_alarm"),
    "level left": _alarm(_LEVEL, "raise")
    | {"reason": "unacknowledged", "waits_since": "2026-11-22T19:06:30Z"}
    | {"role": "SM", "role_name": "当班安全负责人 shift and safety manager"},
    "level returned": _alarm(_LEVEL, "return", state="RTNUN", ended="2026-11-22T19:16:30Z"),
    "level over": _alarm(_LEVEL, "close", state="NORM", acknowledged_by="li.na"),
    "source offline": _alarm(_OFFLINE, "raise"),
    "warning opened": _CASE,
    "warning risen": _CASE
    | {"colour": "red", "worst": "red", "reason": "risen", "sign_within_s": 180}
    | {"sign_by": "2026-11-22T19:19:30Z", "role": "FR", "unverified": True}
    | {"role_name": "消防救援联络 fire and rescue liaison"},
    "warning verified": _CASE
    | {"colour": "red", "worst": "red", "reason": "verified", "by": "chen.jing", "level": "park"}
    | {"comment": "巡检员已到场，确为液氨泄漏", "sign_by": None, "role": "FR"}
    | {"role_name": "消防救援联络 fire and rescue liaison"},
    "warning fallen": _CASE
    | {"colour": "yellow", "reason": "fallen", "before": "orange", "sign_by": None}
    | {"worst_alarm": _ACKED, "further": 0},
    "warning closed": _CASE
    | {"colour": "blue", "reason": "closed", "kind": "real", "by": "chen.jing", "sign_by": None}
    | {"worst_alarm": None, "further": 0},
    "nobody signed": _CASE | {"reason": "silence", "silent": "park", "after_s": 300, "role": "LH"},
    "feedback overdue": _CASE | {"reason": "silence", "duty": "feedback", "after_s": 1800},
    "verification overdue": _CASE
    | {"colour": "red", "worst": "red", "reason": "silence", "duty": "verify", "after_s": 300},
    "closing overdue": _CASE | {"reason": "silence", "duty": "close", "after_s": 43200},
    "hot work": _CASE
    | {"role": "permit", "holder": "王强", "permit_by": "zhang.wei", "permit_level": "一级"}
    | {"permit_place": "液氨罐区", "permit_until": "2026-11-22T23:00:00Z"},
    "digest": {
        "type": "digest",
        "count": 31,
        "by_priority": {"P2": 3, "P3": 26, "P4": 2},
        "causes": [{"name": "冷却水站", "count": 24}, {"name": "甲醇罐区", "count": 7}],
        "first": {"name": "FT-301", "class": "FLOW", "kind": "L", "source_name": "冷却水站"},
        "from": "2026-11-22T19:15:40Z",
        "to": "2026-11-22T19:16:30Z",
        "sent": "2026-11-22T19:16:30Z",
    },
    "drill": _CASE | _DRILL | {"text": "演练"},
    "drill over": _CASE
    | _DRILL
    | {"colour": "blue", "reason": "closed", "drill_end": "real", "by": "hazwatch"},
    "no drill": _CASE | {"not_drill": True},
    "test": {"type": "test", "role": "PK", "sent": "2026-11-22T19:16:30Z"},
}
"""Body of each, by what people call it."""

"""What an operator reads of a forecast and of a change."""

from dataclasses import replace
from datetime import timedelta, timezone
from math import inf

import pytest

from alerts.text import sentence
from alerts.text_forecast import duration, quantity
from domain.alarms import Edge, Finding, Kind
from domain.instant import micros
from tests.support.builders import at, registry, tag

SITE = registry(tag(1, "LT-102", limits={Kind.H: 2.3, Kind.HH: 2.5}))


def us(seconds: float) -> float:
    return float(micros(at(seconds)))


def predict(**members) -> Finding:
    detail = {
        "rate": 0.098, "since": us(0), "scale": 360.0, "eta": us(900), "earliest": us(840),
        "latest": us(1020), "probability": 0.996, "action": 600.0, "noise": 0.005, "clipped": 0.0,
    }  # fmt: skip
    detail |= members.pop("detail", {})
    own = Finding(Edge.RAISED, Kind.PREDICT, 1, None, at(0), at(0), 2.31, 2.5, detail=detail)
    return replace(own, **members)


def test_a_forecast_says_rate_since_when_limit_time_interval_and_what_clears_it():
    assert sentence(SITE, predict()) == (
        "LT-102: 趋势预警 2.31 m, rising 上升 98 mm/min for 6 min; "
        "HH 2.5 m at 08:15, 95 % 08:14–08:17 +00:00; P(within 10 min) 0.99; "
        "noise 5.0 mm, 0 clipped values; clears when it slows down or turns 减缓或回落后解除"
    )


def test_an_unbounded_time_is_no_number_and_the_end_of_the_range_has_its_name():
    endless = predict(detail={"latest": inf, "eta": inf, "earliest": inf})
    assert "无可靠预测 no reliable prediction" in sentence(SITE, endless)
    assert "量程终点 end of range 3 m at" in sentence(SITE, predict(limit=3.0))


def test_a_far_time_has_its_date_and_a_return_is_told_as_one():
    far = (timedelta(days=3)).total_seconds()
    assert "at 2026-11-24 08:00" in sentence(SITE, predict(detail={"eta": us(far)}))
    assert "趋势预警解除 forecast ended" in sentence(SITE, predict(edge=Edge.RETURNED))


def test_a_change_says_what_is_usual_and_what_ends_it():
    detail = {"usual": 2.1, "noise": 0.005, "shift": 0.03, "scale": 200.0, "score": 7.3,
              "threshold": 5.2}  # fmt: skip
    found = Finding(Edge.RAISED, Kind.CHANGE, 1, None, at(0), at(0), 2.13, 2.1, detail=detail)
    text = sentence(SITE, found)
    assert "异常变化 2.13 m, usually 通常 2.1 m; higher 偏高 by 30 mm over 3 min" in text
    assert "since 08:00:00 +00:00; noise 5.0 mm, score 7.3 (limit 5.2)" in text
    back = replace(found, edge=Edge.RETURNED, reason="已成新常态 it is taken as the new normal")
    assert sentence(SITE, back).endswith("已成新常态 it is taken as the new normal")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0.098, "m", "98 mm"), (0.0123, "°C", "0.012 °C"), (1234.5, "ppm", "1234 ppm"), (0, "", "0")],
)
def test_quantities_are_short(value: float, unit: str, text: str):
    assert quantity(value, unit) == text


def test_durations():
    assert [duration(s) for s in (45, 360, 8000)] == ["45 s", "6 min", "2 h 13 min"]


def test_every_time_is_told_in_the_zone_of_those_who_read_it():
    """08:15 UTC is a quarter past four in the afternoon there."""
    shanghai = timezone(timedelta(hours=8))
    assert "at 16:15, 95 % 16:14–16:17 +08:00" in sentence(SITE, predict(), shanghai)
    high = Finding(Edge.RAISED, Kind.H, 1, None, at(0), at(0), 2.31, 2.3)
    assert sentence(SITE, high, shanghai).endswith("since 2026-11-21 16:00:00+08:00")

"""Limits, told as entries of an operator's log."""

import pytest

from domain.alarms import Kind
from domain.plant import Registry, Tag, TagKind
from tests.support.builders import registry, tag
from tests.support.rule_log import CORE, RuleLog, tidy

SLOW = 10.0


def level(**other: object) -> Tag:
    """A level in % that must be above 80 for 30 s, and below 79 for 60 s; a reading each 10 s."""
    given = {
        "name": "LI",
        "unit": "%",
        "range": (0.0, 100.0),
        "limits": {Kind.H: 80.0},
        "deadband": 1.0,
        "delay_on_s": 30.0,
        "delay_off_s": 60.0,
        "interval_s": SLOW,
    }
    return tag(1, **given | other)  # type: ignore[arg-type]


def gas(**other: object) -> Tag:
    """An ammonia detector, 25 and 50 ppm, with the delays of the policy."""
    given = {
        "name": "GD",
        "kind": TagKind.GAS_TOXIC,
        "unit": "ppm",
        "range": (0.0, 100.0),
        "limits": {Kind.H: 25.0, Kind.HH: 50.0},
        "delay_on_s": None,
        "delay_off_s": None,
        "interval_s": 1.0,
    }
    return tag(2, **given | other)  # type: ignore[arg-type]


STORIES: dict[str, tuple[Registry, str]] = {
    "an alarm is raised by the clock, with the time at which it began": (
        registry(level()),
        """
        08:00:00  LI 79
        08:00:10  LI 80.5
        08:00:20  LI 81
        08:00:39  tick
        08:00:40.25  tick
                  => LI H RAISED onset 08:00:10 effective 08:00:40 value 81 limit 80
        08:00:45  tick
        """,
    ),
    "a reading that comes after the delay finds the alarm raised, even if it lies below": (
        registry(level()),
        """
        08:00:10  LI 81
        08:00:20  LI 82
        08:00:42  LI 40
                  => LI H RAISED onset 08:00:10 effective 08:00:40 value 82 limit 80
        """,
    ),
    "the limit itself is beyond, the limit less the deadband is not yet back": (
        registry(level(delay_on_s=0.0, delay_off_s=0.0)),
        """
        08:00:00  LI 80
        08:00:10  LI 80
                  => LI H RAISED onset 08:00:00 effective 08:00:10 value 80 limit 80
        08:00:20  LI 79
        08:00:30  LI 78.999
                  => LI H RETURNED onset 08:00:00 effective 08:00:30 value 78.999 limit 80
        """,
    ),
    "a low limit is the same, upside down": (
        registry(level(limits={Kind.L: 20.0}, delay_on_s=0.0, delay_off_s=0.0)),
        """
        08:00:00  LI 20
        08:00:10  LI 19
                  => LI L RAISED onset 08:00:00 effective 08:00:10 value 19 limit 20
        08:00:20  LI 17.9
                  => LI L WORSE onset 08:00:00 effective 08:00:20 value 17.9 limit 20
        08:00:30  LI 21
        08:00:40  LI 21.5
                  => LI L RETURNED onset 08:00:00 effective 08:00:40 value 21.5 limit 20
        """,
    ),
    "an excursion shorter than the delay is none": (
        registry(level()),
        """
        08:00:10  LI 85
        08:00:20  LI 85
        08:00:30  LI 79.9
        08:01:30  tick
        """,
    ),
    "one outlier of a slow process tag is none, whatever the delay": (
        registry(level(delay_on_s=2.0)),
        """
        08:00:00  LI 95
        08:00:10  LI 50
        08:01:00  tick
        """,
    ),
    "one reading that holds for 1.2 intervals is one": (
        registry(level(delay_on_s=2.0)),
        """
        08:00:00  LI 95
        08:00:11.999  tick
        08:00:12  tick
                  => LI H RAISED onset 08:00:00 effective 08:00:12 value 95 limit 80
        """,
    ),
    "a second reading confirms a process alarm at once if the delay has run out": (
        registry(level(delay_on_s=2.0)),
        """
        08:00:00  LI 95
        08:00:10  LI 94
                  => LI H RAISED onset 08:00:00 effective 08:00:10 value 94 limit 80
        """,
    ),
    "gas at level 2 is raised by its first reading, level 1 after 3 s": (
        registry(gas()),
        """
        08:00:00  GD 2
        08:00:01  GD 55
                  => GD HH RAISED onset 08:00:01 effective 08:00:01 value 55 limit 50
        08:00:04.1  tick
                  => GD H RAISED onset 08:00:01 effective 08:00:04 value 55 limit 25
        08:00:05  GD 30
        08:00:34  GD 30
        08:00:35  GD 30
                  => GD HH RETURNED onset 08:00:01 effective 08:00:35 value 30 limit 50
        """,
    ),
    "a value that comes back within the off-delay keeps the alarm": (
        registry(level(delay_on_s=0.0, delay_off_s=25.0)),
        """
        08:00:00  LI 85
        08:00:10  LI 85
                  => LI H RAISED onset 08:00:00 effective 08:00:10 value 85 limit 80
        08:00:20  LI 70
        08:00:30  LI 79.5
        08:00:40  LI 70
        08:00:50  LI 71
        08:01:00  LI 72
        08:01:05  tick
                  => LI H RETURNED onset 08:00:00 effective 08:01:05 value 72 limit 80
        """,
    ),
    "a flagged reading starts an alarm": (
        registry(gas()),
        """
        08:00:00  GD 60 calibration
                  => GD HH RAISED onset 08:00:00 effective 08:00:00 value 60 limit 50
        """,
    ),
    "a flagged reading neither ends an alarm nor the delay towards it": (
        registry(gas()),
        """
        08:00:00  GD 30
        08:00:01  GD 0 bad
        08:00:03  tick
                  => GD H RAISED onset 08:00:00 effective 08:00:03 value 30 limit 25
        08:00:04  GD 0 maintenance
        08:00:50  GD 0 maintenance
        08:01:00  tick
        """,
    ),
    "a reading without a value holds everything, and the way back begins anew": (
        registry(gas(limits={Kind.H: 25.0})),
        """
        08:00:00  GD 30
        08:00:02  GD -
        08:00:03  tick
                  => GD H RAISED onset 08:00:00 effective 08:00:03 value 30 limit 25
        08:00:10  GD 3
        08:00:20  GD -
        08:00:41  tick
        08:00:45  GD 3
        08:01:14  tick
        08:01:15  tick
                  => GD H RETURNED onset 08:00:00 effective 08:01:15 value 3 limit 25
        """,
    ),
    "beyond the range counts as beyond every limit on that side, and never as back": (
        registry(gas()),
        """
        08:00:00  GD 8 over
                  => GD HH RAISED onset 08:00:00 effective 08:00:00 value 8 limit 50
        08:00:10  GD 3 over
                  => GD H RAISED onset 08:00:00 effective 08:00:03 value 8 limit 25
        08:00:50  tick
        """,
    ),
    "below the range starts low alarms only": (
        registry(level(limits={Kind.L: 20.0, Kind.H: 80.0}, delay_on_s=0.0)),
        """
        08:00:00  LI 90 under
        08:00:10  LI 90 under
                  => LI L RAISED onset 08:00:00 effective 08:00:10 value 90 limit 20
        """,
    ),
    "worse is told in steps of one per cent of the span": (
        registry(gas(limits={Kind.HH: 50.0})),
        """
        08:00:00  GD 60
                  => GD HH RAISED onset 08:00:00 effective 08:00:00 value 60 limit 50
        08:00:01  GD 60.6
        08:00:02  GD 61.2
                  => GD HH WORSE onset 08:00:00 effective 08:00:02 value 61.2 limit 50
        08:00:03  GD 61.9
        08:00:04  GD 20
        08:00:05  GD 99 uncertain
                  => GD HH WORSE onset 08:00:00 effective 08:00:05 value 99 limit 50
        """,
    ),
    "silence neither raises nor returns": (
        registry(gas(limits={Kind.H: 25.0}, max_silence_s=20.0), tag(3, "OTHER")),
        """
        08:00:00  GD 30 | OTHER 1
        08:00:03  tick
                  => GD H RAISED onset 08:00:00 effective 08:00:03 value 30 limit 25
        08:00:10  GD 3 | OTHER 1
        08:00:31  OTHER 1
                  => GD OFFLINE RAISED onset 08:00:10 effective 08:00:30
        08:00:50  tick
        08:01:00  GD 4
                  => GD H RETURNED onset 08:00:00 effective 08:01:00 value 4 limit 25
                  => GD OFFLINE RETURNED onset 08:00:10 effective 08:01:00 value 4
        """,
    ),
    "a delay that would run out in silence runs out when the tag is heard again": (
        registry(level(delay_on_s=50.0, max_silence_s=20.0), tag(3, "OTHER", max_silence_s=900.0)),
        """
        08:00:00  LI 85
        08:00:10  LI 86
        08:01:00  tick
        08:01:20  LI 87
                  => LI H RAISED onset 08:00:00 effective 08:01:20 value 87 limit 80
        """,
    ),
    "a clock that is 40 s behind moves the onset, not the delay": (
        registry(gas(limits={Kind.H: 25.0})),
        """
        08:00:40  GD 30 @08:00:00
        08:00:42.999  tick
        08:00:43  tick
                  => GD H RAISED onset 08:00:00 effective 08:00:03 value 30 limit 25
        """,
    ),
    "a reading that is not newer than the last one says nothing": (
        registry(gas()),
        """
        08:00:10  GD 2
        08:00:11  GD 99 @08:00:10
        08:00:12  GD 99 @08:00:05
        08:00:13  tick
        """,
    ),
    "readings of one frame are judged in the order of their times": (
        registry(gas(limits={Kind.H: 25.0})),
        """
        08:00:10  GD 2 @08:00:08 | GD 30 @08:00:02 | UNKNOWN 7 | GD 30 @08:00:06
                  => GD H RAISED onset 08:00:02 effective 08:00:05 value 30 limit 25
        08:00:39.999  tick
        08:00:40  tick
                  => GD H RETURNED onset 08:00:02 effective 08:00:38 value 2 limit 25
        """,
    ),
    "zero is a reading": (
        registry(level(limits={Kind.LL: 0.0}, delay_on_s=0.0)),
        """
        08:00:00  LI 0
        08:00:10  LI 0
                  => LI LL RAISED onset 08:00:00 effective 08:00:10 value 0 limit 0
        """,
    ),
    "a switch speaks by its first reading": (
        registry(
            tag(
                4,
                "XS",
                kind=TagKind.FIRE,
                unit="",
                range=None,
                limits={Kind.H: 1.0},
                delay_on_s=None,
                delay_off_s=None,
            )
        ),
        """
        08:00:00  XS 0
        08:00:01  XS 1
                  => XS H RAISED onset 08:00:01 effective 08:00:01 value 1 limit 1
        08:00:02  XS 0
        08:00:07  tick
                  => XS H RETURNED onset 08:00:01 effective 08:00:07 value 0 limit 1
        """,
    ),
}


@pytest.mark.parametrize(("plant", "log"), STORIES.values(), ids=STORIES)
def test_limit_story(plant: Registry, log: str):
    assert RuleLog(plant, CORE).replay(log) == tidy(log)

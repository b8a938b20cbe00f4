"""Missing data of tags and of whole hazard sources, told as entries of an operator's log."""

import pytest

from domain.alarms import Kind
from domain.instant import micros
from domain.plant import Registry, Tag
from tests.support.builders import registry, tag
from tests.support.rule_log import CORE, RuleLog, tidy, when


def reading(id: int, name: str, **other: object) -> Tag:
    """A tag that reports each second, and is offline after 60 s."""
    return tag(id, name, interval_s=1.0, **other)  # type: ignore[arg-type]


PAIR = registry(reading(1, "A"), reading(2, "B"))
STORIES: dict[str, tuple[Registry, str]] = {
    "a tag that falls silent alone is offline after 60 s, since its last good reading": (
        PAIR,
        """
        08:00:10  A 1 | B 1
        08:01:00  B 1
        08:01:10  tick
        08:01:10.000001  tick
                  => A OFFLINE RAISED onset 08:00:10 effective 08:01:10
        08:01:20  B 1
        08:01:30  A 5 | B 1
                  => A OFFLINE RETURNED onset 08:00:10 effective 08:01:30 value 5
        """,
    ),
    "it is found without a tick too": (
        PAIR,
        """
        08:00:10  A 1 | B 1
        08:01:00  B 1
        08:01:40  A 2
                  => A OFFLINE RAISED onset 08:00:10 effective 08:01:10
                  => A OFFLINE RETURNED onset 08:00:10 effective 08:01:40 value 2
        """,
    ),
    "silence is counted by when readings came, and dated by when they were taken": (
        PAIR,
        """
        08:00:40  A 1 @08:00:10 | B 1
        08:01:20  B 1
        08:01:40.1  tick
                  => A OFFLINE RAISED onset 08:00:10 effective 08:01:10
        """,
    ),
    "a slow tag is given three intervals, a tag by exception what it asks for": (
        registry(tag(1, "A", interval_s=30.0), tag(2, "B", max_silence_s=600.0), reading(3, "C")),
        """
        08:00:00  A 1 | B 1 | C 1
        08:00:50  C 1
        08:01:29  C 1
        08:01:31  tick
                  => A OFFLINE RAISED onset 08:00:00 effective 08:01:30
        """,
    ),
    "a flagged or empty reading is no sign of life": (
        PAIR,
        """
        08:00:00  A 1 | B 1
        08:00:40  A 1 uncertain | B 1
        08:00:59  A - | B 1
        08:01:01  tick
                  => A OFFLINE RAISED onset 08:00:00 effective 08:01:00
        08:01:05  A 1 bad
        08:01:06  A 0
                  => A OFFLINE RETURNED onset 08:00:00 effective 08:01:06 value 0
        """,
    ),
    "when all tags of a source fall silent, one alarm says so, and none for each tag": (
        PAIR,
        """
        08:00:00.2  A 1
        08:00:00.9  B 1
        08:01:00.5  tick
        08:01:05  tick
        08:02:00.9  tick
        08:02:01  tick
                  => node 3 SOURCE_OFFLINE RAISED onset 08:00:00.900000 effective 08:02:00.900000
        08:30:00  tick
        08:40:00  A 1 | B 1
                  => node 3 SOURCE_OFFLINE RETURNED onset 08:00:00.900000 effective 08:40:00
        """,
    ),
    "when the source is back, its other tags have their silence again before they are offline": (
        PAIR,
        """
        08:00:00  A 1 | B 1
        08:02:01  tick
                  => node 3 SOURCE_OFFLINE RAISED onset 08:00:00 effective 08:02:00
        08:10:00  B 1
                  => node 3 SOURCE_OFFLINE RETURNED onset 08:00:00 effective 08:10:00
        08:10:55  B 1
        08:11:01  tick
                  => A OFFLINE RAISED onset 08:00:00 effective 08:01:00
        """,
    ),
    "a source that comes back in several messages raises nothing more": (
        PAIR,
        """
        08:00:00  A 1 | B 1
        08:02:01  tick
                  => node 3 SOURCE_OFFLINE RAISED onset 08:00:00 effective 08:02:00
        08:10:00  B 1
                  => node 3 SOURCE_OFFLINE RETURNED onset 08:00:00 effective 08:10:00
        08:10:02  A 1
        08:10:59  tick
        """,
    ),
    "an offline tag stays so when the rest of its source falls silent": (
        PAIR,
        """
        08:00:00  A 1 | B 1
        08:00:50  B 1
        08:01:01  tick
                  => A OFFLINE RAISED onset 08:00:00 effective 08:01:00
        08:02:51  tick
                  => node 3 SOURCE_OFFLINE RAISED onset 08:00:50 effective 08:02:50
        08:03:00  A 1
                  => A OFFLINE RETURNED onset 08:00:00 effective 08:03:00 value 1
                  => node 3 SOURCE_OFFLINE RETURNED onset 08:00:50 effective 08:03:00
        """,
    ),
    "the last tag to fall silent is not offline for itself, however late another one spoke": (
        registry(reading(1, "A"), reading(2, "B", max_silence_s=20.0)),
        """
        08:00:00  A 1 | B 1
        08:00:18  B 1
        08:00:35  B 1
        08:01:01  tick
        08:02:01  tick
                  => node 3 SOURCE_OFFLINE RAISED onset 08:00:35 effective 08:02:00
        """,
    ),
    "a short break of the line is none": (
        PAIR,
        """
        08:00:00  A 1 | B 1
        08:01:50  A 1 | B 1
        08:02:30  tick
        """,
    ),
    "a source that would keep silent for long does not hide a tag for longer than a minute": (
        registry(reading(1, "A"), tag(2, "B", max_silence_s=3600.0)),
        """
        08:00:00  A 1 | B 1
        08:02:00  tick
        08:02:00.000001  tick
                  => A OFFLINE RAISED onset 08:00:00 effective 08:01:00
        """,
    ),
    "sources are judged apart": (
        registry(reading(1, "A", source=3), reading(2, "B", source=4), reading(3, "C", source=4)),
        """
        08:00:00  A 1 | B 1 | C 1
        08:01:50  B 1 | C 1
        08:02:01  tick
                  => node 3 SOURCE_OFFLINE RAISED onset 08:00:00 effective 08:02:00
        """,
    ),
    "a tag that was never heard counts from its registration": (
        registry(reading(1, "A", since=when("07:00:00")), reading(2, "B")),
        """
        08:00:20  B 1
        08:00:50  B 1
        08:01:01  tick
                  => A OFFLINE RAISED onset 07:00:00 effective 07:01:00
        """,
    ),
}


@pytest.mark.parametrize(("plant", "log"), STORIES.values(), ids=STORIES)
def test_silence_story(plant: Registry, log: str):
    assert RuleLog(plant, CORE).replay(log) == tidy(log)


def test_nothing_is_offline_because_the_worker_itself_was_away():
    plant = RuleLog(PAIR, CORE)
    plant.line("08:00:00 A 1 | B 1")
    plant.state.grace_from = micros(when("09:00:00"))
    assert plant.line("09:00:59 tick") == []
    assert plant.line("09:01:00 B 2") == []
    assert plant.line("09:01:01 tick") == ["=> A OFFLINE RAISED onset 08:00:00 effective 08:01:00"]


def test_a_gateway_that_dies_raises_one_alarm_for_all_its_tags():
    plant = RuleLog(
        registry(*(reading(id, f"T{id}", limits={Kind.H: 9.0}) for id in range(1, 61))), CORE
    )
    for second in range(30):
        for part in (0, 1, 2):
            names = [f"T{id} 1" for id in range(1, 61) if id % 3 == part]
            plant.line(f"08:00:{second:02}.{part}00 " + " | ".join(names))
    found = []
    for quarter in range(4 * 300):
        minute, quarters = divmod(120 + quarter, 240)
        found += plant.line(f"08:{minute:02}:{quarters / 4:06.3f} tick")
    assert found == [
        "=> node 3 SOURCE_OFFLINE RAISED onset 08:00:29.200000 effective 08:02:29.200000"
    ]

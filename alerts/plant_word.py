"""`PlantWord`: acknowledgements made in the plant 厂内确认, so that nobody has to acknowledge twice
(domain.md 4.5 F6, wire profile). Pure.

They count for LL, L, H and HH of what `policy.counts_in_plant` has: not for gas, oxygen, fire and
interlocks, which are acknowledged here alone. One counts once, when the plant first says so, for
the activation that it is about: by its time, which may be `EdgePolicy.before` earlier than our
onset, and is never later than it came. What is older than the newest word changes nothing. One
that comes before our alarm, which has a delay, counts when that begins, if the plant's own is
still active then. One that has answered an activation answers no later one.
"""

from collections.abc import Callable, Iterable, Mapping

from domain.alarms import WAITING, Alarm, Kind, Transition
from domain.edge_alarm import EdgeAlarm, edge_policy
from domain.instant import micros
from domain.plant import Tag
from domain.policy import counts_in_plant

BY = "厂内 plant"
LONGEST = 80
"""Characters that are kept of what the plant calls a person or an alarm."""
Subject = tuple[Kind, int]
"""Kind and tag id."""


class PlantWord:
    """The plant's newest word on each tag and kind."""

    def __init__(self) -> None:
        self._newest: dict[Subject, EdgeAlarm] = {}
        self._spent: set[Subject] = set()
        self._before = edge_policy().before

    def restore(self, said: Iterable[EdgeAlarm]) -> None:
        """Remember what was heard before a restart; it was acted on then."""
        for one in said:
            if self._hear(one) and one.kind is not None:
                self._spent.add((one.kind, one.tag))

    def answers(
        self,
        said: Iterable[EdgeAlarm],
        changes: Iterable[Transition],
        known: Callable[[Kind, int], Iterable[Alarm]],
        tags: Mapping[int, Tag],
    ) -> list[tuple[Alarm, EdgeAlarm]]:
        """Which occurrences are acknowledged by which word. said: what came now; changes: what it
        or the time brought; known: what is open of a kind and a tag."""
        fresh = [(one, None) for one in said if self._hear(one)]
        begun = [
            (word, change.alarm.id)
            for change in changes
            if change.event == "raise" and (word := self._standing(change.alarm)) is not None
        ]
        found: dict[object, tuple[Alarm, EdgeAlarm]] = {}
        for word, id in (*fresh, *begun):
            assert word.kind is not None, "nothing else is remembered"
            for alarm in known(word.kind, word.tag):
                if id in (None, alarm.id) and self._is_about(word, alarm, tags):
                    found[alarm.id] = alarm, word
                    self._spent.add((word.kind, word.tag))
        return list(found.values())

    def _hear(self, said: EdgeAlarm) -> bool:
        """Whether it says for the first time that its alarm is acknowledged."""
        if said.kind is None:
            return False
        before = self._newest.get((said.kind, said.tag))
        if before is not None and (said.received < before.received or _when(said) < _when(before)):
            return False
        self._newest[said.kind, said.tag] = said
        repeats = before is not None and before.acknowledged and before.id == said.id
        if not repeats:
            self._spent.discard((said.kind, said.tag))
        return bool(said.acknowledged) and not repeats

    def _standing(self, alarm: Alarm) -> EdgeAlarm | None:
        """The acknowledgement of the plant's own alarm, while that is active and answered none."""
        subject = None if alarm.tag is None else (alarm.kind, alarm.tag)
        word = None if subject is None or subject in self._spent else self._newest.get(subject)
        return word if word is not None and word.active and word.acknowledged else None

    def _is_about(self, word: EdgeAlarm, alarm: Alarm, tags: Mapping[int, Tag]) -> bool:
        tag = tags.get(word.tag)
        if tag is None or not counts_in_plant(tag, alarm.kind) or alarm.state not in WAITING:
            return False
        return _when(word) >= micros(alarm.onset_last or alarm.onset) - self._before


def _when(word: EdgeAlarm) -> int:
    """Microseconds since 1970: never later than it came, however far ahead the sender's clock."""
    return min(word.time, word.received)


def who(word: EdgeAlarm) -> str:
    """Who acknowledged, as the journal and the lists have it."""
    name = " ".join((word.by or "").split())[:LONGEST]
    return f"{BY}: {name}" if name else BY


def remark(word: EdgeAlarm) -> str:
    """The comment of such an acknowledgement."""
    return f"厂内确认 acknowledged in the plant: {word.id[:LONGEST]}"

"""`EdgeWatch`: the plant's own alarms beside the engine's findings, for the pump."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from domain.alarms import Alarm, Finding, Kind
from domain.edge_alarm import edge_policy
from domain.instant import micros
from domain.plant import Registry
from ingest.batch import PlantAlarm
from ingest.edge_alarms import edge_alarms
from ingest.intake import Intake
from rules import underreport
from rules.edge_state import EdgeState, Held
from rules.plan import Plan
from rules.state import RuleState
from rules.thresholds import reregister

KINDS = frozenset(underreport.KINDS)
"""Kinds that are not the engine's."""


class EdgeWatch:
    """Finds UNDERREPORT and THRESHOLD_MISMATCH. engine: the plan and state of this moment, which
    change hands when a site is swapped; both are only read."""

    def __init__(
        self, registry: Registry, intake: Intake, engine: Callable[[], tuple[Plan, RuleState]]
    ) -> None:
        self._registry = registry
        self._intake = intake
        self._engine = engine
        self._state = EdgeState()
        self._policy = edge_policy()

    def step(
        self, findings: Iterable[Finding], said: Sequence[PlantAlarm], at: datetime
    ) -> list[Finding]:
        """What the engine's findings, the plant's reports and the time bring about."""
        return underreport.step(
            self._state,
            self._registry.tags,
            self._policy,
            self,
            findings,
            edge_alarms(said, self._intake.tag),
            micros(at),
        )

    def restore(
        self,
        active: Iterable[tuple[Kind, int, datetime]],
        known: Iterable[Alarm],
        said: Sequence[PlantAlarm],
        at: datetime,
    ) -> list[Finding]:
        """Begin from the active conditions, the open occurrences and the newest stored reports."""
        newest = {(one.kind, one.tag): one for one in sorted(known, key=lambda one: one.effective)}
        held = [
            Held(kind, who, onset, alarm.effective, alarm.limit)
            for kind, who, onset in active
            if (alarm := newest.get((kind, who))) is not None
        ]
        alarms = edge_alarms(said, self._intake.tag)
        tags = self._registry.tags
        return underreport.restore(self._state, tags, self._policy, held, alarms, micros(at))

    def swap(self, registry: Registry, findings: Iterable[Finding], at: datetime) -> list[Finding]:
        """Go on with another registry; findings: what ended in the engine because of it."""
        told = self.step(findings, (), at)
        self._registry = registry
        return told + reregister(self._state, registry.tags, self._policy, micros(at))

    def value(self, tag: int) -> float:
        """See `rules.underreport.Readings`."""
        plan, state = self._engine()
        slot = plan.slot_of(tag)
        return float("nan") if slot < 0 else float(state.held[slot])

    def speaks(self, tag: int, at: int) -> bool:
        """See `rules.underreport.Readings`."""
        plan, state = self._engine()
        slot = plan.slot_of(tag)
        return slot >= 0 and bool(at - state.received[slot] <= plan.silence[slot])

    def senders(self, tag: int) -> Collection[int]:
        """See `rules.underreport.Readings`."""
        return self._intake.senders_of(tag)

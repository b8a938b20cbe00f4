"""`Colouring`: the colour of every source, from open occurrences, signals and management inputs,
and what is behind it.

All that it remembers is on the line of `RiskTime`; what it hands out has wall time again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import numpy as np

from alerts.case_notices import HotWork
from alerts.facts import AlarmRows, Layout, compile_layout, gather, remember
from domain.alarms import Alarm
from domain.cases import ClockReading
from domain.inputs import Input
from domain.instant import micros, moment
from domain.plant import Registry
from domain.risk import Colour, Floor, RiskFacts, RiskMemory, RiskModel, RiskResult, SourceRisk
from domain.signals import Signals
from hazwatch.risktime import RiskTime
from hazwatch.standing import Shown, Standing
from hazwatch.told_risk import ToldRisk
from rules.risk import ColourChange, ColourState, Refusal, assess, release, settle


class Colouring:
    """The memory of colours. shown: (colour, unknown) of the sources that are not blue at the
    start; closed: occurrences that were closed of late. `assess` comes before all questions."""

    def __init__(
        self,
        registry: Registry,
        model: RiskModel,
        shown: Mapping[int, tuple[Colour, bool]],
        closed: Iterable[Alarm],
        start: ClockReading,
    ) -> None:
        self._registry = registry
        self._layout = compile_layout(registry)
        self._rows = AlarmRows(self._layout)
        self._model = model
        self._time = RiskTime(start)
        self._colours = ColourState.told(shown, start.at)
        self._told = ToldRisk()
        self._changed = list(closed)
        self._recent: tuple[Alarm, ...] = ()
        self._opened: Sequence[Alarm] = ()
        self._by_id: dict[UUID, Alarm] | None = None
        self._inputs: Sequence[Input] = ()
        self._memory: RiskMemory | None = None
        self._facts: RiskFacts
        self._result: RiskResult
        self._standing: Standing | None = None
        self._by_row: Standing | None = None
        self._shown: Shown | None = None

    def update_registry(self, registry: Registry) -> None:
        """Use another reading of the registry from the next assessment on."""
        self._registry = registry
        self._layout = compile_layout(registry)
        self._rows = AlarmRows(self._layout)

    @property
    def layout(self) -> Layout:
        """What the registry in use says."""
        return self._layout

    def saw(self, changed: Iterable[Alarm]) -> None:
        """These occurrences changed; the next assessment takes them in."""
        self._changed += changed

    def heard(self, inputs: Sequence[Input]) -> None:
        """These are all inputs now; the next assessment takes them in."""
        self._inputs = inputs

    @property
    def behindhand(self) -> bool:
        """Whether occurrences changed since the last assessment."""
        return bool(self._changed)

    def assess(
        self, alarms: Iterable[Alarm], reading: ClockReading, signals: Signals | None = None
    ) -> list[ColourChange]:
        """Assess every source from its open occurrences; the changes, in order. signals: None =
        nothing is known."""
        line, opened = self._time.now(reading), list(alarms)
        self._opened, self._by_id = opened, None
        closed = {alarm.id: alarm for alarm in (*self._recent, *self._changed)}
        self._changed = []
        placed = self._time.place([*closed.values(), *opened], reading)
        recent = remember(self._layout, self._model, (placed[id] for id in closed), micros(line))
        self._recent = tuple(closed[alarm.id] for alarm in recent)
        inputs = self._time.place_inputs(self._inputs, reading)
        now = (placed[alarm.id] for alarm in opened)
        self._facts = gather(self._layout, now, recent, signals, inputs, micros(line), self._rows)
        rows = self._memory is not None and self._result.sources
        self._result = assess(self._model, self._facts, line, self._memory)
        same = np.array_equal(rows, self._result.sources)
        self._memory = self._result.memory
        self._colours, changes = settle(self._model, self._colours, self._result, line)
        self._by_row = self._standing if same else None
        self._standing = self._shown = None
        return [replace(change, at=change.at + (reading.at - line)) for change in changes]

    def of(self, source: int) -> tuple[Colour, bool]:
        """Colour of a source and whether it is unknown; blue and seen where it left the site."""
        if source not in self._layout.source_row:
            return Colour.BLUE, False
        if self._shown is None:
            self._shown = Shown.of(self._colours)
        row = self._by_source().row[source]
        return Colour(self._shown.colour[row]), self._shown.unknown[row]

    def score(self, source: int) -> tuple[float | None, str]:
        """D of a source and the version of the model; (None, "") where it left the site."""
        if source not in self._layout.source_row:
            return None, ""
        return float(self._result.score[self._result.row(source)]), self._result.version

    def gas_l2(self, source: int) -> bool:
        """Whether gas at its second level brings points to a source, or holds a floor of it."""
        if source not in self._layout.source_row:
            return False
        known = self._by_source()
        return known.row[source] in known.gas_l2

    def behind(self, source: int) -> tuple[UUID, ...]:
        """The occurrences that bring points to a source, or hold a floor of it."""
        if source not in self._layout.source_row:
            return ()
        known = self._by_source()
        return known.behind.get(known.row[source], ())

    def _by_source(self) -> Standing:
        if self._standing is None:
            self._standing = Standing.of(self._facts, self._result, self._by_row)
        return self._standing

    def stands(self, source: int) -> tuple[object, ...]:
        """All that a case is shown of its source, to tell whether any of it has changed."""
        known = self._by_source()
        row = known.row.get(source)
        if row is None or source not in self._layout.source_row:
            return ()
        return (*self.of(source), known.behind.get(row, ()), row in known.gas_l2)

    def open_among(self, ids: Iterable[UUID]) -> list[Alarm]:
        """Those of these occurrences that were open when the colours were last assessed."""
        if self._by_id is None:
            self._by_id = {alarm.id: alarm for alarm in self._opened}
        found = (self._by_id.get(id) for id in ids)
        return [alarm for alarm in found if alarm is not None]

    def hot_work(self) -> Iterator[tuple[int, HotWork]]:
        """Hot work near gas (floor F13), with the source that it was stated of."""
        alarms, inputs, result = self._facts.alarms, self._facts.inputs, self._result
        gas = np.flatnonzero(result.holds & (1 << Floor.F13))
        owner = self._facts.tags.enterprise[alarms.tag[gas]]
        stated = {one.id: one for one in self._inputs}
        for q in np.flatnonzero(result.input_holds & (1 << Floor.F13)).tolist():
            ours = gas[owner == inputs.enterprise[q]]
            first = min(ours.tolist(), key=lambda k: (alarms.since[k], alarms.ids[k]))
            source = int(result.sources[inputs.source[q]])
            yield source, HotWork(stated[inputs.ids[q]], alarms.ids[first])

    def held(self, source: int) -> str | None:
        """Why red can't be released, None if it can or the source left the site."""
        change = self._released(source)[1]
        return change.reason if isinstance(change, Refusal) else None

    def release(self, source: int) -> None:
        """Release red to orange, where nothing holds it."""
        self._colours, self._shown = self._released(source)[0], None

    def _released(self, source: int) -> tuple[ColourState, ColourChange | Refusal | None]:
        if source not in self._layout.source_row:
            return self._colours, None
        at = moment(self._colours.seen)
        return release(self._model, self._colours, self._result, source, at)

    def news(self, at: datetime) -> Iterator[tuple[SourceRisk, bool]]:
        """What is to be told of sources since the last time; see `ToldRisk`."""
        return self._told.news(self._registry, self._facts, self._result, self._colours, at)

"""From what an assessment wants to the colour that is shown: confirmation and hysteresis (4.6).

| change      | when                                                                              |
|-------------|-----------------------------------------------------------------------------------|
| floor       | at once, up to what the floor asks for                                            |
| score       | D at or above the threshold for `up` (10 s)                                       |
| calm        | one step down after `down` (10 min) since the last change, in all of which D was  |
|             | under threshold - 3, no floor asked for the colour, and the source was seen       |
| release     | red only: by a person, refused while a floor asks for red, D >= 72, or unknown    |
| sight       | no change of colour: the source became unknown, or is seen again                  |

A delay that has run out between two assessments counts from when it ran out, judged by the earlier
one: so ticks decide when a change is known, not when it happened. Downward this holds only while
assessments come at least every `observed` (60 s); what nobody watched, lowers nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from domain.frame import Ints
from domain.instant import FAR, NEVER, micros, moment
from domain.risk import Bytes, Colour, Floor, Mask, RiskModel, RiskResult
from domain.risk_model import ColourModel

_LEVELS = (Colour.YELLOW, Colour.ORANGE, Colour.RED)


@dataclass(frozen=True, slots=True, eq=False)
class ColourState:
    """What is remembered of every source; never written to. Rows by rising id.

    sources: int64[m], node ids. colour: int8[m]. unknown: bool[m]. changed: int64[m], the last
    change of colour. above: int64[m, 3], by yellow, orange, red: since when D is at or over the
    threshold, FAR = it is not. calm: int64[m, 3]: since when nothing keeps the source at that
    colour, FAR = something does. seen: int64, the last assessment; all in microseconds.
    """

    sources: Ints
    colour: Bytes
    unknown: Mask
    changed: Ints
    above: Ints
    calm: Ints
    seen: int

    @staticmethod
    def fresh() -> "ColourState":
        """No source known; those that come are blue."""
        return _blank(np.zeros(0, np.int64), NEVER)

    def of(self, source: int) -> Colour:
        """The colour of a source, blue if it is not known."""
        row = np.flatnonzero(self.sources == source)
        return Colour(self.colour[row[0]]) if row.size else Colour.BLUE

    @staticmethod
    def told(shown: Mapping[int, tuple[Colour, bool]], at: datetime) -> "ColourState":
        """What was told before a restart: colour and sight of sources that are not blue.

        All delays begin at `at`: nobody watched meanwhile, so nothing falls sooner.
        """
        sources = np.array(sorted(shown), np.int64)
        state = _blank(sources, NEVER)
        for row, source in enumerate(sources.tolist()):
            state.colour[row], state.unknown[row] = shown[source]
        state.changed[:] = micros(at)
        return state


@dataclass(frozen=True, slots=True)
class ColourChange:
    """The colour of a source changed, or whether it is seen.

    cause: a word of the table above. at: when it happened, not later than the assessment that tells
    of it. score, floors: of that assessment. version: of the model.
    """

    source: int
    before: Colour
    after: Colour
    unknown: bool
    cause: str
    at: datetime
    score: float
    floors: tuple[Floor, ...]
    version: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why red is not released. reason: `not red`, `floor`, `score` or `unknown`."""

    source: int
    reason: str
    score: float
    floors: tuple[Floor, ...]


def _blank(sources: Ints, seen: int) -> ColourState:
    m = len(sources)
    never, far = np.full(m, NEVER, np.int64), np.full((m, 3), FAR, np.int64)
    return ColourState(
        sources, np.zeros(m, np.int8), np.zeros(m, np.bool_), never, far, far.copy(), seen
    )


class _Work:
    """Copies of the arrays of a state, to be changed while changes are written down."""

    def __init__(self, model: RiskModel, state: ColourState, result: RiskResult) -> None:
        _, old, new = np.intersect1d(state.sources, result.sources, return_indices=True)
        blank = _blank(result.sources, state.seen)
        for name in ("colour", "unknown", "changed", "above", "calm"):
            getattr(blank, name)[new] = getattr(state, name)[old]
        self.model: ColourModel = model.colours
        self.state, self.result = blank, result
        self.changes: list[ColourChange] = []

    def turn(self, row: NDArray[np.intp], to: Bytes, when: Ints, cause: str) -> None:
        """Give these rows their colour, and write it down."""
        before = self.state.colour[row]
        self.state.colour[row] = to
        self.state.changed[row] = when
        self.note(row, before, when, cause)

    def note(self, row: NDArray[np.intp], before: Bytes, when: Ints, cause: str) -> None:
        """Write down what these rows are now."""
        for k, r in enumerate(row):
            self.changes.append(
                ColourChange(
                    int(self.state.sources[r]),
                    Colour(before[k]),
                    Colour(self.state.colour[r]),
                    bool(self.state.unknown[r]),
                    cause,
                    moment(int(when[k])),
                    float(self.result.score[r]),
                    holding(self.result, int(r)),
                    self.result.version,
                )
            )


def holding(result: RiskResult, row: int) -> tuple[Floor, ...]:
    """The floors that hold for a row of the result."""
    return tuple(Floor(int(f)) for f in np.flatnonzero(result.floors[row] > Colour.BLUE))


def settle(
    model: RiskModel, state: ColourState, result: RiskResult, at: datetime
) -> tuple[ColourState, list[ColourChange]]:
    """The colours after an assessment made at `at`, and the changes, in the order of their times.

    Sources that the result does not hold are forgotten, new ones begin blue. `at` must not go
    back: an earlier one counts as the last.
    """
    now = max(micros(at), state.seen)
    work = _Work(model, state, result)
    _run_out(work, now, min(now, state.seen + work.model.observed))
    _take(work, now)
    _run_out(work, now + 1, now + 1)
    changes = sorted(work.changes, key=lambda change: (change.at, change.source))
    return _frozen(work, now), changes


def _frozen(work: _Work, now: int) -> ColourState:
    s = work.state
    return ColourState(s.sources, s.colour, s.unknown, s.changed, s.above, s.calm, now)


def _run_out(work: _Work, up_before: int, down_before: int) -> None:
    """What has run out strictly before these instants."""
    state = work.state
    due = state.above + work.model.up
    for column, level in enumerate(_LEVELS):
        later = due[:, column + 1] if level < Colour.RED else np.full(len(due), FAR)
        run_out = (due[:, column] < up_before) & (due[:, column] != later)
        row = np.flatnonzero(run_out & (state.colour < level))
        work.turn(row, np.full(len(row), level, np.int8), due[row, column], "score")
    for _ in (Colour.ORANGE, Colour.YELLOW):
        stands = np.flatnonzero((state.colour > Colour.BLUE) & (state.colour < Colour.RED))
        calm = state.calm[stands, state.colour[stands] - 1]
        falls = np.maximum(calm, state.changed[stands]) + work.model.down
        out = falls < down_before
        work.turn(stands[out], state.colour[stands[out]] - np.int8(1), falls[out], "calm")


def _take(work: _Work, now: int) -> None:
    """Take over what the new result says."""
    state, result, model = work.state, work.result, work.model
    level, threshold = np.array(_LEVELS), np.asarray(model.threshold)
    above = result.score[:, None] >= threshold
    state.above[:] = np.where(above, np.minimum(state.above, now), FAR)
    low = result.score[:, None] < threshold - model.hysteresis
    calm = low & (result.by_floor[:, None] < level) & ~result.unknown[:, None]
    watched = now - state.seen <= model.observed
    since = np.minimum(state.calm, now) if watched else np.full_like(state.calm, now)
    state.calm[:] = np.where(calm, since, FAR)
    row = np.flatnonzero(result.unknown != state.unknown)
    state.unknown[row] = result.unknown[row]
    work.note(row, state.colour[row], np.full(len(row), now), "sight")
    row = np.flatnonzero(result.by_floor > state.colour)
    work.turn(row, result.by_floor[row], np.full(len(row), now), "floor")


def release(
    model: RiskModel, state: ColourState, result: RiskResult, source: int, at: datetime
) -> tuple[ColourState, ColourChange | Refusal]:
    """Release red to orange, as a person decided it at `at`; the state as it was, where refused.

    `result` is the assessment of `at`, already settled. `KeyError` for a source it does not hold.
    Whether feedback has been given, and who may do it, is the caller's to know.
    """
    row = result.row(source)
    reason = _refused(model.colours, state, result, source, row)
    if reason is not None:
        refusal = Refusal(source, reason, float(result.score[row]), holding(result, row))
        return state, refusal
    work = _Work(model, state, result)
    orange = np.array([Colour.ORANGE], np.int8)
    work.turn(np.array([row]), orange, np.array([micros(at)]), "release")
    return _frozen(work, state.seen), work.changes[0]


def _refused(
    model: ColourModel, state: ColourState, result: RiskResult, source: int, row: int
) -> str | None:
    if state.of(source) is not Colour.RED:
        return "not red"
    if result.by_floor[row] >= Colour.RED:
        return "floor"
    if result.score[row] >= model.threshold[-1] - model.hysteresis:
        return "score"
    return "unknown" if result.unknown[row] else None

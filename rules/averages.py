"""The kernel of CHANGE: five averages of clipped deviations, each against its own habit.

A deviation from the baseline, in units of the noise, is clipped and enters an exponentially
weighted average of each memory. The size of an average over its own slow standard deviation is its
score; the largest decides (early-warning.md, layer 2). For white noise the averages have standard
deviations sqrt(w / (2 - w)); no longer memory is believed to be quieter than its neighbour and that
law allow, so that a short history does not raise false alarms. The baseline, the noise and the
standard deviations are slow averages with the memory of a day, and means while there is less.

Arguments of the loops, records of `rules.change_memory`: law, a LAW; own, the SORT of a tag; habit,
its HABIT; scratch, a SCRATCH.
"""

from math import exp, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import NEVER, SECOND
from rules.change_learning import (
    LOUDEST,
    QUICK,
    QUIETEST,
    adopt,
    begin,
    growth,
    learn_spread,
    learn_tail,
    share_of,
    threshold,
)
from rules.change_memory import SCALES, UNIT
from rules.compiled import compiled, part
from rules.loops import Records, row_at

NOTHING, RAISED, RETURNED, ADOPTED = -1, 0, 1, 2
"""What a sample brings about; ADOPTED: a change has become the new normal."""
BROKEN = -128
"""In place of a run: the sample before was not good."""
_NEAR = 0.1
"""A distance so near to one nominal sample counts as one."""
_REBASE = 5
"""So many clipped samples in a row on one side move the baseline of a tag that is still new."""
_LONGEST = 100
"""Clipped samples in a row that are counted."""
_FURTHEST = 32767.0
"""The largest average."""


@compiled
def listen(
    laws: Records, sorts: Records, sort: NDArray[np.int32], rows: NDArray[np.int32],
    habits: Records, onset: Ints, slot: NDArray[np.intp], at: Ints, value: Floats,
    good: NDArray[np.bool_], before: Ints, previous: Floats, told: Records,
    ratio: NDArray[np.float32], scratches: Records, first: int,
) -> tuple[int, int]:  # fmt: skip
    """Take in samples from position `first` on, until all are or there is no more room.

    laws, scratches: [1]. sort: of each row. rows: see `loops.row_at`. habits, onset: of each row.
    slot to previous: see `samples.Samples`. told: TOLD[e]. ratio: [m], score over threshold of each
    sample is written there, or [0]. Returns the next position and how many edges are told.
    """
    law, scratch, edges = laws[0], scratches[0], 0
    for n in range(first, len(slot)):
        if edges == len(told):
            return n, edges
        r = row_at(rows, slot[n])
        if r < 0:
            continue
        habit, own = habits[r], sorts[sort[r]]
        if not (good[n] and isfinite(value[n])):
            habit.run = BROKEN
            continue
        elapsed = _elapsed(at[n], before[n], own.interval)
        active = onset[r] != NEVER
        least = threshold(law, own, habit)
        score, over = _judge(
            law, own, habit, value[n], previous[n], elapsed, least, active, scratch
        )
        if len(ratio):
            ratio[n] = score / least
        edge = NOTHING
        if active:
            if score <= least * law.back:
                edge = RETURNED
            elif at[n] - onset[r] >= law.adopt:
                edge = ADOPTED
        elif over and habit.count > law.samples:
            edge, onset[r] = RAISED, at[n]
        if edge != NOTHING:
            told[edges].sample, told[edges].edge, told[edges].onset = n, edge, onset[r]
            _tell(law, own, habit, score, told[edges])
            edges += 1
            if edge != RAISED:
                onset[r] = NEVER
            if edge == ADOPTED:
                adopt(habit, value[n])
    return len(slot), edges


@part
def _elapsed(at: int, before: int, interval: float) -> float:
    """Nominal samples since the sample before, 1 for the first one."""
    waited = float(at - before)
    if before == NEVER or abs(waited - interval) < _NEAR * interval:
        return 1.0
    return waited / interval


@part
def _judge(
    law: Any, own: Any, habit: Any, value: float, previous: float, elapsed: float, least: float,
    active: bool, scratch: Any,
) -> tuple[float, bool]:  # fmt: skip
    """Take in a sample: its score, and whether that reaches the threshold."""
    known = habit.count > 0 and habit.run != BROKEN and isfinite(previous)
    score, over = 0.0, False
    if own.held > 0:
        stood, elapsed = min(elapsed, own.held) - 1, 1.0
        if known and stood > _NEAR:
            score = _advance(law, own, habit, previous, stood, least, True, active, scratch)
            over, least = score >= least, threshold(law, own, habit)
    if habit.count == 0:
        habit.usual = value
    elif known and own.floor == 0:
        begin(law, habit, abs(value - previous))
    elapsed = min(elapsed, law.gap)
    last = _advance(law, own, habit, value, elapsed, least, False, active, scratch)
    return max(score, last), over or last >= least


@part
def _advance(
    law: Any, own: Any, habit: Any, value: float, elapsed: float, least: float, held: bool,
    active: bool, scratch: Any,
) -> float:  # fmt: skip
    """Take in a finite value that counts for so many nominal samples; its score. held: it stood
    still meanwhile, and is clipped as one of many in a row. active: in alarm, the baseline stands
    still and the rest learns slowly."""
    noise = max(habit.noise, own.floor, QUIETEST)
    clipped = _clip(law, habit, value, (value - habit.usual) / noise, held)
    score = _average(law, habit, clipped, elapsed, least * law.windup, scratch)
    speed = elapsed * law.active if active else elapsed
    count = float(habit.count)
    if not active:
        habit.usual += clipped * noise * share_of(own, elapsed, count + 1)
    if count >= law.samples:
        learn_tail(law, habit, speed, score)
    learn_spread(law, habit, share_of(own, speed, count + law.samples), scratch)
    if noise > QUIETEST or count >= law.samples:
        share = share_of(own, speed, count + QUICK)
        habit.noise = min(noise * growth(law, scratch.sizes[0], share), LOUDEST)
    if habit.count < law.most:
        habit.count += 1
    return score


@part
def _clip(law: Any, habit: Any, value: float, deviation: float, held: bool) -> float:
    """The clipped deviation. Counts those in a row, and moves the baseline of a new tag after
    some."""
    if held:
        return _within(deviation, law.clips[-1])
    if abs(deviation) <= law.clips[0]:
        habit.run = 0
        return deviation
    side = 1 if deviation > 0 else -1
    run = int(habit.run) * side
    run = min(run + 1, _LONGEST) if 0 < run <= _LONGEST else 1
    habit.run = run * side
    if run >= _REBASE and habit.count < law.samples:
        habit.usual, habit.run = value, 0
        return 0.0
    return _within(deviation, law.clips[min(run, len(law.clips)) - 1])


@part
def _within(number: float, most: float) -> float:
    return min(max(number, -most), most)


@part
def _average(
    law: Any, habit: Any, clipped: float, elapsed: float, furthest: float, scratch: Any
) -> float:
    """Let the averages go on; the score. None but the shortest goes further out than what comes
    back in time."""
    kept = law.kept if elapsed == 1 else _kept(law, elapsed, scratch)
    score, believed = 0.0, 1.0
    for k in range(SCALES):
        average = habit.shift[k] * kept[k] + clipped * UNIT * (1 - kept[k])
        scratch.sizes[k] = abs(average)
        if k > 0:
            believed = max(believed, habit.spread[k - 1] * law.shares[k])
        score = max(score, scratch.sizes[k] * law.shares[k] / believed)
        habit.shift[k] = np.int16(np.rint(average))
    if score > furthest:
        believed = 1.0
        for k in range(1, SCALES):
            believed = max(believed, habit.spread[k - 1] * law.shares[k])
            most = min(believed * law.white[k] * furthest, _FURTHEST)
            habit.shift[k] = np.int16(_within(habit.shift[k], most))
    return score


@part
def _kept(law: Any, elapsed: float, scratch: Any) -> Any:
    """What averages keep of so many nominal samples."""
    if elapsed != scratch.elapsed:
        scratch.elapsed = elapsed
        for k in range(SCALES):
            scratch.kept[k] = exp(law.rates[k] * elapsed)
    return scratch.kept


@part
def _tell(law: Any, own: Any, habit: Any, score: float, told: Any) -> None:
    """Write down what the operator is told of a habit."""
    scale, loudest = 0, abs(habit.shift[0]) / law.white[0]
    for k in range(1, SCALES):
        loud = abs(habit.shift[k]) / habit.spread[k - 1]
        if loud > loudest:
            scale, loudest = k, loud
    told.usual, told.noise = habit.usual, max(habit.noise, own.floor, QUIETEST)
    told.shift = habit.shift[scale] / UNIT * told.noise
    told.scale = own.interval / SECOND / law.weights[scale]
    told.score, told.threshold = score, threshold(law, own, habit)

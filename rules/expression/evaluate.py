"""Running a program, in the three-valued logic of Kleene: -1 false, 0 unknown, 1 true.

Unknown never becomes false: a number that depends on an unknown one is unknown, so is a comparison
with it, and a condition is false only where it would be so whatever the unknown turned out to be.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats, Ints
from domain.instant import FAR, NEVER
from rules.expression.program import Batch, Program, Rows
from rules.expression.steps import LATCHED, Op


@dataclass(slots=True, eq=False)
class Remembered:
    """What comparisons and times remember of r rules; changed in place.

    latch: int64[r], bits of comparisons that held when they were last decided. left, since:
    int64[r, 4], by timer: when its condition was false for the last time, NEVER = never was, FAR =
    is now; and since when it has been true without being false, FAR = it has not.
    """

    latch: Ints
    left: Ints
    since: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Some rules, rising, at event times `when`; value: float64[j, m], NaN = unknown, of their
    members by number. awaited: bool[j], whether some of them were not heard yet and may still come:
    what is unknown in such a rule may be so for that alone. soonest: int64[j], set to when a timer
    will have an answer of its own."""

    program: Program
    remembered: Remembered
    rule: Rows
    when: Ints
    value: Floats
    awaited: NDArray[np.bool_]
    soonest: Ints

    def holds(self) -> Floats:
        """Whether each rule holds: float64[j], -1, 0 or 1."""
        program = self.program
        register = np.empty(len(program.rule))
        place = np.full(len(program.root), -1, np.intp)
        place[self.rule] = np.arange(len(self.rule))
        if len(self.rule) == len(program.root):
            for batch in program.batches:
                whole = slice(batch.begin, batch.end)
                self._do(batch, whole, batch.operands, place, register)
            return register[program.root]
        count = program.first[self.rule + 1] - program.first[self.rule]
        total = np.cumsum(count)
        run = np.arange(int(total[-1])) + np.repeat(program.first[self.rule] - total + count, count)
        some = np.sort(program.own[run])
        cuts = np.searchsorted(some, [batch.begin for batch in program.batches])
        for batch, begin, end in zip(program.batches, cuts, [*cuts[1:], len(some)], strict=True):
            if begin < end:
                part = some[begin:end]
                self._do(batch, part, batch.operands[part - batch.begin], place, register)
        return register[program.root[self.rule]]

    def _do(
        self, batch: Batch, some: Rows | slice, operands: Rows, place: Rows, register: Floats
    ) -> None:
        """Instructions `some` of a batch; operands: theirs. place: of each rule among ours."""
        a, b = self.program.a[some], self.program.b[some]
        if batch.op is Op.LOAD:
            register[some] = self.value[place[self.program.rule[some]], a.astype(np.intp)]
        elif batch.op is Op.CONST:
            register[some] = a
        elif batch.op is Op.OF:
            x = register[operands]
            surely, perhaps = (x > 0).sum(axis=1), (x >= 0).sum(axis=1)
            register[some] = np.where(surely >= a, 1.0, np.where(perhaps >= a, 0.0, -1.0))
        elif batch.op is Op.FOR:
            who = place[self.program.rule[some]]
            register[some] = self._lasted(who, register[operands[:, 0]], a, b.astype(np.intp))
        elif batch.op in (Op.NO_NUMBER, Op.NO_ANSWER):
            x = register[operands[:, 0]]
            blank = np.isnan(x) if batch.op is Op.NO_NUMBER else x == 0
            perhaps = self.awaited[place[self.program.rule[some]]]
            register[some] = np.where(blank, np.where(perhaps, 0.0, 1.0), -1.0)
        elif len(operands[0]) == 1:
            register[some] = _one(batch.op, register[operands[:, 0]], a, b)
        else:
            x, y = register[operands[:, 0]], register[operands[:, 1]]
            if batch.op in LATCHED:
                result = self._compared(batch.op, x, y, a, b, place[self.program.rule[some]])
            else:
                result = _two(batch.op, x, y)
            register[some] = result

    def _compared(self, op: Op, x: Floats, y: Floats, a: Floats, b: Floats, who: Rows) -> Floats:
        """What has held goes on until the number has come back by the deadband."""
        down = op in (Op.LT, Op.LE)
        strict = op in (Op.LT, Op.GT)
        held = np.zeros(len(x), np.bool_)
        latched = np.flatnonzero(b >= 0)
        row, bit = self.rule[who[latched]], np.int64(1) << b[latched].astype(np.int64)
        held[latched] = (self.remembered.latch[row] & bit) != 0
        edge = np.where(held, y + a if down else y - a, y)
        over = x < edge if down else x > edge
        over |= (x == edge) & ((not strict) | (held & (a > 0)))
        known = ~(np.isnan(x) | np.isnan(y))
        on, off = (over & known)[latched], (~over & known)[latched]
        np.bitwise_or.at(self.remembered.latch, row[on], bit[on])
        np.bitwise_and.at(self.remembered.latch, row[off], ~bit[off])
        return np.where(known, np.where(over, 1.0, -1.0), 0.0)

    def _lasted(self, who: Rows, x: Floats, a: Floats, timer: Rows) -> Floats:
        """Conditions that have held for `a` microseconds: an unknown in between breaks nothing."""
        where, now = (self.rule[who], timer), self.when[who]
        lasting = a.astype(np.int64)
        left, since = self.remembered.left[where], self.remembered.since[where]
        left = np.where(x < 0, FAR, np.where(left == FAR, now, left))
        since = np.where(x < 0, FAR, np.where((x > 0) & (since == FAR), now, since))
        self.remembered.left[where], self.remembered.since[where] = left, since
        surely = (x > 0) & (since != FAR) & (now - since >= lasting)
        perhaps = (x >= 0) & ((left == NEVER) | ((left != FAR) & (now - left >= lasting)))
        sooner = np.where((x > 0) & ~surely, since + lasting, FAR)
        later = np.where((x >= 0) & ~perhaps & ~surely, left + lasting, FAR)
        np.minimum.at(self.soonest, who, np.minimum(sooner, later))
        return np.where(surely, 1.0, np.where(perhaps, 0.0, -1.0))


def _one(op: Op, x: Floats, a: Floats, b: Floats) -> Floats:
    match op:
        case Op.SCALE:
            return a * x + b
        case Op.NEG | Op.NOT:
            return -x
    assert op is Op.ABS, op
    return np.abs(x)


def _two(op: Op, x: Floats, y: Floats) -> Floats:
    match op:
        case Op.ADD:
            return x + y
        case Op.SUB:
            return x - y
        case Op.MUL:
            return x * y
        case Op.DIV:
            return np.divide(x, y, out=np.full_like(x, np.nan), where=y != 0)
        case Op.MIN | Op.AND:
            return np.minimum(x, y)
        case Op.MAX | Op.OR:
            return np.maximum(x, y)
    assert op in (Op.EQ, Op.NE), op
    same = (x == y) == (op is Op.EQ)
    return np.where(np.isnan(x) | np.isnan(y), 0.0, np.where(same, 1.0, -1.0))

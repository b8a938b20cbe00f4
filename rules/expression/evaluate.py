"""Running a program, in the three-valued logic of Kleene: -1 false, 0 unknown, 1 true.

Unknown never becomes false: a number that depends on an unknown one is unknown, so is a comparison
with it, and a condition is false only where it would be so whatever the unknown turned out to be.

A rule is run for three readings of its tags at once. SURE knows good values only. MAYBE believes
flagged ones as well, and takes one beyond its range for infinite: by it a rule may start. KEEP
knows good values, but remembers of comparisons and times what MAYBE does. Only good values end what
is remembered. So flagged values start what they start of limits, and end nothing.

| SURE, MAYBE, KEEP                | the rule is |
|----------------------------------|-------------|
| SURE or MAYBE true               | true        |
| else SURE and KEEP false         | false       |
| else                             | unknown     |
"""

import numpy as np

from domain.frame import Floats, Ints
from domain.instant import FAR, NEVER
from rules.compiled import compiled
from rules.expression.program import Records
from rules.expression.steps import Op
from rules.joint import Record

MOST_TIMERS = 4
"""Times in a rule, with the rules that it names."""
READINGS = 3
SURE, MAYBE, KEEP = range(READINGS)
REMEMBERING = 2
"""Readings with a memory of their own."""

_LOAD, _CONST, _MODE, _SCALE = int(Op.LOAD), int(Op.CONST), int(Op.MODE), int(Op.SCALE)
_ADD, _SUB, _MUL, _DIV = int(Op.ADD), int(Op.SUB), int(Op.MUL), int(Op.DIV)
_NEG, _ABS, _MIN, _MAX = int(Op.NEG), int(Op.ABS), int(Op.MIN), int(Op.MAX)
_LT, _LE, _GT, _GE = int(Op.LT), int(Op.LE), int(Op.GT), int(Op.GE)
_EQ, _NE, _AND, _OR, _NOT = int(Op.EQ), int(Op.NE), int(Op.AND), int(Op.OR), int(Op.NOT)
_OF, _FOR = int(Op.OF), int(Op.FOR)
_NO_NUMBER, _NO_ANSWER = int(Op.NO_NUMBER), int(Op.NO_ANSWER)


REMEMBERED = [
    ("latch", np.int64, (REMEMBERING,)),
    ("left", np.int64, (REMEMBERING, MOST_TIMERS)),
    ("since", np.int64, (REMEMBERING, MOST_TIMERS)),
]
"""What comparisons and times remember of a rule, by reading with a memory. latch: bits of
comparisons that held when they were last decided. left, since: by timer, when its condition was
false for the last time, NEVER = never was, FAR = is now; and since when it has been true without
being false, FAR = it has not."""


@compiled
def run(
    code: Records, operands: Ints, mine: Record, value: Floats, when: int, awaited: bool,
    register: Floats,
) -> int:  # fmt: skip
    """Run the instructions of a rule at event time `when`; when one of its times will have an
    answer of its own.

    mine: a record with `REMEMBERED` and with the modes that hold, as bits; changed in place. value:
    float64[3, m], of its members by reading, NaN = unknown. awaited: whether some of them were not
    heard yet and may still come: what is unknown may be so for that alone. register: float64[3, k],
    filled with what each instruction yields, by reading.
    """
    soonest = FAR
    for k in range(len(code)):
        one, op = code[k], code[k]["op"]
        x, y = one["x"], one["y"]
        for r in range(READINGS):
            if op == _LOAD:
                found = value[r, one["number"]]
            elif op == _CONST:
                found = one["a"]
            elif op == _MODE:
                found = 1.0 if mine["modes"] >> one["number"] & 1 else -1.0
            elif op == _OF:
                found = _of(register[r], operands[x:y], one["a"])
            elif op == _FOR:
                holds = together(register, x) if r == MAYBE else register[r, x]
                found, sooner = _lasted(one, mine, r, holds, when)
                found = -1.0 if register[r, x] < 0 else found
                soonest = min(soonest, sooner)
            elif op in (_NO_NUMBER, _NO_ANSWER):
                found = _blank(op, register[SURE, x], awaited)
            elif _LT <= op <= _GE:
                found = _compare(one, mine, r, register[r, x], register[r, y])
            else:
                found = _numeric(op, register[r, x], register[r, y], one["a"], one["b"])
            register[r, k] = found
    return soonest


@compiled
def together(register: Floats, k: int) -> float:
    """What the readings say of a condition."""
    if register[SURE, k] > 0 or register[MAYBE, k] > 0:
        return 1.0
    return -1.0 if register[SURE, k] < 0 and register[KEEP, k] < 0 else 0.0


@compiled
def _numeric(op: int, x: float, y: float, a: float, b: float) -> float:
    """What an instruction yields that looks at one or two operands alone."""
    if op == _SCALE:
        return a * x + b
    if op in (_NEG, _NOT):
        return -x
    if op == _ABS:
        return abs(x)
    if op == _ADD:
        return x + y
    if op == _SUB:
        return x - y
    if op == _MUL:
        return x * y
    if op == _DIV:
        return np.nan if y == 0 else x / y
    if np.isnan(x) or np.isnan(y):
        return 0.0 if op in (_EQ, _NE) else np.nan
    if op in (_EQ, _NE):
        return 1.0 if (x == y) == (op == _EQ) else -1.0
    return min(x, y) if op in (_MIN, _AND) else max(x, y)


@compiled
def _of(register: Floats, operands: Ints, needed: float) -> float:
    surely, perhaps = 0, 0
    for operand in operands:
        surely += register[operand] > 0
        perhaps += register[operand] >= 0
    if surely >= needed:
        return 1.0
    return 0.0 if perhaps >= needed else -1.0


@compiled
def _blank(op: int, x: float, awaited: bool) -> float:
    """Whether a number or a condition is unknown; a flagged value makes none known."""
    if np.isnan(x) if op == _NO_NUMBER else x == 0:
        return 0.0 if awaited else 1.0
    return -1.0


@compiled
def _compare(one: Record, mine: Record, reading: int, x: float, y: float) -> float:
    """What has held goes on until a good number has come back by the deadband."""
    if np.isnan(x) or np.isnan(y):
        return 0.0
    memory = min(reading, MAYBE)
    bit = np.int64(1) << one["number"] if one["number"] >= 0 else np.int64(0)
    held = (mine["latch"][memory] & bit) != 0
    over = _beyond(one["op"], x, y, one["a"], held)
    if over:
        mine["latch"][memory] |= bit
    elif reading != MAYBE:
        mine["latch"][memory] &= ~bit
    return 1.0 if over else -1.0


@compiled
def _beyond(op: int, x: float, y: float, deadband: float, held: bool) -> bool:
    down, strict = op in (_LT, _LE), op in (_LT, _GT)
    if held:
        y = y + deadband if down else y - deadband
        strict = strict and deadband <= 0
    if x == y:
        return not strict
    return x < y if down else x > y


@compiled
def _lasted(one: Record, mine: Record, reading: int, holds: float, when: int) -> tuple[float, int]:
    """A condition that has held for `a` microseconds, and when that may next be another; an unknown
    in between breaks nothing."""
    memory, timer, lasting = min(reading, MAYBE), one["number"], int(one["a"])
    left, since = mine["left"][memory, timer], mine["since"][memory, timer]
    if holds < 0:
        left, since = FAR, FAR
    elif left == FAR:
        left = when
    if holds > 0 and since == FAR:
        since = when
    if reading < REMEMBERING:
        mine["left"][memory, timer], mine["since"][memory, timer] = left, since
    if holds < 0:
        return -1.0, FAR
    if holds > 0 and when - since >= lasting:
        return 1.0, FAR
    sooner = since + lasting if holds > 0 else FAR
    if left == NEVER or when - left >= lasting:
        return 0.0, sooner
    return -1.0, min(sooner, left + lasting)

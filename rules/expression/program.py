"""The instructions of all rules as arrays."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rules.expression.steps import Op, Steps

Rows = NDArray[np.intp]
Records = NDArray[Any]
CODE = np.dtype(
    [
        *((name, np.int64) for name in ("op", "x", "y", "number")),
        ("a", np.float64),
        ("b", np.float64),
    ]
)
"""An instruction. x, y: its operands, numbers of earlier ones of its rule, or, where there may be
more than two, begin and end of a part of the operands. number, a, b: see `Op`; b as an integer is
the number of a latch, timer, mode or member."""


class Program(NamedTuple):
    """p instructions of r rules, rule by rule, in the order in which they can run.

    code: `CODE` [p]. first: intp[r + 1], the instructions of a rule are first[rule] to
    first[rule + 1]; within it, they are numbered from 0. operands: int64[q].
    """

    code: Records
    first: Rows
    operands: NDArray[np.int64]


def program(rules: Sequence[Steps]) -> Program:
    """All rules together."""
    steps = [step for one in rules for step in one.steps]
    code, operands = np.zeros(len(steps), CODE), list[int]()
    for k, step in enumerate(steps):
        x, y = (*step.operands, 0, 0)[:2]
        if step.op is Op.OF:
            x, y = len(operands), len(operands) + len(step.operands)
            operands += step.operands
        number = step.a if step.op is Op.LOAD else step.b if step.op in _NUMBERED else 0
        code[k] = step.op, x, y, number, step.a, step.b
    count = [len(one.steps) for one in rules]
    first = np.append(0, np.cumsum(np.array(count, np.intp))).astype(np.intp)
    return Program(code, first, np.array(operands, np.int64))


_NUMBERED = (Op.LT, Op.LE, Op.GT, Op.GE, Op.FOR, Op.MODE)

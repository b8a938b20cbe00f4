"""The instructions of all rules as arrays, in the order in which they can run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frame import Floats
from rules.expression.steps import Op, Steps

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Instructions that do the same at once: numbers `begin` to `end`.

    operands: intp[k, arity], numbers of earlier instructions, for all of them.
    """

    op: Op
    begin: int
    end: int
    operands: Rows


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """p instructions of r rules, numbered batch by batch; operands come in earlier batches.

    rule: intp[p], whose it is. a, b: float64[p], see `Op`. first: intp[r + 1] and own: intp[p], the
    instructions of a rule are own[first[rule] : first[rule + 1]], rising. root: intp[r], the one
    that says whether the rule holds.
    """

    batches: tuple[Batch, ...]
    rule: Rows
    a: Floats
    b: Floats
    first: Rows
    own: Rows
    root: Rows


def program(rules: Sequence[Steps]) -> Program:
    """All rules together; a rule's instructions of one depth and sort run with everybody's."""
    flat = [(rule, n, step) for rule, one in enumerate(rules) for n, step in enumerate(one.steps)]
    depth: dict[tuple[int, int], int] = {}
    for rule, n, step in flat:
        depth[rule, n] = 1 + max((depth[rule, x] for x in step.operands), default=-1)
    flat.sort(key=lambda one: (depth[one[0], one[1]], one[2].op, len(one[2].operands)))
    number = {(rule, n): k for k, (rule, n, _) in enumerate(flat)}
    batches, begin = [], 0
    for k, (rule, n, step) in enumerate(flat):
        same = (depth[rule, n], step.op, len(step.operands))
        after = flat[k + 1] if k + 1 < len(flat) else None
        if after and same == (depth[after[0], after[1]], after[2].op, len(after[2].operands)):
            continue
        some = [[number[r, x] for x in s.operands] for r, _, s in flat[begin : k + 1]]
        operands = np.array(some, np.intp).reshape(k + 1 - begin, len(step.operands))
        batches.append(Batch(step.op, begin, k + 1, operands))
        begin = k + 1
    owner = np.array([rule for rule, _, _ in flat], np.intp)
    count = np.bincount(owner, minlength=len(rules))
    return Program(
        tuple(batches),
        owner,
        np.array([step.a for _, _, step in flat], np.float64),
        np.array([step.b for _, _, step in flat], np.float64),
        np.append(0, np.cumsum(count)).astype(np.intp),
        np.argsort(owner, kind="stable"),
        np.array([number[rule, one.root] for rule, one in enumerate(rules)], np.intp),
    )

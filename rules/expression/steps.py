"""Instructions of one rule: what is checked, on the way to arrays."""

from dataclasses import dataclass, field
from enum import IntEnum, auto

from domain.plant import Tag


class Op(IntEnum):
    """What an instruction does with its operands x, y; a and b are numbers of the instruction.

    Numbers are float64, NaN = unknown. Conditions are -1 false, 0 unknown, 1 true.
    """

    LOAD = auto()
    """the value of member a, NaN unless it is good and fresh"""
    CONST = auto()
    """a; b keeps limits apart, which may differ another time"""
    MODE = auto()
    """whether bit b of the modes is set: a comparison with the mode of a unit"""
    SCALE = auto()
    """a * x + b"""
    ADD = auto()
    SUB = auto()
    MUL = auto()
    DIV = auto()
    """unknown where y is 0"""
    NEG = auto()
    ABS = auto()
    MIN = auto()
    MAX = auto()
    LT = auto()
    """x < y; a is the deadband, and b the number of its latch, -1 for none; so the next three"""
    LE = auto()
    GT = auto()
    GE = auto()
    EQ = auto()
    NE = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    OF = auto()
    """at least a of the operands"""
    NO_NUMBER = auto()
    """whether the number x is unknown"""
    NO_ANSWER = auto()
    """whether the condition x is unknown"""
    FOR = auto()
    """x has held for a microseconds; b is the number of its timer"""


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction; operands are numbers of earlier ones."""

    op: Op
    operands: tuple[int, ...] = ()
    a: float = 0.0
    b: float = 0.0


@dataclass(slots=True)
class Steps:
    """The instructions of a rule in order, none twice, and the tags that they load. rules: the
    instruction that says whether it holds, by code of each rule that is named. levels: how many
    parts within one another are being checked. modes: which comparisons with modes hold."""

    steps: list[Step] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    timers: int = 0
    latches: int = 0
    root: int = -1
    rules: dict[str, int] = field(default_factory=dict)
    levels: int = 0
    modes: list[bool] = field(default_factory=list)
    _known: dict[Step, int] = field(default_factory=dict)

    def add(self, op: Op, *operands: int, a: float = 0.0, b: float = 0.0) -> int:
        """The number of an instruction; a repeated one is the same."""
        step = Step(op, operands, a, b)
        if step not in self._known:
            self._known[step] = len(self.steps)
            self.steps.append(step)
        return self._known[step]

    def load(self, tag: Tag) -> int:
        """The value of a tag, in its unit."""
        if tag.id not in [known.id for known in self.tags]:
            self.tags.append(tag)
        return self.add(Op.LOAD, a=[known.id for known in self.tags].index(tag.id))

    def mode(self, holds: bool) -> int:
        """A comparison with the mode of a unit, which holds now or does not."""
        self.modes.append(holds)
        return self.add(Op.MODE, b=len(self.modes) - 1)

    def lasting(self, condition: int, us: int) -> int:
        """A condition that has held for some microseconds."""
        for timer in range(self.timers):
            if (known := Step(Op.FOR, (condition,), us, timer)) in self._known:
                return self._known[known]
        self.timers += 1
        return self.add(Op.FOR, condition, a=us, b=self.timers - 1)

    def compare(self, op: Op, left: int, right: int, deadband: float | None) -> int:
        """A comparison of numbers. deadband: None for one that has none, whatever mode and limits
        are; any other has a latch, so that latches keep their numbers."""
        if deadband is None:
            return self.add(op, left, right, b=-1)
        for latch in range(self.latches):
            if (known := Step(op, (left, right), deadband, latch)) in self._known:
                return self._known[known]
        self.latches += 1
        return self.add(op, left, right, a=deadband, b=self.latches - 1)

"""Names, types and units of a rule: from its tree to instructions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from domain.explain import suggestion
from domain.modes import MODES, RUN
from domain.plant import Node, Tag, TagKind
from domain.policy import DIGITAL, LIMITS
from domain.units import known_units, states, unit
from rules.expression import numbers
from rules.expression.evaluate import MOST_TIMERS
from rules.expression.lexer import RuleFault
from rules.expression.parser import parse
from rules.expression.steps import Op, Steps
from rules.expression.tree import (
    Binary,
    Call,
    Compare,
    For,
    Name,
    Named,
    Number,
    Of,
    Tree,
    Unary,
)
from rules.expression.types import CONDITION, Condition, Quantity, State, Value, quantity_of

MOST_STEPS = 500
MOST_TAGS = 40
MOST_LATCHES = 40
MOST_MODES = 40
MOST_LEVELS = 60
"""Bounds of a rule, together with the rules that it names."""
_LIMIT = {kind.name: kind for kind in LIMITS}
_STATELESS = ("", "1", "bool", "state")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a rule may name: tags of its enterprise by name, other rules of its source by code,
    units of its source by code (with their modes, where one is in force)."""

    tags: Mapping[str, Tag]
    rules: Mapping[str, Node]
    units: Mapping[str, int]
    modes: Mapping[int, str]


def check(rule: Node, scope: Scope) -> Steps:
    """The instructions of a rule; raises `RuleFault` with everything up to its first fault."""
    steps = Steps()
    steps.root = _whole(rule, scope, steps, (rule.code,))
    return steps


def _whole(rule: Node, scope: Scope, steps: Steps, chain: tuple[str, ...]) -> int:
    """A rule with the time that it must hold, as written beside its text."""
    text = str(rule.detail.get("when", ""))
    checker = _Checker(text, scope, steps, chain)
    root = checker.condition(parse(text))
    if not steps.tags:
        raise RuleFault(text, 0, "no tag is named; a rule needs one at least")
    lasting = rule.detail.get("for_s")
    if isinstance(lasting, int | float) and lasting > 0:
        root = steps.lasting(root, round(lasting * 1_000_000))
    checker.bounded(0)
    return root


@dataclass(frozen=True, slots=True)
class _Checker:
    text: str
    scope: Scope
    steps: Steps
    chain: tuple[str, ...]

    def fault(self, at: int, what: str) -> NoReturn:
        raise RuleFault(self.text, at, what)

    def bounded(self, at: int) -> None:
        for have, most, what in (
            (len(self.steps.steps), MOST_STEPS, "steps"),
            (len(self.steps.tags), MOST_TAGS, "tags"),
            (self.steps.timers, MOST_TIMERS, "times (for)"),
            (self.steps.latches, MOST_LATCHES, "deadbands"),
            (len(self.steps.modes), MOST_MODES, "comparisons with modes"),
            (self.steps.levels, MOST_LEVELS, "levels"),
        ):
            if have > most:
                self.fault(at, f"the rule has more than {most} {what}, with the rules it names")

    def condition(self, tree: Tree) -> int:
        return self._condition(self.value(tree), tree.at)

    def _condition(self, value: Value, at: int) -> int:
        if not isinstance(value.type, Condition):
            self.fault(at, f"{value}; expected a condition, such as a comparison")
        return value.step

    def number(self, tree: Tree) -> Value:
        return self._number(self.value(tree), tree.at)

    def _number(self, value: Value, at: int) -> Value:
        if not isinstance(value.type, Quantity) or value.limit is not None:
            self.fault(at, f"{value}; expected a number")
        return value

    def value(self, tree: Tree) -> Value:
        self.steps.levels += 1
        self.bounded(tree.at)
        value = self._value(tree)
        self.steps.levels -= 1
        return value

    def _value(self, tree: Tree) -> Value:
        match tree:
            case Number():
                return self._literal(tree)
            case Name():
                return self._name(tree)
            case Named():
                return self._named(tree)
            case Unary("not"):
                return self._truth(self.steps.add(Op.NOT, self.condition(tree.operand)))
            case Unary():
                return self._numeric(tree.at, numbers.negate, self.number(tree.operand))
            case Binary():
                return self._chain(tree)
            case Compare():
                return self._compare(tree)
            case Of():
                items = [self.condition(item) for item in tree.items]
                return self._truth(self.steps.add(Op.OF, *items, a=tree.needed))
            case For():
                return self._truth(self.steps.lasting(self.condition(tree.condition), tree.lasting))
            case Call():
                return self._call(tree)

    def _chain(self, tree: Binary) -> Value:
        """a + b - c …, or a and b or c …; its left sides stand within one another."""
        links: list[Binary] = []
        first: Tree = tree
        while isinstance(first, Binary):
            links.append(first)
            first = first.left
        value, at = self.value(first), first.at
        for link in reversed(links):
            self.bounded(link.at)
            if link.sign in ("and", "or"):
                op = Op.AND if link.sign == "and" else Op.OR
                left = self._condition(value, at)
                value = self._truth(self.steps.add(op, left, self.condition(link.right)))
            else:
                pair = self._number(value, at), self.number(link.right)
                value = self._numeric(link.at, numbers.ARITHMETIC[link.sign], *pair)
            at = link.at
        return value

    def _truth(self, step: int) -> Value:
        return Value(CONDITION, step, "this")

    def _numeric(self, at: int, kernel: numbers.Kernel, *operands: Value) -> Value:
        try:
            return kernel(self.steps, *operands)
        except numbers.Misfit as error:
            self.fault(at, str(error))

    def _literal(self, tree: Number) -> Value:
        if tree.unit and unit(tree.unit) is None:
            written = {tag.unit: None for tag in self.scope.tags.values() if tag.unit}
            if tree.unit not in written:
                hint = suggestion(tree.unit, [*written, *known_units()]).split(" allowed:")[0]
                self.fault(tree.at, f"unknown unit {tree.unit!r}{hint.rstrip(';')}")
        words = f"{float(tree.value):g} {tree.unit}".rstrip()
        return Value(quantity_of(tree.unit, True), -1, words, tree.value)

    def _name(self, tree: Name) -> Value:
        if tree.name in _LIMIT:
            kind = _LIMIT[tree.name]
            return Value(Quantity("", ()), -1, f"limit {tree.name}", limit=kind)
        if tree.name in self.scope.tags:
            return self._reading(self.scope.tags[tree.name])
        return self._unknown_tag(tree.name, tree.at)

    def _unknown_tag(self, name: str, at: int) -> NoReturn:
        known = self.scope.tags
        close = suggestion(name, known).split(" allowed:")[0].rstrip(";")
        if "did you mean" not in close and any(part in known for part in name.split("-")):
            close = "; write blanks around - to subtract"
        elif "did you mean" not in close:
            close = f"; allowed: one of {len(known)} tags of the enterprise"
        self.fault(at, f"no tag {name!r} in the enterprise{close}")

    def _reading(self, tag: Tag) -> Value:
        step = self.steps.load(tag)
        words = states(tag.kind)
        if words and tag.kind in DIGITAL and tag.unit in _STATELESS:
            return Value(State(words), step, tag.name, tag=tag)
        return Value(quantity_of(tag.unit, False), step, tag.name, tag=tag)

    def _named(self, tree: Named) -> Value:
        if tree.how == "rule":
            return self._rule(tree)
        if tree.how == "mode":
            return self._mode(tree)
        if tree.name not in self.scope.tags:
            self._unknown_tag(tree.name, tree.at)
        tag = self.scope.tags[tree.name]
        value = self._reading(tag)
        if tree.how == "valve" and tag.kind is not TagKind.VALVE:
            self.fault(tree.at, f"{tag.name} is a {tag.kind}, no valve; write tag({tag.name!r})")
        if tree.how != "tag" and not isinstance(value.type, State):
            self.fault(tree.at, f"{value}, no state; write tag({tag.name!r}) and a number")
        return value

    def _rule(self, tree: Named) -> Value:
        if tree.name in self.chain:
            circle = " → ".join((*self.chain[self.chain.index(tree.name) :], tree.name))
            self.fault(tree.at, f"rules go in a circle: {circle}")
        if tree.name not in self.scope.rules:
            hint = suggestion(tree.name, self.scope.rules)
            self.fault(tree.at, f"no rule {tree.name!r} in the source{hint}")
        if tree.name in self.steps.rules:
            return self._truth(self.steps.rules[tree.name])
        other = self.scope.rules[tree.name]
        try:
            root = _whole(other, self.scope, self.steps, (*self.chain, tree.name))
        except RuleFault as error:
            why = error.what if "circle" in error.what or "more than" in error.what else "is wrong"
            self.fault(tree.at, f"rule {tree.name!r}: {why}")
        self.steps.rules[tree.name] = root
        return self._truth(root)

    def _mode(self, tree: Named) -> Value:
        if tree.name not in self.scope.units:
            hint = suggestion(tree.name, self.scope.units)
            self.fault(tree.at, f"no unit {tree.name!r} in the source{hint}")
        mode = self.scope.modes.get(self.scope.units[tree.name], RUN)
        words = State(dict.fromkeys(MODES, 0.0))
        return Value(words, -1, f'mode("{tree.name}")', mode=mode)

    def _call(self, tree: Call) -> Value:
        if tree.name == "unknown":
            if len(tree.arguments) != 1:
                self.fault(tree.at, f"unknown takes one operand, not {len(tree.arguments)}")
            value = self.value(tree.arguments[0])
            if value.step < 0:
                self.fault(tree.arguments[0].at, f"{value.words} is never unknown")
            op = Op.NO_ANSWER if isinstance(value.type, Condition) else Op.NO_NUMBER
            return self._truth(self.steps.add(op, value.step))
        if tree.name == "abs" and len(tree.arguments) != 1:
            self.fault(tree.at, f"abs takes one number, not {len(tree.arguments)}")
        operands = [self.number(argument) for argument in tree.arguments]
        return self._numeric(tree.at, numbers.FUNCTIONS[tree.name], *operands)

    def _compare(self, tree: Compare) -> Value:
        if isinstance(tree.left, Name) and tree.left.name not in self.scope.tags:
            right = self.value(tree.right)
            if isinstance(right.type, State):
                return self._state(tree, right, tree.left)
            left = self.value(tree.left)
        else:
            left = self.value(tree.left)
            if isinstance(left.type, State):
                return self._state(tree, left, tree.right)
            right = self.value(tree.right)
        for value, side in ((left, tree.left), (right, tree.right)):
            if not isinstance(value.type, Quantity):
                self.fault(side.at, f"{value}; expected a number to compare")
        left, right, own = self._limits(tree, left, right)
        return self._numeric(
            tree.at, numbers.comparison(tree.sign, self._deadband(tree), own), left, right
        )

    def _deadband(self, tree: Compare) -> Value | None:
        if tree.deadband is None:
            return None
        if tree.sign in ("==", "!="):
            self.fault(tree.deadband.at, f"{tree.sign} has no deadband; allowed: < <= > >=")
        return self._literal(tree.deadband)

    def _limits(
        self, tree: Compare, left: Value, right: Value
    ) -> tuple[Value, Value, float | None]:
        """Both sides with a limit as a number, and the deadband of that limit where it applies."""
        if left.limit is None and right.limit is None:
            return left, right, None
        tag = right.tag if left.limit is not None else left.tag
        kind = right.limit if left.limit is None else left.limit
        at = tree.right.at if left.limit is None else tree.left.at
        assert kind is not None
        if tag is None:
            self.fault(at, f"{kind.name} is a limit of the tag that it is compared with; write "
                           f"such as LT-101 > {kind.name}")  # fmt: skip
        limit, deadband = numbers.limit_of(tag, kind, tree.sign, left.limit is None)
        if limit is None:
            has = ", ".join(k.name for k in sorted(tag.limits)) or "none"
            self.fault(at, f"{tag.name} has no {kind.name}; allowed: {has}")
        words, own = f"{kind.name} of {tag.name}", 1 + int(kind) + len(LIMITS) * tag.id
        one = Value(quantity_of(tag.unit, False), -1, words, limit, own=own)
        return (left, one, deadband) if left.limit is None else (one, right, deadband)

    def _state(self, tree: Compare, value: Value, other: Tree) -> Value:
        assert isinstance(value.type, State)
        if tree.sign not in ("==", "!=") or tree.deadband is not None:
            self.fault(tree.at, f"{value}; allowed: == and != without deadband")
        op = Op.EQ if tree.sign == "==" else Op.NE
        if isinstance(other, Name) and other.name not in value.type.words:
            if other.name in self.scope.tags:
                return self._two_states(op, value, other)
            hint = suggestion(other.name, value.type.words)
            self.fault(other.at, f"{other.name!r} is no state of {value.words}{hint}")
        if not isinstance(other, Name):
            return self._two_states(op, value, other)
        if value.mode is not None:
            holds = (value.mode == other.name) == (op is Op.EQ)
            return self._truth(self.steps.mode(holds))
        word = self.steps.add(Op.CONST, a=value.type.words[other.name])
        return self._truth(self.steps.add(op, value.step, word, b=-1))

    def _two_states(self, op: Op, value: Value, other: Tree) -> Value:
        second = self.value(other)
        if second.type != value.type or value.mode is not None:
            self.fault(other.at, f"{second}; expected {value.type}")
        return self._truth(self.steps.add(op, value.step, second.step, b=-1))

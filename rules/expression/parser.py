"""From tokens to a tree. The grammar is in docs/rules-language.md; one method for each of it."""

from collections.abc import Callable
from fractions import Fraction

from domain.explain import suggestion
from rules.expression.lexer import KEYWORDS, RuleFault, Sort, Token, tokens
from rules.expression.tree import Binary, Call, Compare, For, Name, Named, Number, Of, Tree, Unary

DEEPEST = 50
"""Parentheses, functions and signs within one another."""
LONGEST_US = 86_400_000_000
"""A day: the longest `for`."""
LARGEST = Fraction(10) ** 300
COMPARISONS = ("<=", ">=", "==", "!=", "<", ">")
OF_NAMES = ("tag", "valve", "state", "rule", "mode")
FUNCTIONS = ("abs", "min", "max", "avg", "unknown")
_TIME_US = {"s": 10**6, "min": 60 * 10**6, "h": 3600 * 10**6}


def parse(text: str) -> Tree:
    """The tree of a rule; raises `RuleFault` and nothing else, whatever the text."""
    parser = _Parser(text)
    tree = parser.expression()
    parser.end()
    return tree


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._next = 0
        self._depth = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def expression(self) -> Tree:
        tree = self._any_of()
        at = self._token.at
        if self._took("for"):
            tree = For(tree, self._lasting(), at)
            if self._token.sort is Sort.NAME and self._token.text in ("and", "or"):
                word = self._token.text
                what = f"for is about all that stands before it; write (… for …) {word} …"
                raise RuleFault(self._text, self._token.at, what)
        return tree

    def end(self) -> None:
        if self._token.sort is not Sort.END:
            raise self._fault("and, or, for, a comparison or the end")

    def _any_of(self) -> Tree:
        tree = self._all_of()
        while (at := self._token.at) is not None and self._took("or"):
            tree = Binary("or", tree, self._all_of(), at)
        return tree

    def _all_of(self) -> Tree:
        tree = self._negation()
        while (at := self._token.at) is not None and self._took("and"):
            tree = Binary("and", tree, self._negation(), at)
        return tree

    def _negation(self) -> Tree:
        at = self._token.at
        if not self._took("not"):
            return self._comparison()
        self._deeper(at)
        tree = Unary("not", self._negation(), at)
        self._depth -= 1
        return tree

    def _comparison(self) -> Tree:
        left = self._sum()
        tree: Tree | None = None
        while self._token.sort is Sort.SIGN and self._token.text in COMPARISONS:
            sign, at = self._token.text, self._token.at
            self._next += 1
            right = self._sum()
            deadband = self._number("a deadband") if self._took("deadband") else None
            pair = Compare(sign, left, right, deadband, at)
            tree = pair if tree is None else Binary("and", tree, pair, at)
            left = right
        return left if tree is None else tree

    def _sum(self) -> Tree:
        return self._left_to_right(("+", "-"), self._product)

    def _product(self) -> Tree:
        return self._left_to_right(("*", "/"), self._factor)

    def _left_to_right(self, signs: tuple[str, ...], operand: Callable[[], Tree]) -> Tree:
        tree = operand()
        while self._token.sort is Sort.SIGN and self._token.text in signs:
            sign, at = self._token.text, self._token.at
            self._next += 1
            tree = Binary(sign, tree, operand(), at)
        return tree

    def _factor(self) -> Tree:
        at = self._token.at
        if not self._took("-"):
            return self._primary()
        self._deeper(at)
        tree = Unary("-", self._factor(), at)
        self._depth -= 1
        return tree

    def _primary(self) -> Tree:
        token = self._token
        if token.sort is Sort.NUMBER:
            number = self._number("a number")
            return self._count(number) if self._took("of") else number
        if self._took("("):
            self._deeper(token.at)
            tree = self.expression()
            self._expect(")")
            self._depth -= 1
            return tree
        if token.sort is not Sort.NAME or token.text in KEYWORDS:
            raise self._fault("a tag, a number or a parenthesis")
        self._next += 1
        return self._call(token) if self._took("(") else Name(token.text, token.at)

    def _call(self, name: Token) -> Tree:
        if name.text in OF_NAMES:
            text = self._token
            if text.sort is not Sort.TEXT:
                raise self._fault(f'a name in quotes, such as {name.text}("XV-101")')
            self._next += 1
            self._expect(")")
            return Named(name.text, text.text, name.at)
        if name.text == "rate":
            raise RuleFault(
                self._text,
                name.at,
                "rate is no function of the language: give the tag a rate_per_min of its own",
            )
        if name.text not in FUNCTIONS:
            known = (*OF_NAMES, *FUNCTIONS)
            raise RuleFault(
                self._text, name.at, f"no function {name.text!r}{suggestion(name.text, known)}"
            )
        return Call(name.text, self._arguments(name.at), name.at)

    def _arguments(self, at: int) -> tuple[Tree, ...]:
        """Those of a call, whose opening parenthesis is behind us, with the closing one."""
        self._deeper(at)
        found = [self.expression()]
        while self._took(","):
            found.append(self.expression())
        self._expect(")")
        self._depth -= 1
        return tuple(found)

    def _count(self, needed: Number) -> Tree:
        self._expect("(")
        items = self._arguments(needed.at)
        if needed.unit or needed.value.denominator != 1 or not 1 <= needed.value <= len(items):
            raise RuleFault(
                self._text,
                needed.at,
                f"{_shown(needed)} of {len(items)}; allowed: 1 to {len(items)}",
            )
        return Of(int(needed.value), items, needed.at)

    def _number(self, wanted: str) -> Number:
        token = self._token
        if token.sort is not Sort.NUMBER:
            raise self._fault(wanted)
        self._next += 1
        _, _, power = token.text.lower().partition("e")
        if len(power) > 4 or abs(int(power or "0")) > 300 or Fraction(token.text) > LARGEST:
            raise RuleFault(self._text, token.at, "a number beyond 1e300; allowed: a smaller one")
        unit = ""
        if self._token.sort is Sort.UNIT:
            unit = self._token.text
            self._next += 1
        return Number(Fraction(token.text), unit, token.at)

    def _lasting(self) -> int:
        number = self._number("a time such as 60 s")
        if number.unit not in _TIME_US:
            raise RuleFault(
                self._text, number.at, f"{_shown(number)} is no time; allowed: s, min or h"
            )
        lasting = round(number.value * _TIME_US[number.unit])
        if not 0 < lasting <= LONGEST_US:
            raise RuleFault(
                self._text, number.at, f"{_shown(number)}; allowed: above 0 s, up to 24 h"
            )
        return lasting

    def _took(self, text: str) -> bool:
        found = self._token.text == text and self._token.sort in (Sort.SIGN, Sort.NAME)
        self._next += found
        return found

    def _expect(self, sign: str) -> None:
        if not self._took(sign):
            raise self._fault(f'"{sign}"')

    def _deeper(self, at: int) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise RuleFault(self._text, at, f"nested too deeply; allowed: {DEEPEST} levels")

    def _fault(self, wanted: str) -> RuleFault:
        token = self._token
        found = f'"{token.text}"' if token.text else token.sort.value
        hint = ""
        if token.sort is Sort.NAME:
            close = suggestion(token.text.lower(), sorted(KEYWORDS)).split(" allowed:")[0]
            hint = close.rstrip() if "did you mean" in close else ""
        return RuleFault(self._text, token.at, f"found {found}, expected {wanted}{hint}")


def _shown(number: Number) -> str:
    return f"{float(number.value):g} {number.unit}".rstrip()

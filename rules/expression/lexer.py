"""Tokens of a rule, and faults that show where they are."""

import re
from dataclasses import dataclass
from enum import Enum

LONGEST = 2000
"""Characters of a rule."""
KEYWORDS = frozenset({"and", "or", "not", "for", "of", "deadband"})
_NAME = r"[^\W\d]\w*(?:[-.]\w+)*"
_TOKENS = re.compile(
    rf"(?P<blank>\s+)|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<name>{_NAME})"
    r"|(?P<text>\"[^\"\n]*\"|'[^'\n]*')|(?P<sign><=|>=|==|!=|[-<>+*/(),])"
)
_UNIT = re.compile(r"[ \t]*((?:[^\W\d_]|[%°℃℉])[\w%°℃℉·./]*)")


class RuleFault(ValueError):
    """Something is wrong in a rule: what, and where. line and column count from 1."""

    def __init__(self, text: str, at: int, what: str) -> None:
        before = text[:at]
        self.line = before.count("\n") + 1
        start = before.rfind("\n") + 1
        self.column = at - start + 1
        shown = text[start:].split("\n", 1)[0]
        pad = "".join("\t" if char == "\t" else " " for char in shown[: at - start])
        super().__init__(f"line {self.line}, column {self.column}: {what}\n  {shown}\n  {pad}^")
        self.what = what


class Sort(Enum):
    """What a token is."""

    NUMBER = "a number"
    UNIT = "a unit"
    NAME = "a name"
    TEXT = "a text in quotes"
    SIGN = "a sign"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Token:
    """text: without quotes. at: position of its first character in the rule."""

    sort: Sort
    text: str
    at: int


def tokens(text: str) -> list[Token]:
    """The tokens of a rule, with END as the last; raises `RuleFault`."""
    if len(text) > LONGEST:
        raise RuleFault(text, LONGEST, f"a rule of {len(text)} characters; allowed: {LONGEST}")
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None:
            raise RuleFault(text, at, _strange(text[at]))
        at = match.end()
        if match.lastgroup == "blank":
            continue
        found.append(_token(match))
        if match.lastgroup == "number":
            unit = _UNIT.match(text, at)
            if unit and unit[1] not in KEYWORDS:
                found.append(Token(Sort.UNIT, unit[1], unit.start(1)))
                at = unit.end()
    return [*found, Token(Sort.END, "", len(text))]


def _token(match: re.Match[str]) -> Token:
    sort, text = Sort[str(match.lastgroup).upper()], match[0]
    return Token(sort, text[1:-1] if sort is Sort.TEXT else text, match.start())


def _strange(char: str) -> str:
    if char in "\"'“”‘’":
        return 'a text without its end; allowed: "…" on one line'
    other = {"=": "==", "&": "and", "|": "or", "!": "not", "≥": ">=", "≤": "<=", "≠": "!="}
    other |= {"（": "(", "）": ")", "，": ",", "＞": ">", "＜": "<", "＝": "=="}
    hint = f"; did you mean {other[char]}" if char in other else ""
    return f"{char!r} has no meaning here{hint}"

"""The ladder that a warning climbs 升级阶梯: the versioned data file, or a jurisdiction's own."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from domain.alarms import Priority
from domain.cases import Level
from domain.risk import Colour

LONGEST_S = 30 * 86_400.0
"""No rung waits longer."""
EVERYONE = "*"
"""In the file: every role of it."""
MARKS = frozenset({"source", "confidence"})
MEMBERS = {
    "ladder": frozenset({"standard", "version", "valid_from", "role", "group", "receive_median"})
    | {"unacknowledged"}
    | {colour.name.lower() for colour in Colour if colour},
    "colour": frozenset({"at_once", "receive_within", "rung", "feedback", "close", "verify"})
    | MARKS,
    "rung": frozenset({"after", "roles"}) | MARKS,
    "feedback": frozenset({"within", "roles"}) | MARKS,
    "close": frozenset({"within", "again", "roles"}) | MARKS,
    "verify": frozenset({"within", "roles"}) | MARKS,
    "unacknowledged": frozenset({"roles", "priorities"}) | MARKS,
    "role": frozenset({"level", "name", "unverified"}) | MARKS,
    "number": frozenset({"value", "unit"}) | MARKS,
}
"""What may stand in each table of the file: a misspelt one would leave somebody out."""


class LadderError(ValueError):
    """The escalation file does not describe a ladder."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role and the level that its 签收 speaks for. unverified: told of red with the mark
    待核实 until somebody has verified it."""

    code: str
    name: str
    level: Level
    unverified: bool = False


@dataclass(frozen=True, slots=True)
class Rung:
    """Roles that are told after `after_s` seconds without 签收. everyone: the telephone tree, which
    asks each level anew since the last rise."""

    after_s: float
    roles: tuple[Role, ...]
    everyone: bool = False


@dataclass(frozen=True, slots=True)
class Overdue:
    """Who is told when something is not done within `within_s` seconds of a rise.

    again_s: and every so often after that, None = never.
    """

    within_s: float
    roles: tuple[Role, ...]
    again_s: float | None = None


@dataclass(frozen=True, slots=True)
class Rungs:
    """What one colour asks for: told at once, told later, and seconds within which to sign.

    feedback: the first 处置反馈; close: 销警; verify: 核实, of red alone. None: the file sets no
    such deadline.
    """

    at_once: tuple[Role, ...]
    later: tuple[Rung, ...]
    receive_within_s: float
    feedback: Overdue | None = None
    close: Overdue | None = None
    verify: Overdue | None = None


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """Whom an enterprise tells of alarms of these priorities that its console has not acknowledged
    within their `ack` 确认超时."""

    roles: tuple[Role, ...]
    priorities: frozenset[Priority]


@dataclass(frozen=True, slots=True)
class Ladder:
    """The whole ladder at one version. Blue has no rungs.

    receive_median_s: people whose median 签收 takes less sign without looking; unacknowledged: who
    hears of alarms that the console leaves. None: the file says nothing of it.
    """

    version: str
    roles: Mapping[str, Role]
    colours: Mapping[Colour, Rungs]
    receive_median_s: float | None = None
    unacknowledged: Unacknowledged | None = None

    def of(self, source: int) -> "Ladder":
        """The ladder of a source, where there is one for all (`domain.ladders`)."""
        return self

    def new_at_once(self, before: Colour, after: Colour) -> tuple[Role, ...]:
        """Whom a rise tells at once: the recipients of `after` that `before` has not."""
        known = self.colours[before].at_once if before in self.colours else ()
        return tuple(role for role in self.colours[after].at_once if role not in known)

    def tells_everyone(self, colour: Colour, after_s: float) -> bool:
        """Whether a rung of that colour and time is a telephone tree."""
        rungs = self.colours.get(colour)
        later = () if rungs is None else rungs.later
        return any(rung.everyone and rung.after_s == after_s for rung in later)


@cache
def default() -> Ladder:
    """The ladder of the data file that comes with hazwatch."""
    return read(files("domain").joinpath("data/escalation.toml").read_text("utf-8"))


def read(text: str) -> Ladder:
    """The ladder of an escalation file (TOML); raises `LadderError` where it is none."""
    try:
        data = tomllib.loads(text)
        _known("ladder", data)
        roles = {code: _role(code, entry) for code, entry in data["role"].items()}
        groups = {**data.get("group", {}), EVERYONE: list(roles)}
        colours = {
            colour: _rungs(data[colour.name.lower()], roles, groups)
            for colour in (Colour.YELLOW, Colour.ORANGE, Colour.RED)
        }
        median = data.get("receive_median")
        too_quick = None if median is None else _seconds(median)
        left = data.get("unacknowledged")
        beside = None if left is None else _unacknowledged(left, roles, groups)
        ladder = Ladder(str(data["version"]), roles, colours, too_quick, beside)
    except LadderError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise LadderError(f"escalation file: {wrong!r} is missing or malformed") from wrong
    _check(ladder)
    return ladder


def _known(table: str, entry: Mapping[str, Any]) -> None:
    strange = sorted(entry.keys() - MEMBERS[table])
    if strange:
        known = ", ".join(sorted(MEMBERS[table]))
        raise LadderError(f"escalation file: {table} has {strange[0]!r}, known: {known}")


def _role(code: str, entry: Mapping[str, Any]) -> Role:
    _known("role", entry)
    level = Level[entry["level"].upper()]
    return Role(code, entry["name"], level, bool(entry.get("unverified", False)))


def _rungs(
    entry: Mapping[str, Any], roles: Mapping[str, Role], groups: Mapping[str, list[str]]
) -> Rungs:
    _known("colour", entry)
    for rung in entry.get("rung", ()):
        _known("rung", rung)
    later = tuple(
        Rung(
            _seconds(rung["after"]),
            _members(rung["roles"], roles, groups),
            EVERYONE in rung["roles"],
        )
        for rung in entry.get("rung", ())
    )
    overdue = {
        name: _overdue(name, entry[name], roles, groups)
        for name in ("feedback", "close", "verify")
        if name in entry
    }
    at_once = _members(entry["at_once"], roles, groups)
    return Rungs(at_once, later, _seconds(entry["receive_within"]), **overdue)


def _overdue(
    name: str,
    entry: Mapping[str, Any],
    roles: Mapping[str, Role],
    groups: Mapping[str, list[str]],
) -> Overdue:
    _known(name, entry)
    again = entry.get("again")
    return Overdue(
        _seconds(entry["within"]),
        _members(entry["roles"], roles, groups),
        None if again is None else _seconds(again),
    )


def _unacknowledged(
    entry: Mapping[str, Any], roles: Mapping[str, Role], groups: Mapping[str, list[str]]
) -> Unacknowledged:
    _known("unacknowledged", entry)
    told = _members(entry["roles"], roles, groups)
    outside = [role.code for role in told if role.level is not Level.ENTERPRISE]
    if outside:
        raise LadderError(
            f"escalation file: unacknowledged tells {outside[0]}, but alarms of tags are the "
            "enterprise's: name roles of the level enterprise"
        )
    return Unacknowledged(told, frozenset(Priority(word) for word in entry["priorities"]))


def _seconds(number: Mapping[str, Any]) -> float:
    _known("number", number)
    return float(number["value"]) * {"h": 3600.0, "min": 60.0, "s": 1.0}[number["unit"]]


def _members(
    codes: Iterable[str], roles: Mapping[str, Role], groups: Mapping[str, list[str]]
) -> tuple[Role, ...]:
    named: Iterator[str] = (member for code in codes for member in groups.get(code, [code]))
    return tuple(roles[code] for code in dict.fromkeys(named))


def _check(ladder: Ladder) -> None:
    before: frozenset[Role] = frozenset()
    for colour, rungs in ladder.colours.items():
        told = frozenset(rungs.at_once)
        if not before < told:
            raise LadderError(
                f"escalation file: {colour.name.lower()} must tell at once all whom the colour "
                "below tells, and somebody more; else a rise reaches nobody"
            )
        times = [rungs.receive_within_s, *(rung.after_s for rung in rungs.later)]
        for overdue in (rungs.feedback, rungs.close, rungs.verify):
            times += [] if overdue is None else [overdue.within_s]
            times += [] if overdue is None or overdue.again_s is None else [overdue.again_s]
        if not all(0 < time <= LONGEST_S for time in times):
            raise LadderError(
                f"escalation file: {colour.name.lower()} has a time that is not above 0 and at "
                f"most {LONGEST_S / 86_400:g} days"
            )
        if rungs.verify is not None and colour is not Colour.RED:
            raise LadderError(
                f"escalation file: {colour.name.lower()}.verify, but only red is verified (核实): "
                "put it under red"
            )
        before = told

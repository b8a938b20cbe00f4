"""Set points 报警设定值 held against GB/T 50493-2019 and sanity rules: a row a comparison.

Nothing is refused here and nothing changed: an audit tells. Which gas a detector measures is what
its tag says (`gas`), else the only toxic or combustible substance of its source; where that is not
known, range and order are all that can be audited.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.audit_row import AuditRow, Severity, audit_row
from domain.gas_rules import Gas, GasRules, Given
from domain.gas_units import GasUnits, Percent
from domain.plant import Tag, TagKind
from domain.problem import path
from domain.site import Equipment, Limits, Substance, TagEntry
from domain.tag_rules import fill_problems, tag_problems

_FLOAT = 1e-9
"""Share by which a number that was not rounded may be off in binary."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the source of a tag holds."""

    substances: Sequence[Substance] = ()
    equipment: Sequence[Equipment] = ()


def audit(tag: TagEntry, around: Surroundings, rules: GasRules) -> tuple[AuditRow, ...]:
    """Everything that can be said of the set points of one tag; () where there is nothing."""
    rows = list(_sanity(tag, around, rules))
    sets = [("limits", tag.limits)]
    sets += [(f"limits_by_mode.{mode}", limits) for mode, limits in tag.limits_by_mode.items()]
    if tag.kind in (TagKind.GAS_TOXIC, TagKind.GAS_COMBUSTIBLE):
        units = GasUnits(gas_of(tag, around, rules), rules.molar_volume)
        rows += _known(tag, units, rules)
        for member, limits in sets:
            rows += _gas_levels(tag, member, limits, units, rules)
        rows += _gas_range(tag, units, rules)
    elif tag.kind is TagKind.OXYGEN:
        for member, limits in sets:
            rows += _oxygen(tag, member, limits, rules)
    return tuple(rows)


def gas_of(tag: TagEntry | Tag, around: Surroundings, rules: GasRules) -> Gas | None:
    """Which gas the detector measures; None: not known, or not in the data file."""
    if tag.gas is not None:
        return rules.gas(tag.gas)
    held = (rules.gas(one.name, one.cas) for one in around.substances)
    wanted = {
        gas.cas: gas
        for gas in held
        if gas and (gas.toxic if tag.kind is TagKind.GAS_TOXIC else gas.combustible)
    }
    return next(iter(wanted.values())) if len(wanted) == 1 else None


def _sanity(tag: TagEntry, around: Surroundings, rules: GasRules) -> Iterator[AuditRow]:
    problems = list(tag_problems(tag, ()))
    vessel = next((one for one in around.equipment if one.code == tag.equipment), None)
    if vessel is not None:
        problems += fill_problems(tag, vessel, ())
    for loc, text in problems:
        given = rules.rules["sanity"]["limits"]
        yield audit_row("sanity", path(loc), None, tag.unit, "", Severity.ERROR, text, given)


def _known(tag: TagEntry, units: GasUnits, rules: GasRules) -> Iterator[AuditRow]:
    """What must be said of the gas itself."""
    gas, given = units.gas, rules.rules["sanity"]["limits"]
    if gas is None:
        if units.percent(units.rules(tag)[0], 1.0, tag.unit) is None:
            said = f"gas {tag.gas} is not in the data file" if tag.gas else "unknown gas: say `gas`"
            text = f"{said}; audited by range and order only"
            yield audit_row("gas", "gas", None, "", "", Severity.NOTE, text, given)
        return
    toxic = tag.kind is TagKind.GAS_TOXIC
    if gas.check and toxic == gas.toxic:
        text = f"{gas.zh} {gas.name}: {gas.check}"
        yield audit_row("gas", "gas", None, "", "", Severity.NOTE, text, gas.oel or given)
    if gas.toxic and not toxic:
        text = f"{gas.zh} {gas.name} is toxic too: a toxic detector is asked for (K)"
        yield audit_row("both", "gas", None, "", "", Severity.NOTE, text, gas.oel or given)


def _gas_levels(
    tag: TagEntry, member: str, limits: Limits, units: GasUnits, rules: GasRules
) -> Iterator[AuditRow]:
    for name, level in (("H", "level_1"), ("HH", "level_2")):
        value = _number(limits, name)
        where = f"{member}.{name}"
        if value is None:
            if member == "limits":
                yield _missing(tag, where, level, rules)
            continue
        compared = [
            _compared(rule, where, tag, value, percent, rules.rules[rule][level], rules)
            for rule in units.rules(tag)
            if (percent := units.percent(rule, value, tag.unit)) is not None
        ]
        yield from _judged(compared, tag, where, value, units)


def _judged(
    compared: list[AuditRow], tag: TagEntry, where: str, value: float, units: GasUnits
) -> Iterator[AuditRow]:
    """The row that counts: of two rules for a toxic gas the second is an exception to the first."""
    if not compared:
        if units.gas is not None:
            text = f"{value:g} {tag.unit} cannot be compared: {units.lacking(tag)}"
            yield AuditRow(
                "gas", where, value, tag.unit, "", Severity.NOTE, text, "", "", units.confidence
            )
        return
    first, *exception = compared
    if first.severity is Severity.ERROR and exception and exception[0].severity is Severity.OK:
        text = f"{first.text}; {exception[0].text}, which holds only where no detector can measure"
        yield AuditRow(
            exception[0].rule, where, value, tag.unit, exception[0].allowed, Severity.WARNING,
            f"{text} the OEL", exception[0].clause, exception[0].source, exception[0].confidence,
        )  # fmt: skip
        return
    yield first


def _compared(
    rule: str,
    where: str,
    tag: TagEntry,
    value: float,
    percent: Percent,
    given: Given,
    rules: GasRules,
) -> AuditRow:
    """value against `given`; percent: it in the unit of `given`."""
    slack = rules.tolerance if percent.converted else _FLOAT
    good = percent.value <= given.value * (1 + slack)
    allowed = percent.back(given.value)
    sign = "≤" if good else ">"
    text = f"{value:g} {tag.unit} {sign} {allowed:.4g} {tag.unit} ({given.value:g} {given.unit})"
    severity = Severity.OK if good else Severity.ERROR
    return audit_row(rule, where, value, tag.unit, f"≤ {allowed:.4g}", severity, text, given)


def _gas_range(tag: TagEntry, units: GasUnits, rules: GasRules) -> Iterator[AuditRow]:
    if tag.range is None:
        given = rules.rules["toxic" if tag.kind is TagKind.GAS_TOXIC else "combustible"]["range"]
        yield audit_row(
            "range", "range", None, tag.unit, "", Severity.WARNING, "no range is set", given
        )
        return
    top = tag.range[1]
    found = []
    for rule in units.rules(tag):
        given, need = rules.rules[rule]["range"], rules.rules[rule]["level_2"]
        percent = units.percent(rule, top, tag.unit)
        if percent is None:
            continue
        slack = rules.tolerance if percent.converted else _FLOAT
        fits = need.value <= percent.value * (1 + slack) and percent.value <= given.value * (
            1 + slack
        )
        allowed = f"{percent.back(need.value):.4g} to {percent.back(given.value):.4g}"
        text = f"range up to {top:g} {tag.unit}; {given.value:g} {given.unit} is asked for"
        severity = Severity.OK if fits else Severity.NOTE
        if percent.value * (1 + slack) < need.value:
            severity = Severity.WARNING
            text += f", and it ends below level 2 ({need.value:g} {need.unit})"
        found.append(audit_row("range", "range", top, tag.unit, allowed, severity, text, given))
    if found:
        yield min(found, key=lambda row: list(Severity).index(row.severity))


def _oxygen(tag: TagEntry, member: str, limits: Limits, rules: GasRules) -> Iterator[AuditRow]:
    given = rules.rules["oxygen"]
    factor = 1e-4 if tag.unit == "ppm" else 1.0
    if tag.range is not None and tag.range[1] * factor < given["low"].value:
        text = "its range ends below that of air: an inerted process, audited by order only"
        yield audit_row(
            "oxygen", "range", tag.range[1], tag.unit, "", Severity.NOTE, text, given["low"]
        )
        return
    for name, rule, sign in (("LL", "low_low", -1), ("L", "low", -1), ("H", "high", 1)):
        value = _number(limits, name)
        where, one = f"{member}.{name}", given[rule]
        if value is None:
            if name == "L" and member == "limits":
                text = f"no alarm for a lack of oxygen; {one.value:g} {one.unit} is asked for"
                yield audit_row("oxygen", where, None, tag.unit, "", Severity.WARNING, text, one)
            continue
        good = sign * value * factor <= sign * one.value
        word = "≤" if sign > 0 else "≥"
        text = f"{value:g} {tag.unit}; allowed {word} {one.value:g} {one.unit}"
        severity = (
            Severity.OK if good else (Severity.WARNING if one.confidence == "P" else Severity.ERROR)
        )
        allowed = f"{word} {one.value / factor:g}"
        yield audit_row("oxygen", where, value, tag.unit, allowed, severity, text, one)


def _number(limits: Limits, name: str) -> float | None:
    """A limit; None where it is not set, or off in this mode."""
    value = getattr(limits, name)
    return value if isinstance(value, int | float) else None


def _missing(tag: TagEntry, where: str, level: str, rules: GasRules) -> AuditRow:
    rule = "toxic" if tag.kind is TagKind.GAS_TOXIC else "combustible"
    given = rules.rules[rule][level]
    number = "一级报警 level 1" if level == "level_1" else "二级报警 level 2"
    text = f"no {number} set point; up to {given.value:g} {given.unit} is asked for"
    return audit_row(rule, where, None, tag.unit, "", Severity.WARNING, text, given)

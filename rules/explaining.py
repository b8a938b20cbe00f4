"""Why a source has its score: rows that add up to what is shown, a tenth exact."""

from uuid import UUID

import numpy as np

from domain.instant import SECOND
from domain.risk import Floor, Part, Reason, RiskFacts, RiskResult, risk_model
from domain.risk_facts import Effect, Function
from domain.risk_model import RiskModel
from rules.recall import rising

_DIGITS = 8
"""Decimals of tenths; what is left is noise of addition."""
_MANAGED = (Effect.COMMITMENT, Effect.DUTY, Effect.HAZARD, Effect.MAJOR)
CUT = ("上限", "cap")
"""The note of what the cap of a part cut off."""
_GRADES = (("非重大危险源", "no major hazard source"), ("一级", "grade 1"), ("二级", "grade 2"),
           ("三级", "grade 3"), ("四级", "grade 4"))  # fmt: skip


def explain(
    result: RiskResult, facts: RiskFacts, source: int, model: RiskModel | None = None
) -> tuple[Reason, ...]:
    """Rows that add up to the score as it is shown, with one decimal.

    B; V; L; P by what is foretold and by rate-of-change alarm; M by input; A by alarm, the largest
    first; and one row for each cap that cut something off. Tenths are dealt out by largest
    remainder; rows without points are left out. model: of the result, None = the delivered one.
    `KeyError` for an unknown source.
    """
    row, model = result.row(source), model or risk_model()
    parts = result.parts[row]
    rows = [
        Reason(Part.B, parts[Part.B], note=_GRADES[facts.sources.grade[row]]),
        *_trend(model, result, facts, row),
        Reason(Part.V, parts[Part.V], note=_stored(result, row)),
        Reason(Part.L, parts[Part.L], note=_lost(result, row)),
        *_managed(model, result, facts, row),
        *_alarms(result, facts, row),
        Reason(None, result.score[row] - parts.sum()),
    ]
    tenths = _tenths([reason.points for reason in rows], result.score[row])
    told = (_at(reason, points) for reason, points in zip(rows, tenths, strict=True))
    return tuple(reason for reason in told if reason.points)


def _at(reason: Reason, points: float) -> Reason:
    return Reason(reason.part, points, reason.alarm, reason.tag, reason.input, reason.note)


def held_by(result: RiskResult, facts: RiskFacts, source: int) -> tuple[tuple[Floor, UUID], ...]:
    """(floor, alarm or input) of all that hold a floor; `KeyError` for an unknown source."""
    row = result.row(source)
    ours = np.flatnonzero((facts.alarms.source == row) & (result.holds != 0))
    bits = [(facts.alarms.ids[k], int(result.holds[k])) for k in ours]
    ours = np.flatnonzero((facts.inputs.source == row) & (result.input_holds != 0))
    bits += [(facts.inputs.ids[q], int(result.input_holds[q])) for q in ours]
    return tuple((floor, id) for floor in Floor for id, held in bits if held & 1 << floor)


def _trend(model: RiskModel, result: RiskResult, facts: RiskFacts, row: int) -> list[Reason]:
    """The tag whose limit is nearest, the oldest of the rate-of-change alarms, and the cap."""
    memory, tags, alarms = result.memory, facts.tags, facts.alarms
    assert memory.points is not None, "an assessment knows the points"
    here = np.flatnonzero(tags.source[np.searchsorted(tags.ids, memory.tags)] == row)
    rows = []
    if len(here):
        best = here[np.argmax(memory.points[here])]
        tag = int(memory.tags[best])
        note = _ahead(facts, int(np.searchsorted(tags.ids, tag)))
        rows.append(Reason(Part.P, float(memory.points[best]), tag=tag, note=note))
    rates = np.flatnonzero(rising(facts) & (alarms.source == row))
    if len(rates):
        oldest = rates[np.argmin(alarms.since[rates])]
        note = ("变化率", "rate of change")
        rows.append(Reason(Part.P, model.trend.rate, alarms.ids[oldest], note=note))
    return [*rows, *_cut(Part.P, rows, result.parts[row, Part.P])]


def _ahead(facts: RiskFacts, row: int) -> tuple[str, str]:
    minutes = facts.tags.ahead[row] / (60 * SECOND)
    action = facts.tags.action[row] / (60 * SECOND)
    return (
        f"最早 {minutes:.1f} 分钟到限值，处置需 {action:.1f} 分钟",
        f"limit in {minutes:.1f} min at the earliest, acting takes {action:.1f} min",
    )


def _cut(part: Part, rows: list[Reason], points: float) -> list[Reason]:
    """What the cap of a part took from its rows."""
    more = sum(reason.points for reason in rows) - points
    return [Reason(part, -more, note=CUT)] if more > 0 else []


def _stored(result: RiskResult, row: int) -> tuple[str, str]:
    over = result.memory.over[row]
    told = f"u = {result.memory.fill[row]:.3f}"
    return (f"{told}，超设计量", f"{told}, above the design") if over else (told, told)


def _lost(result: RiskResult, row: int) -> tuple[str, str]:
    if result.floors[row, Floor.LOSS]:
        return "一个区域的气体探测器全部失联", "all gas detectors of a zone"
    if result.dark[row]:
        return "全部数据中断", "no data at all"
    worst = Function(int(result.lost[row].argmax()))
    chinese, english = worst.meaning
    share = f"{result.lost[row, worst]:.0%}"
    return f"{chinese}失联 {share}", f"{english}, {share} lost"


def _managed(model: RiskModel, result: RiskResult, facts: RiskFacts, row: int) -> list[Reason]:
    inputs, each = facts.inputs, model.management.each
    here = np.flatnonzero((inputs.source == row) & np.isin(inputs.effect, _MANAGED))
    rows = [
        Reason(
            Part.M, each[inputs.effect[q]], input=inputs.ids[q],
            note=Effect(int(inputs.effect[q])).meaning,
        )
        for q in here
    ]  # fmt: skip
    return [*rows, *_cut(Part.M, rows, result.parts[row, Part.M])]


def _alarms(result: RiskResult, facts: RiskFacts, row: int) -> list[Reason]:
    found = np.flatnonzero((facts.alarms.source == row) & (result.share > 0))
    found = found[np.argsort(-result.share[found], kind="stable")]
    return [Reason(Part.A, float(result.share[k]), facts.alarms.ids[k]) for k in found]


def _tenths(points: list[float], total: float) -> list[float]:
    """Points rounded to tenths such that they add up to the rounded total."""
    exact = np.asarray(points) * 10
    whole = np.floor(np.round(exact, _DIGITS))
    missing = round(total * 10) - int(whole.sum())
    order = np.argsort(whole - exact, kind="stable")
    whole[order[:missing]] += 1
    return [float(tenth) / 10 for tenth in whole]

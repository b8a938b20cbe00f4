"""KPIs as rows of a CSV: one for each number."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

COLUMNS = ("position", "name", "section", "kpi", "value", "target", "limit", "unit", "met")
LOOP = (
    ("signed", "签收率"),
    ("signed_in_time", "及时率"),
    ("disposed", "处置率"),
    ("disposed_in_time", "及时率"),
)


def flat(positions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row for each number."""
    rows: list[dict[str, Any]] = []
    for one in positions:
        head = {"position": one["code"], "name": one["name"]}
        rows += [head | {"section": "target"} | verdict for verdict in one["targets"]]
        for section, kpi, value, unit in _numbers(one):
            rows.append(head | {"section": section, "kpi": kpi, "value": value, "unit": unit})
    return rows


def _numbers(one: Mapping[str, Any]) -> Iterator[tuple[str, str, Any, str]]:
    """(section, name, value, unit) of what has no target."""
    for name, unit in (("from", ""), ("to", ""), ("days", "d"), ("enough_data", "")):
        yield "period", name, one[name], unit
    for name in ("annunciated", "muted", "stale_at_end"):
        yield "alarms", name, one[name], "alarms"
    yield "alarms", "eemua_191", one["eemua_191"], ""
    for name in ("number", "seconds", "longest_s", "worst_upset"):
        yield "floods", name, one["floods"][name], "s" if name in ("seconds", "longest_s") else ""
    for actor in one["top"]:
        yield "top", called(actor), actor["count"], "alarms"
    for actor in one["chattering"]:
        yield "chattering", called(actor), actor["activations"], "activations"
    for actor in noisiest(one):
        for delay in ("off_delay", "on_delay"):
            for name, number in (actor["advice"][delay] or {}).items():
                unit = "s" if name == "longer_s" else "activations"
                yield "advice", f"{called(actor)} {delay} {name}", number, unit
        yield "advice", f"{called(actor)} noisy", actor["advice"]["noisy"], "activations"
    for what in ("acknowledge", "close"):
        for priority, times in one[what].items():
            for name, unit in (("number", ""), ("open", ""), ("p50_s", "s"), ("p90_s", "s")):
                yield what, f"{priority} {name}", times[name], unit
    for group, loop in loops(one["warnings"]):
        for name, _ in LOOP:
            yield "warnings", f"{group} {name}", loop[name]["share"], "1"
        for name in ("receive", "feedback", "close"):
            for quantile in ("p50_s", "p90_s"):
                yield "warnings", f"{group} {name} {quantile}", loop[name][quantile], "s"


def noisiest(one: Mapping[str, Any], most: int = 10) -> list[Mapping[str, Any]]:
    """The alarms that a delay would have calmed, each once, the noisiest first."""
    found = {
        (actor["kind"], actor["tag"], actor["node"]): actor
        for actor in (*one["chattering"], *one["top"])
        if actor["advice"] is not None
    }
    return sorted(found.values(), key=lambda actor: -actor["advice"]["noisy"])[:most]


def loops(warnings: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """(whose, numbers) of all, of each colour, and of each level."""
    return [("all", warnings["all"]), *warnings["by_colour"].items(), *warnings["by_level"].items()]


def called(actor: Mapping[str, Any]) -> str:
    """Name and kind of an alarm."""
    return " ".join(word for word in (actor["name"], actor["kind"]) if word)

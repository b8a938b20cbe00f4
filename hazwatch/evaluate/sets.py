"""The recorded and standard sets of shared/data, each through the engine as its map says."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import numpy as np

from domain.instant import micros, moment
from domain.replay_map import ReplayMap, read_map
from hazwatch.evaluate.drive import Engine, warnings_of
from hazwatch.evaluate.families import UNDETECTABLE, Run
from hazwatch.evaluate.feed import Feed, read_feed, shifted
from hazwatch.evaluate.foresight import crossings
from hazwatch.evaluate.learn import models_of
from hazwatch.evaluate.own import Progress, foreseen, judged
from hazwatch.evaluate.plant import registry_of
from hazwatch.evaluate.report import Report, add_runs
from hazwatch.evaluate.score import Event
from rules.state import RuleState

TEP_FAULT_ROW = 160
TEP_UNDETECTABLE = frozenset({3, 9, 15})
"""Faults that differ from normal running by less than its noise (Chiang, Russell & Braatz 2001)."""


class DataError(ValueError):
    """The data are not where they were looked for; the text says where, and what to do."""


def map_of(name: str) -> ReplayMap:
    """The replay map of a set, as it is delivered."""
    return read_map(files("hazwatch").joinpath(f"evaluate/maps/{name}.yaml").read_text("utf-8"))


def metec(data: Path, progress: Progress) -> Report:
    """Eight methane detectors and 17 controlled releases; a warning is that of any detector."""
    feed = read_feed(_file(data, "metec/detectors.csv"), map_of("metec"))
    with _file(data, "metec/releases.csv").open(encoding="utf-8") as lines:
        events = [
            Event(row["release"], _time(row["start"]), _time(row["end"]), "*", "release")
            for row in csv.DictReader(lines)
        ]
    report = Report("metec", notes=[_METEC])
    run, _ = judged(feed, events, report, lambda share: progress("metec", share))
    add_runs(report, [run])
    return report


_METEC = (
    "Daniels, Jia, Hammerling 2024, doi 10.1021/acs.estlett.4c00687 (MIT). Other emissions on the "
    "site are not excluded: the false alarms are an upper bound"
)


def tep(data: Path, progress: Progress) -> Report:
    """Faults of the Tennessee Eastman process, each run judged by what d00 taught."""
    plan = map_of("tep")
    normal = read_feed(_file(data, "tep/d00.dat"), plan.model_copy(update={"transposed": True}))
    models, notes = models_of(normal, int(normal.at[-1]) + 1)
    registry = registry_of(plan, moment(int(normal.at[0])), models)
    begin = int(normal.at[0])
    taught = Engine(registry, begin)
    list(taught.feed(normal, lambda share: progress("tep, normal running", share)))
    memory = taught.state.to_bytes(taught.plan)
    runs = []
    found = sorted((data / "tep").glob("d[0-9][0-9]_te.dat"))
    for n, file in enumerate(found):
        engine = Engine(registry, begin)
        engine.state = RuleState.from_bytes(engine.plan, memory)
        runs.append(_tep_run(file, engine, plan, int(normal.at[-1])))
        progress(f"tep, {file.stem}", (n + 1) / len(found))
    report = Report("tep", notes=[_TEP, *notes])
    add_runs(report, runs)
    return report


_TEP = (
    "Downs & Vogel 1993; Chiang, Russell & Braatz 2001 (University of Illinois). Learnt from d00 "
    "alone; faults 3, 9 and 15 are undetectable"
)


def _tep_run(file: Path, engine: Engine, plan: ReplayMap, before: int) -> Run:
    """A run, as if it went on where normal running ended, at `before`."""
    feed = read_feed(file, plan)
    step = timedelta(seconds=plan.time.step_s or 0)
    feed = shifted(feed, moment(before) + step - moment(int(feed.at[0])))
    fault = int(file.stem[1:3])
    events: tuple[Event, ...] = ()
    if fault:
        kind = UNDETECTABLE if fault in TEP_UNDETECTABLE else "fault"
        start, end = int(feed.at[TEP_FAULT_ROW]), int(feed.at[-1])
        events = (Event(f"fault {fault}", start, end, "plant", kind),)
    told = list(engine.feed(feed))
    warnings = warnings_of(told, engine.registry, int(feed.at[-1]))
    span = (int(feed.at[0]), int(feed.at[-1]))
    return Run(feed.plan, (span,), events, tuple(warnings))


def co2(data: Path, progress: Progress) -> Report:
    """Crossings of 1000 ppm in a room."""
    plan = map_of("co2")
    feed = joined(
        [read_feed(_file(data, f"co2/{name}.txt"), plan) for name in ("datatest", "datatraining")]
    )
    tag = next(iter(plan.tags.values()))
    limit = tag.limits.HH or 0.0
    at, value = feed.column(tag.name)
    spans = crossings(at, value, limit, limit - (tag.deadband or 0.0))
    events = [
        Event(f"{moment(start):%m-%d %H:%M}", start, end, tag.name, "crossing:HH")
        for start, end in spans
    ]
    report = Report("co2", notes=[_CO2])
    run, _ = judged(feed, events, report, lambda share: progress("co2", share))
    add_runs(report, [run], foreseen(feed, events))
    return report


_CO2 = (
    "Candanedo & Feldheim 2016 (UCI, CC BY 4.0; evaluation only). A crossing ends when the value "
    "is back by the deadband of 10 ppm; those less than 10 min apart are one"
)


def nab(data: Path, progress: Progress) -> Report:
    """Four failures of a machine."""
    feed = read_feed(_file(data, "nab/machine_temperature_system_failure.csv"), map_of("nab"))
    windows = json.loads(_file(data, "nab/windows.json").read_text("utf-8"))
    events = [
        Event(f"window {n}", _time(start), _time(end), feed.names[0], "failure")
        for n, (start, end) in enumerate(windows, 1)
    ]
    report = Report("nab", notes=[_NAB])
    run, _ = judged(feed, events, report, lambda share: progress("nab", share))
    add_runs(report, [run])
    return report


_NAB = "numenta/NAB (MIT). A window opens about a day before the failure"

SETS: dict[str, Callable[[Path, Progress], Report]] = {
    "metec": metec, "tep": tep, "co2": co2, "nab": nab
}  # fmt: skip


def joined(feeds: list[Feed]) -> Feed:
    """Several tables of one map as one, by time."""
    at = np.concatenate([feed.at for feed in feeds])
    order = np.argsort(at, kind="stable")
    values = np.concatenate([feed.values for feed in feeds])[order]
    return replace(feeds[0], at=at[order], values=values)


def _file(data: Path, name: str) -> Path:
    file = data / name
    if not file.is_file():
        raise DataError(
            f"no {name} below {data}; say where the sets are with --data DIR (their README tells "
            "where they come from)"
        )
    return file


def _time(text: str) -> int:
    when = datetime.fromisoformat(text)
    return micros(when if when.tzinfo else when.replace(tzinfo=UTC))

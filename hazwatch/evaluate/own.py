"""Any recording with a replay map and a truth file: `hazwatch evaluate csv`."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from domain.instant import SECOND, moment
from domain.replay_map import ReplayMap
from hazwatch.evaluate import families
from hazwatch.evaluate.drive import Engine, Told, warnings_of
from hazwatch.evaluate.families import Run
from hazwatch.evaluate.feed import Feed, read_feed
from hazwatch.evaluate.foresight import foreseeable
from hazwatch.evaluate.learn import has_pca, models_of, training_end
from hazwatch.evaluate.plant import registry_of
from hazwatch.evaluate.report import Report, add_runs
from hazwatch.evaluate.score import MINUTE, Event, Span, observed
from hazwatch.evaluate.truth import read_truth

GAP_INTERVALS = 20
"""After so many intervals without a row nothing was observed."""

Progress = Callable[[str, float], None]
"""Told what is being done, and the share of it that is done, 0 to 1."""


def evaluate(
    file: Path, plan: ReplayMap, truth: Path, progress: Progress, name: str | None = None
) -> Report:
    """Raises `RecordingError`, `TruthError` and `rules.plan.PlanError` for what cannot be used."""
    progress(f"reading {file.name}", 0.0)
    feed = read_feed(file, plan)
    events, notes = read_truth(truth, feed, plan)
    report = Report(name or file.stem, notes=[*feed.notes, *notes])
    run, _ = judged(feed, events, report, lambda share: progress(f"judging {file.name}", share))
    if run.events:
        add_runs(report, [run], foreseen(feed, run.events))
    else:
        report.notes.append("every event lies in the training part: nothing is left to score")
    return report


def judged(
    feed: Feed, events: Sequence[Event], report: Report, progress: Callable[[float], None]
) -> tuple[Run, list[Told]]:
    """The feed through the engine. Where a PCA group was learnt, only what comes after its training
    part is scored; nothing else learns beforehand, so that otherwise all of it is."""
    first = min((event.start for event in events), default=None)
    spans = watched(feed)
    begin, models = int(feed.at[0]), None
    if has_pca(feed):
        until = training_end(feed, first)
        models, notes = models_of(feed, until)
        report.notes += notes
        spans = tuple((max(a, until), b) for a, b in spans if b > until)
        events = [event for event in events if event.start >= until]
        report.notes.append(f"learnt from {int((feed.at < until).sum())} rows before the rest")
    registry = registry_of(feed.plan, moment(begin), models)
    told = list(Engine(registry, begin).feed(feed, progress))
    warnings = warnings_of(told, registry, int(feed.at[-1]))
    return Run(feed.plan, spans, tuple(events), tuple(warnings)), told


def watched(feed: Feed) -> tuple[Span, ...]:
    """Spans in which rows came regularly."""
    steps = np.diff(feed.at)
    usual = float(np.median(steps)) if len(steps) else 0.0
    longest = max(round(GAP_INTERVALS * usual), 10 * MINUTE, SECOND)
    return observed(feed.at, longest)


def foreseen(feed: Feed, events: Sequence[Event]) -> dict[str, bool]:
    """By name of each crossing, whether it could be foreseen."""
    entries = {tag.name: tag for tag in feed.plan.tags.values()}
    out = {}
    for event in events:
        if families.family_of(event) == "crossing" and event.tag in entries:
            limit = families.limit_of(event)
            bound = getattr(entries[event.tag].limits, limit)
            if bound is not None:
                falling = limit in ("L", "LL")
                out[event.name] = foreseeable(feed, event, bound, falling=falling)
    return out

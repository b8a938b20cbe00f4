"""PCA models of a feed's groups, learnt from its training part only."""

import numpy as np

from domain.frame import Floats
from domain.instant import SECOND, micros, moment, rfc3339
from domain.pca import PcaModel
from domain.policy import silence_after
from hazwatch.evaluate.feed import Feed
from rules.pca_fit import FitError, fit

CALM_SHARE = 0.5
"""Where the map says nothing of training, so much of the time before the first event is learnt."""

LATER = "let `train.until` be later"


def models_of(feed: Feed, until: int) -> tuple[dict[str, PcaModel], list[str]]:
    """By code of group, from the rows before `until`; and why a group has none."""
    models: dict[str, PcaModel] = {}
    notes: list[str] = []
    past = feed.before(until)
    for code, group in feed.plan.groups.items():
        if group.kind != "pca":
            continue
        try:
            models[code] = _model(past, group.members)
        except FitError as error:
            notes.append(f"group {code!r} is not judged: {error} ({LATER})")
        else:
            lost = [name for name in group.members if name not in models[code].tags]
            if lost:
                notes.append(f"group {code!r}: left out, they stand still: {', '.join(lost)}")
    return models, notes


def has_pca(feed: Feed) -> bool:
    """Whether any group is to be learnt."""
    return any(group.kind == "pca" for group in feed.plan.groups.values())


def training_end(feed: Feed, first_event: int | None) -> int:
    """Until when may be learnt: what the map says, else half of the time before the first event."""
    if feed.plan.train is not None:
        until = feed.plan.train.until
        return micros(until if until.tzinfo else until.replace(tzinfo=moment(0).tzinfo))
    end = int(feed.at[-1]) if first_event is None else first_event
    return int(feed.at[0]) + round(CALM_SHARE * (end - int(feed.at[0])))


def _model(feed: Feed, members: tuple[str, ...]) -> PcaModel:
    if len(feed.at) < 2:
        raise FitError("the training part holds no rows")
    entries = {tag.name: tag for tag in feed.plan.tags.values()}
    interval_s = float(np.median([entries[name].interval_s for name in members]))
    span = f"{rfc3339(moment(int(feed.at[0])))} to {rfc3339(moment(int(feed.at[-1])))}"
    return fit(members, scans(feed, members, interval_s), interval_s, span)


def scans(feed: Feed, members: tuple[str, ...], interval_s: float) -> Floats:
    """Last values of each scan, held over scans without one while they are not too old:
    float64[n, p], only scans in which anything was read."""
    step = max(round(interval_s * SECOND), 1)
    number = feed.at // step
    last = np.flatnonzero(np.append(np.diff(number) != 0, True))
    entries = {tag.name: tag for tag in feed.plan.tags.values()}
    out = np.full((len(last), len(members)), np.nan)
    for n, name in enumerate(members):
        value = feed.values[:, feed.names.index(name)]
        there = np.where(~np.isnan(value), np.arange(len(value)), -1)
        newest = np.maximum.accumulate(there)[last]
        entry = entries[name].tag(1, 1, 1, 1, moment(0))
        fresh = feed.at[last] - feed.at[np.maximum(newest, 0)] <= silence_after(entry) * SECOND
        out[:, n] = np.where((newest >= 0) & fresh, value[np.maximum(newest, 0)], np.nan)
    return out

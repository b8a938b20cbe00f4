"""What is kept of the PCA model of a group, and what is told of the group as it runs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from domain.pca import PcaModel, PcaModelError
from domain.plant import Node, Registry


@dataclass(frozen=True, slots=True)
class PcaLearnt:
    """A model that was learnt from stored samples of [since, until).

    node: of the group. members: of the group then; tags: their ids, in the same order. scans: whole
    ones, learnt from; independent: how many independent ones they are worth. explained: share of
    the variance of each component kept. alarmed: share of the scans that would have been in alarm.
    alarms: of members and group in that time, learnt all the same.
    """

    node: int
    enterprise: int
    since: datetime
    until: datetime
    at: datetime
    by: str
    members: tuple[str, ...]
    tags: tuple[int, ...]
    scans: int
    independent: float
    explained: tuple[float, ...]
    alarmed: float
    alarms: int
    model: PcaModel


@dataclass(frozen=True, slots=True)
class PcaActive:
    """The model that people put in force for a group. text: its document as JSON, byte for byte."""

    node: int
    version: int
    members: tuple[str, ...]
    tags: tuple[int, ...]
    digest: str
    text: str


class PcaSight(StrEnum):
    """Whether anything can be said of a group. Only WATCHED may be taken for normal."""

    NO_MODEL = "no_model"
    REFUSED = "refused"
    """Its model does not fit the group, or cannot be read: nothing is watched."""
    UNKNOWN = "unknown"
    """No scan yet, or too many members are missing."""
    WATCHED = "watched"


@dataclass(frozen=True, slots=True)
class PcaShare:
    """What a member adds to the statistics of the newest scan: shares of 1; 0: missing."""

    tag: int
    of_t2: float
    of_spe: float


@dataclass(frozen=True, slots=True)
class PcaNow:
    """A group as it runs. version: of its model, None = none. scan: event time at which the newest
    judged scan ended. t2, spe: moving means in limits, 1 raises; NaN: not known. active: onset of
    the alarm, None = none. why: in words, where nothing is watched."""

    node: int
    enterprise: int
    at: datetime
    sight: PcaSight
    version: int | None = None
    scan: datetime | None = None
    t2: float = float("nan")
    spe: float = float("nan")
    missing: int = 0
    active: datetime | None = None
    shares: tuple[PcaShare, ...] = ()
    why: str = ""


def document_text(model: PcaModel) -> str:
    """The model as it is kept."""
    return json.dumps(model.document(), ensure_ascii=False, allow_nan=False)


def digest(text: str) -> str:
    """SHA-256 of a model as it is kept, in hexadecimal."""
    return sha256(text.encode()).hexdigest()


def document_for(group: Node, registry: Registry, active: PcaActive) -> Mapping[str, Any]:
    """The document of a model that fits the group as it is registered now; `PcaModelError` says
    what does not, and what to do."""
    if digest(active.text) != active.digest:
        raise PcaModelError("is not as it was written (its digest differs); learn a new one")
    named = {(tag.enterprise, tag.name): tag.id for tag in registry.tags.values()}
    members = _members(group)
    if set(members) != set(active.members):
        raise PcaModelError(f"{_difference(active.members, members)}; learn a new one")
    for name, id in zip(active.members, active.tags, strict=True):
        now = named.get((group.enterprise or 0, name))
        if now is None:
            raise PcaModelError(f"tag {name!r} is not registered or cannot be watched")
        if now != id:
            raise PcaModelError(f"tag {name!r} was renewed (kind or unit); learn a new one")
    document: dict[str, Any] = json.loads(active.text)
    PcaModel.of(document)
    return document


def _members(group: Node) -> list[str]:
    said = group.detail.get("members")
    return [str(name) for name in said] if isinstance(said, list | tuple) else []


def _difference(before: tuple[str, ...], now: list[str]) -> str:
    came, left = sorted(set(now) - set(before)), sorted(set(before) - set(now))
    parts = [f"{', '.join(came)} came to the group"] if came else []
    parts += [f"{', '.join(left)} left it"] if left else []
    return " and ".join(parts) + " since it was learnt"


STALE = timedelta(minutes=3)
"""The worker speaks of every group each minute; after so long nobody watches any more."""


def sight_of(
    told: Mapping[str, Any] | None, at: datetime | None, active: int | None, now: datetime
) -> tuple[PcaSight, str]:
    """How well a group is seen at `now`, and why not better. told: the members of `PcaNow` as they
    were kept at `at`, None = never. active: version in force."""
    if told is None or at is None:
        return (PcaSight.UNKNOWN if active else PcaSight.NO_MODEL), ""
    if now - at > STALE:
        return PcaSight.UNKNOWN, "the worker has said nothing for more than 3 min"
    if told["version"] != active:
        return PcaSight.UNKNOWN, "the worker has not taken in the decision yet"
    return PcaSight(told["sight"]), str(told["why"])

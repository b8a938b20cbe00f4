"""Small makers of domain objects: a test names what matters to it, the rest has a plain value."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from domain.alarms import Kind, Priority
from domain.frame import Frame
from domain.instant import micros
from domain.plant import Gateway, Node, Registry, Tag, TagKind

START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
"""When tests begin, unless they say otherwise."""
PARK, ENTERPRISE, SOURCE = 1, 2, 3
"""Node ids of `registry`."""


def at(seconds: float) -> datetime:
    """An instant that many seconds after `START`, exact to the microsecond."""
    return START + timedelta(seconds=seconds)


def frame(
    *samples: tuple[float, int, float],
    received: float | None = None,
    quality: int | Sequence[int] = 192,
    flags: int | Sequence[int] = 0,
) -> Frame:
    """A frame of (seconds after `START`, tag id, value), in the order given.

    received: seconds after `START`, by default the newest sample's time. quality, flags: one for
    all or one for each sample.
    """
    times = [micros(at(seconds)) for seconds, _, _ in samples]
    stamp = micros(at(received)) if received is not None else max(times, default=micros(START))
    return Frame.of(
        np.array([tag_id for _, tag_id, _ in samples], np.int32),
        np.array(times, np.int64),
        np.array([value for _, _, value in samples], np.float64),
        received=stamp,
        quality=np.asarray(quality, np.int16),
        flags=np.asarray(flags, np.int16),
    )


def tag(
    id: int = 1,
    name: str | None = None,
    *,
    kind: TagKind = TagKind.LEVEL,
    unit: str = "m",
    version: int = 1,
    enterprise: int = ENTERPRISE,
    source: int = SOURCE,
    since: datetime = START - timedelta(days=1),
    range: tuple[float, float] | None = (0.0, 10.0),
    limits: Mapping[Kind, float] | None = None,
    deadband: float | None = None,
    delay_on_s: float | None = 0.0,
    delay_off_s: float | None = 0.0,
    rate_per_min: float | None = None,
    rate_window_s: float | None = None,
    interval_s: float = 30.0,
    max_silence_s: float | None = None,
    normal: tuple[float, float] | None = None,
    safety_critical: bool = False,
    priorities: Mapping[Kind, Priority] | None = None,
    equipment: str | None = None,
    gas: str | None = None,
    sentinels: tuple[float, ...] | None = None,
) -> Tag:
    """A level of 0 to 10 m without limits; delays are 0 s where the test does not name them."""
    return Tag(
        id=id,
        version=version,
        enterprise=enterprise,
        source=source,
        name=name or f"LI{id:03d}",
        kind=kind,
        unit=unit,
        since=since,
        range=range,
        limits=limits or {},
        deadband=deadband,
        delay_on_s=delay_on_s,
        delay_off_s=delay_off_s,
        rate_per_min=rate_per_min,
        rate_window_s=rate_window_s,
        interval_s=interval_s,
        max_silence_s=max_silence_s,
        normal=normal,
        safety_critical=safety_critical,
        priorities=priorities or {},
        equipment=equipment,
        gas=gas,
        sentinels=sentinels,
    )


def registry(
    *tags: Tag, nodes: Iterable[Node] = (), gateways: Iterable[Gateway] = (), version: int = 1
) -> Registry:
    """One park P1 with one enterprise E1, one source S1, one gateway G1 (id 1), and these tags.

    nodes and gateways come on top of those.
    """
    tree = (
        Node(PARK, None, "park", "P1", "Park 1"),
        Node(ENTERPRISE, PARK, "enterprise", "E1", "Enterprise 1", enterprise=ENTERPRISE),
        Node(SOURCE, ENTERPRISE, "source", "S1", "Tank farm 1", enterprise=ENTERPRISE),
        *nodes,
    )
    senders = (Gateway(1, ENTERPRISE, "P1", "E1", "G1"), *gateways)
    return Registry(version, {node.id: node for node in tree}, senders, {t.id: t for t in tags})

"""From transitions to `NoiseBook`: what a transition is to those who look for noise. Pure."""

from collections.abc import Iterable

from alerts.alarm_rows import tag_of
from alerts.annunciation import Annunciation
from alerts.layout import Layout, family
from alerts.noise_book import NoiseBook
from domain.alarms import ACTIVE, Alarm, State, Transition
from domain.plant import Registry
from domain.risk_facts import Family

OWN = 1 << 20
"""Cause groups of what has no tag: beyond all rows of tags."""


def feed(
    book: NoiseBook, registry: Registry, layout: Layout, changes: Iterable[Transition]
) -> None:
    """Tell the book of transitions, in order; scan order is the order given."""
    for order, change in enumerate(changes):
        alarm = change.alarm
        if change.target is State.NORM:
            book.closed(alarm.id, change.at)
        elif change.source not in ACTIVE and change.target in ACTIVE:
            heard = annunciation(registry, layout, change, order)
            book.raised(heard, muted=alarm.is_silent)
        elif change.source in ACTIVE and change.target not in ACTIVE:
            book.returned(alarm.id, change.at)


def annunciation(
    registry: Registry, layout: Layout, change: Transition, order: int = 0
) -> Annunciation:
    """What a desk heard. The cause is the tag's cause group, of an alarm of a node the node."""
    alarm = change.alarm
    row = None if alarm.tag is None else layout.tag_row.get(alarm.tag)
    group = layout.groups.get(alarm.node)
    by_node = Family.PROCESS if group is None else group.family
    return Annunciation(
        alarm.id,
        alarm.kind,
        alarm.tag,
        alarm.node,
        alarm.enterprise,
        OWN + alarm.node if row is None else int(layout.tag_table.cause[row]),
        alarm.priority,
        by_node if alarm.tag is None else family(tag_of(layout, alarm)),
        change.at,
        alarm.onset_last or alarm.onset,
        order,
        _clock(registry, alarm),
        _path(registry, alarm.node),
    )


def _clock(registry: Registry, alarm: Alarm) -> int | None:
    """The gateway whose clock stamped it. Where an enterprise has several, nobody knows here: then
    each tag has a clock of its own, and the order is uncertain rather than wrong."""
    if alarm.tag is None:
        return None
    own = [gateway.id for gateway in registry.gateways if gateway.enterprise == alarm.enterprise]
    return own[0] if len(own) == 1 else -1 - alarm.tag


def _path(registry: Registry, node: int) -> tuple[int, ...]:
    path: list[int] = []
    at: int | None = node
    while at is not None and at in registry.nodes and at not in path:
        path.append(at)
        at = registry.nodes[at].parent
    return tuple(path)

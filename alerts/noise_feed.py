"""From transitions to `NoiseBook`: what a transition is to those who look for noise. Pure."""

from collections.abc import Callable, Iterable

import numpy as np

from alerts.alarm_rows import tag_of
from alerts.annunciation import GATEWAYS, Annunciation
from alerts.layout import Layout, family
from alerts.noise_book import NoiseBook
from domain.alarms import ACTIVE, Alarm, Kind, State, Transition
from domain.plant import Registry
from domain.risk_facts import Family

HEARD_AGAIN = frozenset({"upgrade", "unshelve", "unsuppress", "return_to_service"})

ClockOf = Callable[[int], int | None]
"""The gateway that sends a tag, by tag id; below 0: several do; None: none is known."""


def nobody(_tag: int) -> None:
    """A `ClockOf` that knows nothing."""


def feed(
    book: NoiseBook,
    registry: Registry,
    layout: Layout,
    changes: Iterable[Transition],
    gateway_of: ClockOf = nobody,
) -> None:
    """Tell the book of transitions, in order; scan order is the order given."""
    for order, change in enumerate(changes):
        alarm = change.alarm
        book.flagged(alarm)
        if change.target is State.NORM:
            book.closed(alarm.id, change.at)
        elif change.source not in ACTIVE and change.target in ACTIVE:
            heard = annunciation(registry, layout, change, order, gateway_of)
            book.raised(heard, muted=alarm.is_silent or change.target is not State.UNACK)
        elif change.source in ACTIVE and change.target not in ACTIVE:
            book.returned(alarm.id, change.at)
        elif _sounds_again(change):
            book.sounded(annunciation(registry, layout, change, order, gateway_of))


def annunciation(
    registry: Registry,
    layout: Layout,
    change: Transition,
    order: int = 0,
    gateway_of: ClockOf = nobody,
) -> Annunciation:
    """What a desk heard. The cause of OFFLINE is the gateway, where it is known; of all else the
    unit: the equipment, or the hazard source where none is named (domain.md 5.4, first-out)."""
    alarm = change.alarm
    if alarm.kind is Kind.SOURCE_OFFLINE:
        clock = _only_gateway(layout, alarm.node, gateway_of)
    else:
        clock = _clock(registry, alarm, gateway_of)
    group = layout.groups.get(alarm.node)
    by_node = Family.PROCESS if group is None else group.family
    return Annunciation(
        alarm.id,
        alarm.kind,
        alarm.tag,
        alarm.node,
        alarm.enterprise,
        _cause(registry, layout, alarm, clock),
        alarm.priority,
        by_node if alarm.tag is None else family(tag_of(layout, alarm)),
        change.at,
        alarm.onset_last or alarm.onset,
        order,
        clock,
        _path(registry, alarm.node),
        _held_back(layout, alarm.node) if alarm.kind is Kind.SOURCE_OFFLINE else 0,
    )


def _held_back(layout: Layout, source: int) -> int:
    """Tags of a source that would be OFFLINE; not gas and fire, which are told by themselves."""
    row, tags = layout.source_row.get(source), layout.tag_table
    if row is None:
        return 0
    return int(np.count_nonzero((tags.source == row) & (tags.family == Family.PROCESS)))


def _sounds_again(change: Transition) -> bool:
    """As `storage.kpi_journal` counts it: re-alarmed, or no longer silenced."""
    again = change.source is not State.UNACK or change.event in HEARD_AGAIN
    return change.target is State.UNACK and again and not change.alarm.is_silent


def _cause(registry: Registry, layout: Layout, alarm: Alarm, clock: int | None) -> int:
    if alarm.kind is Kind.OFFLINE and clock is not None and clock >= 0:
        return GATEWAYS + clock
    if alarm.tag is not None and alarm.tag in layout.vessel:
        return layout.vessel[alarm.tag][0]
    node = registry.nodes.get(alarm.node)
    if node is not None and node.kind == "equipment":
        return node.id
    return layout.home.get(alarm.node, alarm.node)


def _clock(registry: Registry, alarm: Alarm, gateway_of: ClockOf) -> int | None:
    """The gateway whose clock stamped it. Where that is not known and an enterprise has several,
    each tag has a clock of its own, and the order is uncertain rather than wrong."""
    if alarm.tag is None:
        return None
    known = gateway_of(alarm.tag)
    if known is not None:
        return known
    own = [gateway.id for gateway in registry.gateways if gateway.enterprise == alarm.enterprise]
    return own[0] if len(own) == 1 else -1 - alarm.tag


def _only_gateway(layout: Layout, source: int, gateway_of: ClockOf) -> int | None:
    """The gateway that sends every tag of a source that anybody has sent; None: there is none."""
    row, tags = layout.source_row.get(source), layout.tag_table
    if row is None:
        return None
    found: int | None = None
    for tag in tags.ids[tags.source == row].tolist():
        sender = gateway_of(tag)
        if sender is not None and (sender < 0 or found not in (None, sender)):
            return None
        found = found if sender is None else sender
    return found


def _path(registry: Registry, node: int) -> tuple[int, ...]:
    path: list[int] = []
    at: int | None = node
    while at is not None and at in registry.nodes and at not in path:
        path.append(at)
        at = registry.nodes[at].parent
    return tuple(path)

"""A works whose cooling water comes from one pump (domain research 7.2, S5): what is read there.

Six units hang on the header. Each has a coolant flow, a reactor and a jacket temperature and a
column pressure. The pump trips; flows decay, jackets and reactors warm, columns rise.
"""

from collections.abc import Mapping
from math import exp

from domain.alarms import Kind
from domain.plant import Gateway, Node, Registry, Tag, TagKind
from tests.support.builders import ENTERPRISE, PARK, SOURCE, registry, tag

UNITS = 6
NEIGHBOUR, ITS_SOURCE = 40, 41
PUMP, HEADER, NEXT_DOOR = 1, 2, 3
FLOW_TAU_S = 15.0
JACKET_TAU_S = 300.0
SPAN = {
    TagKind.FLOW: (0.0, 80.0),
    TagKind.TEMPERATURE: (0.0, 100.0),
    TagKind.PRESSURE: (0.0, 500.0),
    TagKind.LEVEL: (0.0, 100.0),
    TagKind.UTILITY: (0.0, 1.0),
}
REACTOR_K_PER_MIN = 1.2
COLUMN_KPA_PER_MIN = 6.0


def plant() -> Registry:
    """Source S1 is the cooling water itself, R1 to R6 are the units; E2 is another enterprise."""
    nodes = [
        Node(10 + n, ENTERPRISE, "source", f"R{n}", f"Reactor {n}", enterprise=ENTERPRISE)
        for n in range(1, UNITS + 1)
    ]
    nodes.append(Node(NEIGHBOUR, PARK, "enterprise", "E2", "Enterprise 2", enterprise=NEIGHBOUR))
    nodes.append(Node(ITS_SOURCE, NEIGHBOUR, "source", "N1", "Tank", enterprise=NEIGHBOUR))
    return registry(
        _tag(PUMP, "CWP-1", TagKind.UTILITY, "", SOURCE, {Kind.LL: 0.5}),
        _tag(HEADER, "PI-CW", TagKind.PRESSURE, "kPa", SOURCE, {Kind.L: 350, Kind.LL: 250}),
        _tag(NEXT_DOOR, "LI-N", TagKind.LEVEL, "%", ITS_SOURCE, {Kind.H: 80.0}),
        *(each for n in range(1, UNITS + 1) for each in _unit(n)),
        nodes=nodes,
        gateways=[Gateway(2, NEIGHBOUR, "P1", "E2", "G2")],
    )


def _unit(n: int) -> list[Tag]:
    """Their set points differ a little, so that one unit comes after the other."""
    first, source = 10 * n, 10 + n
    return [
        _tag(first, f"FI-{n}", TagKind.FLOW, "m3/h", source, {Kind.L: 30.0 - n, Kind.LL: 15.0}),
        _tag(first + 1, f"TI-J{n}", TagKind.TEMPERATURE, "°C", source, {Kind.H: 29.0 + n}),
        _tag(first + 2, f"TI-R{n}", TagKind.TEMPERATURE, "°C", source, {Kind.H: 63.0 + n / 2}),
        _tag(first + 3, f"PI-C{n}", TagKind.PRESSURE, "kPa", source, {Kind.H: 120.0 + 2 * n}),
    ]


def _tag(
    id: int,
    name: str,
    kind: TagKind,
    unit: str,
    source: int,
    limits: Mapping[Kind, float],
) -> Tag:
    return tag(
        id,
        name,
        kind=kind,
        unit=unit,
        range=SPAN[kind],
        limits=limits,
        source=source,
        enterprise=NEIGHBOUR if source == ITS_SOURCE else ENTERPRISE,
        delay_on_s=None,
        delay_off_s=None,
        interval_s=5.0,
    )


def values(lost_s: float | None, back_s: float | None = None) -> dict[str, float]:
    """What the works reads. lost_s: seconds since the pump tripped, None before; back_s: since it
    runs again, None before: then all is at once as it was, but for what is hot."""
    lost = 0.0 if lost_s is None else lost_s
    stopped = lost_s is not None and back_s is None
    share = exp(-lost / FLOW_TAU_S) if stopped else 1.0
    hot = lost if back_s is None else max(0.0, lost - back_s) * exp(-back_s / 120.0)
    read = {"CWP-1": 0.0 if stopped else 1.0, "PI-CW": 100.0 + 300.0 * share}
    for n in range(1, UNITS + 1):
        read |= {
            f"FI-{n}": 40.0 * share,
            f"TI-J{n}": 25.0 + 35.0 * (1.0 - exp(-hot / JACKET_TAU_S)),
            f"TI-R{n}": 60.0 + REACTOR_K_PER_MIN * hot / 60.0,
            f"PI-C{n}": 110.0 + COLUMN_KPA_PER_MIN * hot / 60.0,
        }
    return read

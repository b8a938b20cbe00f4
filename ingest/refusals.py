"""What the registry says of a message's values: of no tag of ours, in another unit, no value."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from domain.frame import CODE_SHIFT, Floats, Ints
from domain.instant import moment, rfc3339
from domain.wire_units import Conversion, converted
from ingest.message import Message, RejectedValue
from ingest.placing import Rows
from ingest.rejection import Rejection, shown
from ingest.sender import Layout
from ingest.spans import Spans

Way = Callable[[int, str], Conversion | Rejection | None]
"""How a value of this tag id that came in this unit is stored; None: as it came."""
TOO_LARGE = "is larger than a number can be in the registered unit"


@dataclass(frozen=True, slots=True, eq=False)
class Border:
    """What happens to the values of a message on their way in.

    keep: bool[m], which places of the layout are kept; None: all. refused: what is said of the
    others. places: intp[k] among those kept, of values that came in another unit; value,
    quality, flags: [k], what they become.
    """

    keep: NDArray[np.bool_] | None = None
    refused: list[RejectedValue] = field(default_factory=list)
    places: NDArray[np.intp] | None = None
    value: Floats = field(default_factory=lambda: np.empty(0))
    quality: NDArray[np.int16] = field(default_factory=lambda: np.empty(0, np.int16))
    flags: NDArray[np.int16] = field(default_factory=lambda: np.empty(0, np.int16))

    def passed(self, rows: Rows) -> Rows:
        """The rows that were kept, in the registered units."""
        if self.places is None:
            return rows
        value, quality, flags = rows.value.copy(), rows.quality.copy(), rows.flags.copy()
        value[self.places], quality[self.places] = self.value, self.quality
        flags[self.places] |= self.flags
        return replace(rows, value=value, quality=quality, flags=flags)


def border(message: Message, layout: Layout, way: Way, spans: Spans) -> Border:
    """Hold the values of a message against the registry."""
    refused = [_unknown_tag(message, row) for row in layout.unknown]
    if not message.units:
        return Border(refused=refused)
    keep = np.ones(len(layout.ids), np.bool_)
    places, rows, ways = _ways(message, layout, way, keep, refused)
    if not ways:
        return Border(keep, refused)
    tag, came = layout.ids[places], message.value[rows]
    up, add, down, code = np.array([(one.up, one.add, one.down, one.code) for one in ways]).T
    value, quality = converted(came, up, add, down), message.quality[rows]
    flags = code.astype(np.int16) << CODE_SHIFT
    value, quality, flags = spans.came(tag, came, value, quality, flags)
    for n in np.flatnonzero(np.isinf(value)):
        keep[places[n]] = False
        refused.append(_too_large(message, int(rows[n])))
    stays = ~np.isinf(value)
    index: Ints = np.cumsum(keep) - 1
    return Border(keep, refused, index[places[stays]], value[stays], quality[stays], flags[stays])


def _ways(
    message: Message,
    layout: Layout,
    way: Way,
    keep: NDArray[np.bool_],
    refused: list[RejectedValue],
) -> tuple[NDArray[np.intp], NDArray[np.intp], list[Conversion]]:
    """(place, row, way) of each value that is to be converted; marks and adds those refused.

    No value at all has no unit either: it is not refused.
    """
    place_of = (
        None if layout.rows is None else {row: n for n, row in enumerate(layout.rows.tolist())}
    )
    ids = layout.ids.tolist()
    found: list[tuple[int, int, Conversion]] = []
    for row, unit in message.units.items():
        place = row if place_of is None else place_of.get(row)
        if place is None:
            continue
        how = way(ids[place], unit)
        if how is None:
            continue
        if isinstance(how, Conversion):
            found.append((place, row, how))
        elif not np.isnan(message.value[row]):
            keep[place] = False
            refused.append(_refused(message, row, how.reason, how.detail))
    places = np.array([place for place, _, _ in found], np.intp)
    rows = np.array([row for _, row, _ in found], np.intp)
    return places, rows, [how for _, _, how in found]


def _unknown_tag(message: Message, row: int) -> RejectedValue:
    name = shown(message.names[row])
    return _refused(message, row, "unknown_tag", f"no tag {name} is registered in this enterprise")


def _too_large(message: Message, row: int) -> RejectedValue:
    detail = f"value {message.value[row]:g} {message.units[row]} of {shown(message.names[row])}"
    return _refused(message, row, "not_a_number", f"{detail} {TOO_LARGE}")


def _refused(message: Message, row: int, reason: str, detail: str) -> RejectedValue:
    time = rfc3339(moment(int(message.time[row])))
    value, unit = float(message.value[row]), message.units.get(row)
    said = value if unit is None else {"value": value, "unit": unit}
    return RejectedValue(message.names[row], time, reason, detail, json.dumps(said).encode())

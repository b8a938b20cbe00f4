"""Values of a message that the registry speaks against: of no tag of ours, or in another unit."""

import json
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from domain.instant import moment, rfc3339
from ingest.message import Message, RejectedValue
from ingest.rejection import shown
from ingest.sender import Layout


def refusals(
    message: Message, layout: Layout, unit_of: Callable[[int], str]
) -> tuple[NDArray[np.bool_] | None, list[RejectedValue]]:
    """Which places of the layout are kept (bool[m]; None: all), and what is said of the others.

    unit_of: the unit that a tag id is registered in.
    """
    refused = [_unknown_tag(message, row) for row in layout.unknown]
    if not message.units:
        return None, refused
    rows = range(len(message.names)) if layout.rows is None else layout.rows.tolist()
    keep = np.ones(len(layout.ids), np.bool_)
    for place, (row, tag) in enumerate(zip(rows, layout.ids.tolist(), strict=True)):
        unit = message.units.get(row)
        if unit is not None and unit != unit_of(tag):
            keep[place] = False
            refused.append(_unit_mismatch(message, row, unit, unit_of(tag)))
    return keep, refused


def _unknown_tag(message: Message, row: int) -> RejectedValue:
    name = shown(message.names[row])
    return _refused(message, row, "unknown_tag", f"no tag {name} is registered in this enterprise")


def _unit_mismatch(message: Message, row: int, unit: str, registered: str) -> RejectedValue:
    name = shown(message.names[row])
    detail = f"tag {name} came in {shown(unit)}; it is registered in {shown(registered)}"
    return _refused(message, row, "unit_mismatch", detail)


def _refused(message: Message, row: int, reason: str, detail: str) -> RejectedValue:
    time = rfc3339(moment(int(message.time[row])))
    value = json.dumps(float(message.value[row])).encode()
    return RejectedValue(message.names[row], time, reason, detail, value)

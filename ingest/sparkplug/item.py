"""A message of an edge node, as its session takes it."""

from dataclasses import dataclass

from ingest.batch import Raw
from ingest.sparkplug.names import BDSEQ
from ingest.sparkplug.wire import Payload
from ingest.wiretime import END, FIRST


@dataclass(frozen=True, slots=True)
class Item:
    """A message of the node. device None: of the node itself. at: when it came, microseconds."""

    type: str
    device: str | None
    raw: Raw
    payload: Payload
    at: int

    @property
    def sent(self) -> int | None:
        """When it was published by the node's clock, None where that can't be an instant."""
        time = self.payload.time
        return time if time is not None and FIRST <= time < END else None

    @property
    def size(self) -> int:
        """Bytes of its payload."""
        return len(self.raw.payload)

    @property
    def bdseq(self) -> int | None:
        """The number of the session that a birth or a death of the node is of."""
        for metric in self.payload.metrics:
            if metric.name == BDSEQ and metric.kind in ("long_value", "int_value"):
                return int(metric.raw)
        return None

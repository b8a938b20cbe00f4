"""Metrics of one edge node to readings of tags."""

from domain.quality import Quality
from ingest.message import RejectedValue
from ingest.rejection import Rejection, shown
from ingest.sparkplug.births import Births, Born
from ingest.sparkplug.item import Item
from ingest.sparkplug.names import BIRTHS, TagOf, is_control
from ingest.sparkplug.node_clock import NodeClock
from ingest.sparkplug.pending import Pending
from ingest.sparkplug.rebirths import Rebirths
from ingest.sparkplug.stale import StaleMarks
from ingest.sparkplug.told import Readings, Row, written
from ingest.sparkplug.values import number
from ingest.sparkplug.wire import Metric
from ingest.wiretime import END, FIRST

NO_BIRTH = Rejection(
    "no_birth", "no birth tells what the alias means; the edge node was asked for its births"
)


class Reader:
    """Knows what births have said (`births`), and which metric each tag is."""

    def __init__(
        self,
        tag_of: TagOf,
        clock: NodeClock,
        marks: StaleMarks,
        rebirths: Rebirths,
        pending: Pending,
    ) -> None:
        self.births = Births()
        self._tag_of = tag_of
        self._claims: dict[str, tuple[str | None, str]] = {}
        self._clock = clock
        self._marks = marks
        self._rebirths = rebirths
        self._pending = pending

    def follow(self, tag_of: TagOf) -> None:
        """The registry has changed."""
        self._tag_of = tag_of
        self._claims.clear()

    def begin(self) -> None:
        """Nothing is declared any more."""
        self.births, self._claims = Births(), {}

    def release(self, device: str | None) -> None:
        """The tags of a device may be metrics of others."""
        self._claims = {tag: own for tag, own in self._claims.items() if own[0] != device}

    def named(self, device: str | None) -> set[str | None]:
        """The tags that the birth of a device has named, None = a metric that is no tag."""
        return {self._tag_of(*key) for key in self.births.names if key[0] == device}

    def read(self, item: Item, *, historical: bool = False, loose: bool = False) -> Readings:
        """The readings in a message; loose: its aliases are not known for sure."""
        found = Readings()
        birth = item.type in BIRTHS
        for metric in item.payload.metrics:
            if metric.name is not None and is_control(metric.name):
                continue
            born = self.births.find(item.device, metric)
            if metric.why is None and metric.name is None and loose:
                if not self._pending.keep(item, metric, born):
                    found.rejected.append(rejected(item, metric, None, NO_BIRTH))
                continue
            self.reading(found, item, metric, born, birth=birth, historical=historical)
        return found

    def reading(
        self,
        found: Readings,
        item: Item,
        metric: Metric,
        born: Born | None,
        *,
        birth: bool = False,
        historical: bool = False,
    ) -> None:
        """Put one metric among what is taken, or what is not."""
        row = self._row(item, metric, born, birth=birth, live=not historical)
        if metric.odd is not None:
            found.odd.append(metric.odd)
        if isinstance(row, Rejection):
            name = born.name if born is not None else metric.name
            found.rejected.append(rejected(item, metric, name, row))
            if row.reason in ("unknown_alias", "no_datatype"):
                self._rebirths.ask(item.at)
        elif historical or (metric.historical and not birth):
            found.historical.append(row)
        else:
            found.live.append(row)
            self._marks.heard(row.tag, item.device)

    def _row(
        self, item: Item, metric: Metric, born: Born | None, *, birth: bool, live: bool
    ) -> Row | Rejection:
        if metric.why is not None:
            return metric.why
        name = metric.name if born is None else born.name
        if name is None:
            return _nameless(metric)
        tag = self._tag(item.device, name)
        if isinstance(tag, Rejection):
            return tag
        value = number(metric, metric.datatype or (born.datatype if born is not None else None))
        if isinstance(value, Rejection):
            return value
        live = live and not metric.historical
        time = self._clock.of_reading(item, metric, birth=birth, live=live)
        if isinstance(time, Rejection):
            return time
        quality = Quality.GOOD if metric.quality is None else metric.quality
        unit = metric.unit or (born.unit if born is not None else None)
        return Row(tag, time, value, quality, unit)

    def _tag(self, device: str | None, name: str) -> str | Rejection:
        tag = self._tag_of(device, name)
        whole = name if device is None else f"{device}/{name}"
        if tag is None:
            return Rejection("unknown_tag", f"no tag is registered for the metric {shown(whole)}")
        owner = self._claims.setdefault(tag, (device, name))
        if owner[0] != device:
            why = f"tag {shown(tag)} is metric {shown(name)} of {shown(owner[0])} already"
            return Rejection("ambiguous_metric", f"{why}; register {shown(whole)}")
        return tag


def rejected(item: Item, metric: Metric, name: str | None, why: Rejection) -> RejectedValue:
    """A metric that is not taken; name None: it is known by its alias only."""
    shown_name = name if name is not None else f"alias {metric.alias}"
    payload = b"" if metric.raw is None else str(metric.raw).encode()[:1024]
    time = metric.time * 1000 if metric.time is not None else item.sent
    in_range = time is not None and FIRST <= time < END
    when = written(time) if in_range else None
    return RejectedValue(shown_name[:128], when, why.reason, why.detail, payload)


def _nameless(metric: Metric) -> Rejection:
    if metric.alias is None:
        return Rejection("no_name", "the metric has neither name nor alias")
    why = f"alias {metric.alias} is of no metric of this birth, or of two"
    return Rejection("unknown_alias", f"{why}; the edge node was asked for its births")

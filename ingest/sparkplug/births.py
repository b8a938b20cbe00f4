"""What births have said of the metrics of an edge node and its devices."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ingest.sparkplug.names import WRAPPED
from ingest.sparkplug.wire import Metric

MAX_DEVICES = 1000
"""Devices of an edge node."""
MAX_METRICS = 200_000
"""Metrics that an edge node and its devices have declared."""


@dataclass(frozen=True, slots=True)
class Born:
    """A metric as its birth declared it. device None: of the edge node itself."""

    device: str | None
    name: str
    datatype: int | None
    unit: str | None


@dataclass(slots=True)
class Births:
    """The metrics of one session of an edge node, by name and by alias. Changed in place.

    A device that is in `devices` is alive (True), or dead. An alias that two metrics have means
    neither: it is None.
    """

    names: dict[tuple[str | None, str], Born] = field(default_factory=dict)
    aliases: dict[int, Born | None] = field(default_factory=dict)
    devices: dict[str, bool] = field(default_factory=dict)

    def declare(self, device: str | None, metrics: Iterable[Metric]) -> bool:
        """Take over a birth; False: it is of one device too many, or there would be too many
        metrics, and nothing has changed."""
        metrics = [one for one in metrics if one.name is not None]
        if device is not None:
            before = sum(own == device for own, _ in self.names)
            if len(self.names) - before + len(metrics) > MAX_METRICS or not self._has_room(device):
                return False
            self.forget(device)
            self.devices[device] = True
        for metric in metrics:
            if metric.name is not None:
                born = Born(device, metric.name, metric.datatype, metric.unit)
                self.names[device, metric.name] = born
                if metric.alias is not None:
                    taken = self.aliases.get(metric.alias, born)
                    self.aliases[metric.alias] = born if taken == born else None
        return True

    def forget(self, device: str) -> None:
        """A device is gone, or is about to be declared anew."""
        if device in self.devices:
            self.devices[device] = False
            self.names = {k: born for k, born in self.names.items() if k[0] != device}
            self.aliases = {
                alias: born
                for alias, born in self.aliases.items()
                if born is None or born.device != device
            }

    def end(self, device: str) -> None:
        """A device is dead. One that was never born is remembered while there is room."""
        if device in self.devices or len(self.devices) < MAX_DEVICES:
            self.devices[device] = False
            self.forget(device)

    def find(self, device: str | None, metric: Metric) -> Born | None:
        """What a metric of a data message is, by its name, else by its alias; None: not declared,
        or the alias is ambiguous, or that of another device."""
        if metric.name is not None:
            wrapped = (device, WRAPPED + metric.name)
            return self.names.get((device, metric.name)) or self.names.get(wrapped)
        born = None if metric.alias is None else self.aliases.get(metric.alias)
        return born if born is not None and born.device == device else None

    def _has_room(self, device: str) -> bool:
        """Whether it is known, or may become so: one that is dead makes room."""
        if device in self.devices or len(self.devices) < MAX_DEVICES:
            return True
        dead = next((one for one, alive in self.devices.items() if not alive), None)
        if dead is not None:
            del self.devices[dead]
        return dead is not None

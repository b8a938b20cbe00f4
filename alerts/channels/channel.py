"""What every channel is to whoever sends notices through it."""

from typing import Protocol

from domain.alarms import Notice


class DeliveryError(Exception):
    """The other side did not take the notice."""


class Channel(Protocol):
    """A way to reach somebody."""

    async def send(self, notice: Notice) -> None:
        """Return when it arrived; raise `DeliveryError` where it did not."""
        ...

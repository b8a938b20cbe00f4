"""Messages that came twice."""

from hashlib import blake2b

from ingest.sparkplug.item import Item

KEEP_DIGESTS = 128
"""Messages by which a repeated one is known; fewer than there are sequence numbers."""


class Repeats:
    """The last messages of a node, by their digests."""

    def __init__(self) -> None:
        self._digests: dict[bytes, None] = {}

    def begin(self, birth: Item) -> None:
        """A session begins, or a part of one, by this birth: what came before it may come again, as
        from a clock that stands still it does to the byte."""
        self._digests.clear()
        self.came_before(birth)

    def came_before(self, item: Item) -> bool:
        """Whether this very message has come before; it is remembered."""
        told = f"{item.type}/{item.device}".encode() + item.raw.payload
        digest = blake2b(told, digest_size=16).digest()
        if digest in self._digests:
            return item.type != "NDEATH"
        if item.sent is not None:
            self._digests[digest] = None
        if len(self._digests) > KEEP_DIGESTS:
            del self._digests[next(iter(self._digests))]
        return False

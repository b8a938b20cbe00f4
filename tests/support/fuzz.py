"""Payloads that nobody should send, and what must hold whatever is sent.

For any decoder: give `Harness` the topic under test, `mutations` a corpus of sound payloads and
tokens of the format. Each payload goes into an intake between two messages of another gateway
that behaves; what that one says must be stored, and every message and value be accounted for.
"""

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from ingest.batch import Batch, Raw
from ingest.intake import Intake
from storage.entry import Entry, Spooled, decode, encode
from tests.support.gateway_line import DATA, Line, body, raw

OTHER = "hw/v1/P1/E1/G2/data"
AT_ONCE = 50
"""Payloads that go in together."""
SPOOLED = 20
"""One in so many batches is written down as the spool does, and read again."""


def mutations(
    corpus: Sequence[bytes],
    tokens: Sequence[bytes],
    rng: random.Random,
    atoms: re.Pattern[bytes] | None = None,
) -> Iterator[bytes]:
    """Endlessly a payload of the corpus with one to four things wrong, or bytes of no sense.

    atoms: what a token may stand in the place of, so that half of them keep their form.
    """
    while True:
        if rng.random() < 0.02:
            yield rng.randbytes(rng.randrange(64))
            continue
        payload, tame = rng.choice(corpus), atoms is not None and rng.random() < 0.5
        for _ in range(1 if rng.random() < 0.5 else rng.randrange(2, 5)):
            if tame and atoms is not None:
                payload = _replaced(payload, tokens, rng, atoms)
            else:
                payload = _mutated(payload, corpus, tokens, rng)
        yield payload[: 64 * 1024]


def _replaced(
    payload: bytes, tokens: Sequence[bytes], rng: random.Random, atoms: re.Pattern[bytes]
) -> bytes:
    """With another atom of the payload itself, or a token, in the place of one."""
    places = [found.span() for found in atoms.finditer(payload)]
    if not places:
        return payload
    begin, end = rng.choice(places)
    first, last = rng.choice(places)
    token = payload[first:last] if rng.random() < 0.5 else rng.choice(tokens)
    return payload[:begin] + token + payload[end:]


def _mutated(
    payload: bytes, corpus: Sequence[bytes], tokens: Sequence[bytes], rng: random.Random
) -> bytes:
    size = len(payload)
    a, b = sorted((rng.randrange(size + 1), rng.randrange(size + 1)))
    near = min(size, a + rng.randrange(12))
    match rng.randrange(9):
        case 0:
            return payload[:a]
        case 1:
            return payload[a:]
        case 2:
            return payload[:a] + payload[b:]
        case 3:
            return payload[:b] + payload[a:]
        case 4 if size:
            flipped = bytearray(payload)
            flipped[a % size] ^= 1 << rng.randrange(8)
            return bytes(flipped)
        case 5:
            return payload[:a] + rng.randbytes(near - a) + payload[near:]
        case 6:
            other = rng.choice(corpus)
            return payload[:a] + other[rng.randrange(len(other) + 1) :]
        case _:
            return payload[:a] + rng.choice(tokens) + payload[near:]
    return payload


class Harness:
    """Sends payloads on a topic of gateway G1 of `gateway_line.plant`, and checks what comes."""

    def __init__(self, intake: Intake | None = None, topic: str = DATA) -> None:
        self.line = Line(intake)
        self.outcomes: Counter[str] = Counter()
        """Messages by what became of them, and quarantined ones by reason."""
        self._topic = topic
        self._second = 0

    def run(self, payloads: Iterable[bytes]) -> None:
        """Send them, and check each batch; AssertionError tells the payloads that broke it."""
        rest = iter(payloads)
        while some := list(islice(rest, AT_ONCE)):
            try:
                self._send(some)
            except Exception as error:
                raise AssertionError(f"{error!r} after one of {some!r}") from error

    def _send(self, payloads: Sequence[bytes]) -> None:
        messages: list[Raw] = []
        for payload in payloads:
            messages += [self._canary(), raw(payload, self._topic)]
        messages.append(self._canary())
        self.line.batches.clear()
        batches = self.line.take(self._second / 100, *messages)
        whole_and_finite(batches, len(messages))
        said = sum(_values_of(batch, 2) for batch in batches)
        assert said == len(payloads) + 1, "a neighbour was lost"
        for batch in batches[:: SPOOLED if self._second % SPOOLED else 1]:
            spooled = decode(encode(Spooled(1, Entry(1, batch=batch))))
            assert spooled.entry.batch is not None
            assert spooled.entry.batch.quarantined == batch.quarantined
        for batch in batches:
            self.outcomes.update(one.reason for one in batch.quarantined)
            for count in batch.counts.values():
                for name in ("decoded", "repeated", "quarantined"):
                    self.outcomes[name] += getattr(count, f"messages_{name}")

    def _canary(self) -> Raw:
        """What the other gateway says: the next number of its own tag T5, its clock sound."""
        self._second += 1
        now = self._second / 100
        return raw(body((now, {"T5": now % 97}), seq=self._second, sent=now), OTHER)


def whole_and_finite(batches: Sequence[Batch], messages: int) -> None:
    """The identities of the wire profile over batches of so many messages, on data topics."""
    counts = [count for batch in batches for count in batch.counts.values()]

    def total(name: str) -> int:
        return sum(getattr(count, name) for count in counts)

    fates = sum(total(f"messages_{fate}") for fate in ("decoded", "repeated", "quarantined"))
    assert total("messages_received") == messages == fates, "a message is missing"
    rows = sum(len(batch.frame) for batch in batches)
    assert total("values_decoded") == rows + total("values_quarantined"), "a value is missing"
    for batch in batches:
        frame = batch.frame
        assert not np.isinf(frame.value).any(), "an infinite value"
        assert ((frame.quality >= 0) & (frame.quality <= 255)).all(), "a quality that is none"
        assert (frame.quality[np.isnan(frame.value)] < 64).all(), "a good quality of no value"
        assert (frame.flags >= 0).all(), "a code that is none"
        assert len(frame) == len(batch.gateway_of)
        assert all(one.reason and one.detail for one in batch.quarantined)


def _values_of(batch: Batch, gateway: int) -> int:
    return int((batch.gateway_of == gateway).sum())

"""What the database does not take, in our words."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from storage.database import Refused, is_refusal
from storage.entry import Entry


@contextmanager
def refusals(entries: Sequence[Entry]) -> Iterator[None]:
    """What the database does not take of these entries comes as `Refused`."""
    try:
        yield
    except Exception as exc:
        if not is_refusal(exc):
            raise
        first, last = entries[0].number, entries[-1].number
        raise Refused(f"entries {first} to {last}: {type(exc).__name__}: {exc}") from exc

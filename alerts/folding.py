"""`Folding`: which open alarms lie under which, in the floods of all desks. Pure.

Alarms of one cause lie under the oldest of them that is open; when that is closed the next one
takes its place, so nothing ever lies under what nobody sees. A flood's end sets all of them free.
"""

from collections.abc import Iterator
from uuid import UUID

from alerts.flood import Cause


class Folding:
    """Members of each cause, the head first. `moved` collects causes whose members may have to be
    told anew, `freed` occurrences that left one; whoever reads them empties them."""

    def __init__(self) -> None:
        self.moved: set[Cause] = set()
        self.freed: set[UUID] = set()
        self._members: dict[Cause, dict[UUID, None]] = {}
        self._cause: dict[UUID, Cause] = {}

    def head(self, occurrence: UUID) -> UUID | None:
        """What an occurrence lies under; None: it stands by itself."""
        cause = self._cause.get(occurrence)
        head = None if cause is None else self.head_of(cause)
        return None if head == occurrence else head

    def head_of(self, cause: Cause) -> UUID | None:
        """The one of a cause that is shown; None: nothing is folded."""
        return next(iter(self._members.get(cause, ())), None)

    def members(self, cause: Cause) -> Iterator[UUID]:
        """All of a cause that are open, the head first."""
        yield from self._members.get(cause, ())

    def fold(self, cause: Cause, first: UUID | None, occurrence: UUID) -> None:
        """An alarm sounded that folds; first: under which, None where that is not open any more."""
        members = self._members.setdefault(cause, {})
        if not members and first is not None:
            members[first], self._cause[first] = None, cause
        members[occurrence], self._cause[occurrence] = None, cause
        self.freed |= {occurrence}
        if len(members) == 1:
            self.moved.add(cause)

    def leave(self, occurrence: UUID) -> None:
        """It is closed, or lies under a lost source."""
        cause = self._cause.pop(occurrence, None)
        if cause is None:
            return
        was_head = self.head_of(cause) == occurrence
        del self._members[cause][occurrence]
        self.freed.add(occurrence)
        if was_head:
            self.moved.add(cause)
        if not self._members[cause]:
            del self._members[cause]

    def over(self, enterprise: int) -> None:
        """A flood of this enterprise has ended."""
        for cause in [cause for cause in self._members if cause[0] == enterprise]:
            for occurrence in self._members.pop(cause):
                self._cause.pop(occurrence, None)
                self.freed.add(occurrence)

    def touched(self) -> set[UUID]:
        """What `moved` and `freed` come to; both are empty then."""
        found = {one for cause in self.moved for one in self._members.get(cause, ())} | self.freed
        self.moved, self.freed = set(), set()
        return found

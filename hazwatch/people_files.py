"""The contact file and its rosters as files: read at the start, and again when one changes."""

from collections.abc import Iterable
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from alerts.contacts import Book, ContactsError, Entry, place
from alerts.people import Contacts
from alerts.person_file import read_contacts
from domain.escalation import Ladder
from domain.plant import Registry

log = structlog.get_logger(__name__)

Seen = dict[Path, bytes | str]
"""Content of each file, or why it could not be read."""


class PeopleFiles:
    """Who holds which role, by the contact file of the settings and the rosters beside it.

    path: None names nobody. Raises `ContactsError` or `OSError` at once where the files can't be
    used; later what could be used last stays in force.
    """

    def __init__(self, path: Path | None, ladder: Ladder, zone: ZoneInfo) -> None:
        self._path = path
        self._ladder = ladder
        self._zone = zone
        self._seen: Seen = {}
        self._book = Book() if path is None else self._read(path)

    @property
    def book(self) -> Book:
        """What is in force."""
        return self._book

    def contacts(self, registry: Registry) -> Contacts:
        """By role and node id; what can't be placed is said loudly, for somebody is not told."""
        directory, lost = place(self._book, registry)
        for entry in lost:
            what = "contact of no node" if isinstance(entry, Entry) else "duty of no node"
            node = "/".join(entry.node)
            log.error(what, action="leave out", role=entry.role, node=node)
        return directory

    def reread(self) -> bool:
        """Whether files have changed and hold from now on. Raises `ContactsError` or `OSError`,
        once for each change, where they can't be used."""
        if self._path is None or _look(self._seen) == self._seen:
            return False
        self._book = self._read(self._path)
        return True

    def _read(self, path: Path) -> Book:
        before = dict.fromkeys(self._seen)
        self._seen = {}
        try:
            text = self._text(path)
            book = read_contacts(
                text, self._ladder, self._zone, lambda name: self._text(path.parent / name)
            )
        except (ContactsError, OSError, UnicodeDecodeError):
            self._seen = _look([*before, *self._seen]) | self._seen
            raise
        return book

    def _text(self, path: Path) -> str:
        try:
            self._seen[path] = content = path.read_bytes()
        except OSError as wrong:
            self._seen[path] = str(wrong)
            raise
        return content.decode("utf-8")


def _look(paths: Iterable[Path]) -> Seen:
    return {path: _content(path) for path in paths}


def _content(path: Path) -> bytes | str:
    try:
        return path.read_bytes()
    except OSError as wrong:
        return str(wrong)

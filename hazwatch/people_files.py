"""The contact file and its rosters as files: read at the start, and again when one changes."""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from alerts.contacts import Book, ContactsError, Entry, place
from alerts.holes import holes, sentences, strays
from alerts.people import Contacts
from alerts.person_file import read_contacts
from domain.clock import SystemClock
from domain.escalation import Ladder
from domain.ladders import Ladders, placed
from domain.plant import Registry

log = structlog.get_logger(__name__)

Seen = dict[Path, bytes | str]
"""Content of each file, or why it could not be read."""


class PeopleFiles:
    """Who holds which role, by the contact file of the settings and the rosters beside it.

    path: None names nobody. kept: where what could be used last is kept over restarts, None =
    nowhere; writes: that is done here, not only read. Raises `ContactsError`, `OSError` or
    `UnicodeDecodeError` at once where the files can't be used and none are kept; else, and later,
    what could be used last stays in force.
    """

    def __init__(
        self,
        path: Path | None,
        ladder: Ladder | Ladders,
        zone: ZoneInfo,
        kept: Path | None = None,
        *,
        writes: bool = True,
    ) -> None:
        self._path = path
        self._ladder = ladder
        self._zone = zone
        self._kept = kept
        self._writes = writes
        self._seen: Seen = {}
        self._said = ""
        self.trouble: str | None = None
        """Why the files are not those in force since the start; None: they are."""
        self._book = Book() if path is None else self._first(path)

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

    def unreached(self, registry: Registry) -> str | None:
        """Whom a warning tells at once and who can't be reached, in sentences; None where it was
        said before, or there is nothing to say, or no contact file."""
        if self._path is None:
            return None
        directory, lost = place(self._book, registry)
        found = holes(placed(self._ladder, registry), registry, directory)
        at_once = [hole for hole in found if hole.at_once]
        before = self._said
        self._said = "; ".join((*strays(lost), *sentences(at_once, registry)))
        return self._said if self._said and self._said != before else None

    def reread(self) -> bool:
        """Whether files have changed and hold from now on. Raises `ContactsError` or `OSError`,
        once for each change, where they can't be used."""
        if self._path is None or _look(self._seen) == self._seen:
            return False
        self._book, self.trouble = self._read(self._path), None
        return True

    def _first(self, path: Path) -> Book:
        try:
            return self._read(path)
        except (ContactsError, OSError, UnicodeDecodeError) as wrong:
            book = self._kept_last()
            if book is None:
                raise
            self.trouble = str(wrong)
            return book

    def _kept_last(self) -> Book | None:
        """What was in force last; None where nothing is kept that can be used now."""
        if self._kept is None:
            return None
        try:
            texts = json.loads(self._kept.read_text("utf-8"))
            return self._book_of(texts[""], lambda name: str(texts[name]))
        except (ContactsError, OSError, ValueError, KeyError, TypeError):
            return None

    def _keep(self, texts: dict[str, str]) -> None:
        """What can't be kept is no reason to tell nobody: it is tried again with the next file."""
        if self._kept is None or not self._writes:
            return
        with suppress(OSError):
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._kept.with_suffix(".new")
            fresh.touch(0o600)
            fresh.write_text(json.dumps(texts, ensure_ascii=False), "utf-8")
            fresh.replace(self._kept)

    def _book_of(self, text: str, roster: Callable[[str], str]) -> Book:
        return read_contacts(text, self._ladder, self._zone, roster, SystemClock().now())

    def _read(self, path: Path) -> Book:
        before = dict.fromkeys(self._seen)
        self._seen = {}
        texts: dict[str, str] = {}

        def roster(name: str) -> str:
            texts[name] = self._text(path.parent / name)
            return texts[name]

        try:
            texts[""] = self._text(path)
            book = self._book_of(texts[""], roster)
        except (ContactsError, OSError, UnicodeDecodeError):
            self._seen = _look([*before, *self._seen]) | self._seen
            raise
        self._keep(texts)
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

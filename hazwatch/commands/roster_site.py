"""The contact file held against the site in the database, where the settings name one."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer

from alerts.contacts import Book, place
from alerts.holes import Hole, holes, sentences, strays
from domain.ladders import Ladders, path, placed
from domain.plant import Registry

if TYPE_CHECKING:
    from hazwatch.settings import Settings

EMPTY = Registry(0, {}, (), {})


@dataclass(frozen=True, slots=True)
class Against:
    """What does not fit the site. strays: entries at nodes that it does not have, in sentences;
    holes: roles that nobody is named for."""

    registry: Registry = EMPTY
    strays: list[str] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)

    @classmethod
    def of(
        cls, settings: "Settings", ladders: Ladders, book: Book, role: str | None = None
    ) -> "Against":
        """Nothing where no database is named; one that is away is told on stderr. role: of this
        one alone."""
        registry = _site(settings)
        if registry is None:
            return cls()
        directory, lost = place(book, registry)
        mine = [entry for entry in lost if role in (None, entry.role)]
        found = holes(placed(ladders, registry), registry, directory)
        wanted = [hole for hole in found if role in (None, hole.role)]
        return cls(registry, [*strays(mine)], wanted)

    @property
    def wrong(self) -> bool:
        """Whether a warning would miss somebody whom it tells at once."""
        return bool(self.strays) or any(hole.at_once for hole in self.holes)

    def rows(self, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """A hole of a source is a gap without an end."""
        for hole in self.holes:
            for source in hole.sources:
                node = "/".join(path(self.registry, source))
                yield dict.fromkeys(columns) | {"role": hole.role, "node": node}

    def show(self) -> None:
        """A line for each thing."""
        for line in (*self.strays, *sentences(self.holes, self.registry)):
            typer.echo(line)


def _site(settings: "Settings") -> Registry | None:
    """The tree of the database; None where none is named, or it can't be asked."""
    if "database_url" not in settings.model_fields_set:
        return None
    import psycopg

    from storage.database import DatabaseOptions, connect
    from storage.registry import read_nodes

    options = DatabaseOptions(settings.database_url, application="hazwatch-roster")

    async def read() -> Registry:
        async with await connect(options) as conn:
            return await read_nodes(conn)

    try:
        return asyncio.run(read())
    except psycopg.Error as error:
        typer.echo(f"not held against the site, for its database can't be asked: {error}", err=True)
        return None

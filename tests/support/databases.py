"""Fresh, migrated databases, one for each test."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.support.servers import Database, Given


class Databases:
    """Makes databases on one server: migrated once, copied for each test."""

    def __init__(self, server: Database) -> None:
        self._server = server
        self._template: str | None = None

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The URL of a new database with the whole schema and no rows; it is deleted afterwards."""
        url = self._make()
        yield url
        self._server.start()
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(_name(url))))

    def _make(self) -> str:
        self._server.start()
        # Copying fails while somebody is connected, and a person's server may run jobs in it.
        if isinstance(self._server, Given):
            return self._migrated()
        if self._template is None:
            self._template = _name(self._migrated())
        return self._create(self._template)

    def _migrated(self) -> str:
        # Here, because alembic takes its time to load and quick runs need no database.
        from storage.migrate import migrate

        url = self._create("template1")
        migrate(url)
        return url

    def _create(self, template: str) -> str:
        name = f"test_{uuid.uuid4().hex}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        return urlunsplit(urlsplit(self._server.url)._replace(path=f"/{name}"))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._server.url, autocommit=True) as connection:
            connection.execute(statement)


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")

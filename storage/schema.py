"""Which schema this program wants, and whether a database has it: asked without alembic, which a
worker has no other use for and which costs it 20 MB."""

from importlib.resources import files

import psycopg

from storage.database import DatabaseAway, is_away
from storage.queries import query


def newest() -> str:
    """The revision that this program wants: its last migration."""
    names = (file.name for file in files("storage.migrations.versions").iterdir())
    return max(name[:4] for name in names if name[:4].isdigit())


def is_newest(url: str) -> bool:
    """Whether the database at `url` has that revision. Blocks; raises `DatabaseAway` where nobody
    answers."""
    try:
        with psycopg.connect(url, autocommit=True) as conn:
            row = conn.execute(query("schema_revision")).fetchone()
    except psycopg.errors.UndefinedTable:
        return False
    except psycopg.Error as error:
        if is_away(error):
            raise DatabaseAway(str(error)) from error
        raise
    return row is not None and row[0] == newest()

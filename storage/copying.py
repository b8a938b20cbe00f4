"""Rows into a table by binary COPY."""

from domain.fault_points import Point, passing
from storage.database import Connection
from storage.queries import query
from storage.rows import Rows, copy_stream


async def fill(conn: Connection, table: str, rows: Rows) -> None:
    """Put rows into a staging table and nothing else."""
    await conn.execute(query(f"create_{table}"))
    await conn.execute(query(f"clear_{table}"))
    await copy_rows(conn, f"copy_{table}", rows)


async def copy_rows(conn: Connection, statement: str, rows: Rows) -> None:
    """Run the named COPY with these rows, whose fields are its columns in order."""
    async with conn.cursor() as cursor, cursor.copy(query(statement)) as copy:
        await copy.write(copy_stream(rows))
        passing(Point.COPYING)

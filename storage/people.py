"""People and their grants."""

from collections.abc import Sequence
from datetime import datetime

from storage.reading import Reading, Row


class PersonKnown(Exception):
    """There is somebody of that name already."""


class NodeUnclear(Exception):
    """A node was named that does not exist, or more than one fits."""


async def password_of(reading: Reading, name: str) -> str | None:
    """The password hash of somebody who may log in, else None."""
    row = await reading.row("find_person", name=name)
    return None if row is None else str(row["password"])


async def add_person(
    reading: Reading, name: str, password: str, grants: Sequence[tuple[str, int]], at: datetime
) -> None:
    """A new person with (role, node) grants; `password` is a hash. Raises `PersonKnown`."""
    if await reading.row("add_person", name=name, password=password, at=at) is None:
        raise PersonKnown(name)
    for role, node in grants:
        await reading.run("grant_role", person=name, role=role, node=node)


async def list_people(reading: Reading) -> list[Row]:
    """Everybody who may log in: name, created, roles."""
    return await reading.rows("list_people")


async def remove_person(reading: Reading, name: str, at: datetime) -> bool:
    """Take grants and sessions away at once; False if there is nobody of that name."""
    return await reading.row("remove_person", name=name, at=at) is not None


async def resolve_node(reading: Reading, words: str) -> Row:
    """The node that `words` names: its code, or the end of its path such as `p1/e7`.

    Raises `NodeUnclear` where there is none, or more than one.
    """
    wanted = words.split("/")
    nodes = await reading.rows("node_paths")
    fitting = [node for node in nodes if node["codes"][-len(wanted) :] == wanted]
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join("/".join(node["codes"]) for node in fitting or nodes[:20])
    kind = "more than one node fits" if fitting else "no node is called"
    raise NodeUnclear(f"{kind} {words!r}; there is: {known or 'no node yet, load a site first'}")

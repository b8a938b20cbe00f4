"""Who is asking and what may be seen: a session resolved to a `Scope`, in one query."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from domain.cases import Level
from domain.levels import by_kind
from storage.reading import Reading, Row


@dataclass(frozen=True, slots=True)
class Scope:
    """What one person may see. Every reading takes one; its lists go into the SQL.

    roles: the grants: role, node, and kind, name and code of the node. enterprises: whose data is
    visible. areas: nodes of no enterprise that an operator oversees. places: areas and what lies
    above anything visible, shown for orientation only. operator: also sees what belongs to nobody.
    """

    person: str
    expires: datetime
    roles: tuple[Row, ...]
    enterprises: tuple[int, ...]
    areas: tuple[int, ...]
    places: tuple[int, ...]
    operator: bool

    def list_of_enterprises(self) -> list[int]:
        """The enterprises as the SQL wants them."""
        return list(self.enterprises)

    def owners(self) -> list[int]:
        """Whose alarms are visible: the enterprises, and the areas, whose own alarms carry the
        area's node as their enterprise."""
        return [*self.enterprises, *self.areas]

    def levels(self, enterprise: int, path: Collection[int]) -> frozenset[Level]:
        """The levels that this person speaks for in a warning; path: its source and all above it.

        A grant speaks for the level of its node's kind (`domain.levels`). An operator's counts
        anywhere on the path, an enterprise's at its own enterprise only.
        """
        kinds = (str(grant["kind"]) for grant in self._here(enterprise, path))
        return frozenset(by_kind()[kind] for kind in kinds if kind in by_kind())

    def reaches(self, enterprise: int, path: Collection[int]) -> bool:
        """Whether this person may see a node, by the grants alone; arguments as of `levels`."""
        return bool(self._here(enterprise, path))

    def _here(self, enterprise: int, path: Collection[int]) -> list[Row]:
        reach = {"operator": path, "enterprise": (enterprise,)}
        return [grant for grant in self.roles if int(grant["node"]) in reach[grant["role"]]]

    def sees(self, enterprise: int | None, node: int | None) -> bool:
        """Whether an event is for this person; one of no enterprise is for its area's operators."""
        if enterprise is not None:
            return enterprise in self.enterprises or enterprise in self.areas
        return self.operator and (node is None or node in self.areas)


def fingerprint(token: str) -> bytes:
    """What is stored of a token."""
    return sha256(token.encode()).digest()


async def open_session(
    reading: Reading, token: str, person: str, at: datetime, expires: datetime
) -> None:
    """Keep a new session of somebody whose password was right."""
    await reading.run(
        "open_session", token=fingerprint(token), person=person, at=at, expires=expires
    )


async def find_session(reading: Reading, token: str, at: datetime) -> Scope | None:
    """The scope behind a token; None if it is unknown, has run out, or its person was removed."""
    row = await reading.row("find_session", token=fingerprint(token), at=at)
    if row is None:
        return None
    return Scope(
        person=row["person"],
        expires=row["expires"],
        roles=tuple(row["roles"]),
        enterprises=tuple(row["enterprises"]),
        areas=tuple(row["areas"]),
        places=tuple({*row["areas"], *row["context"]}),
        operator=row["operator"],
    )


async def scope_of(reading: Reading, person: str, at: datetime) -> Scope | None:
    """The grants of somebody who may log in, for what is decided in his name on the machine itself;
    None if there is no such person. It sees nothing."""
    row = await reading.row("grants_of_person", name=person)
    return None if row is None else Scope(row["name"], at, tuple(row["roles"]), (), (), (), False)


async def own_enterprises(
    reading: Reading, token: str, at: datetime
) -> frozenset[tuple[str, str]] | None:
    """(park, enterprise) codes for which the person behind a token has the role enterprise; None
    where `find_session` finds none."""
    row = await reading.row("own_enterprises", token=fingerprint(token), at=at)
    return None if row is None else frozenset((park, code) for park, code in row["places"])


async def close_session(reading: Reading, token: str) -> None:
    """Forget a session; an unknown one is no error."""
    await reading.run("close_session", token=fingerprint(token))

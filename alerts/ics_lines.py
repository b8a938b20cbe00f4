"""Where the events of an iCalendar file stand in its text, which its reader does not say. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """An event's first line, and that of each of its members by name, all from 1."""

    line: int
    members: Mapping[str, int] = field(default_factory=dict)

    def of(self, member: str | None) -> int:
        """The line of a member; of the event where it has none such."""
        return self.members.get(member or "", self.line)


def places(text: str) -> list[Place]:
    """Of the events (VEVENT) of a file, in order; what is nested in them does not count."""
    found: list[Place] = []
    inside: list[str] = []
    members: dict[str, int] = {}
    for number, name, value in _lines(text):
        if name == "BEGIN":
            inside.append(value)
            if value == "VEVENT":
                members = {}
                found.append(Place(number, members))
        elif name == "END":
            del inside[-1:]
        elif inside[-1:] == ["VEVENT"]:
            members.setdefault(name, number)
    return found


def _lines(text: str) -> Iterator[tuple[int, str, str]]:
    """Number, name and value of each line; what continues a line (RFC 5545 3.1) is left out."""
    for number, line in enumerate(text.splitlines(), 1):
        if line[:1] not in (" ", "\t"):
            head, _, value = line.partition(":")
            yield number, head.partition(";")[0].strip().upper(), value.strip().upper()

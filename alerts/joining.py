"""Who holds several roles 一人多岗 is told once: notices of rungs of one instant that say the same
to one address leave as one, which names the roles. Pure.

Their rows stay apart: what becomes of the one becomes of each.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from uuid import uuid5

from alerts.people import stands_in
from domain.alarms import NAMESPACE, Notice

OF_ROLE = frozenset({"role", "role_name", "step", "text"})
"""Members of a body that may differ; of the text only whom one stands in for."""


def likeness(notice: Notice) -> Hashable:
    """The same for notices that may leave as one; of what never joins, its id."""
    if notice.step is None or "role" not in notice.body:
        return notice.id
    said = (str(notice.body.get(name)) for name in ("reason", "duty", "colour"))
    whom = notice.person, notice.channel, notice.recipient
    return (notice.occurrence, notice.created, *whom, *said)


def alike(notices: Iterable[Notice]) -> list[tuple[Notice, ...]]:
    """Those that may leave as one, together; in the order of the first of each."""
    found: dict[Hashable, list[Notice]] = {}
    for notice in notices:
        found.setdefault(likeness(notice), []).append(notice)
    return [tuple(group) for group in found.values()]


def same_as_first(notices: Sequence[Notice]) -> list[Notice]:
    """The first, and those that differ from it by nothing but the role."""
    first = notices[0]
    return [
        one for one in notices if likeness(one) == likeness(first) and _said(one) == _said(first)
    ]


def joined(members: Sequence[Notice]) -> Notice:
    """The one notice that stands for these, which differ by the role alone; the same members give
    the same id."""
    lead = members[0]
    if len(members) == 1:
        return lead
    roles, ids = [_role(one) for one in members], [str(one.id) for one in members]
    words = ", ".join(roles)
    begin = stands_in(words) if lead.body.get("stand_in") is True else ""
    body = lead.body | {
        "role_name": ", ".join(str(one.body.get("role_name")) for one in members),
        "roles": roles,
        "steps": [one.step for one in members],
        "notices": ids,
        "text": f"{begin}{_text(lead)}; 通知角色 as {words}",
    }
    return replace(lead, id=uuid5(NAMESPACE, f"joined/{'/'.join(sorted(ids))}"), body=body)


def _said(notice: Notice) -> tuple[dict[str, object], str]:
    """What it says but for the role."""
    rest = {name: value for name, value in notice.body.items() if name not in OF_ROLE}
    return rest, _text(notice)


def _text(notice: Notice) -> str:
    return str(notice.body.get("text")).removeprefix(stands_in(_role(notice)))


def _role(notice: Notice) -> str:
    return str(notice.body.get("role"))

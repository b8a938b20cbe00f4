"""The ladder 升级阶梯 of a source on the terminal, and for programs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from domain.ladders import Ladders, shown
from hazwatch.commands.desk import span

if TYPE_CHECKING:
    from hazwatch.settings import Settings

SHIPPED = "the shipped ladder"
LIMITS = ("sign", "verify", "feedback", "close")


def document(settings: "Settings", ladders: Ladders, path: Sequence[str]) -> dict[str, Any]:
    """node: codes that the ladder is named for, None = it is the default; file: where it stands."""
    node, ladder = ladders.nearest(path)
    named = None if node is None else "/".join(node)
    file = settings.escalation_file if named is None else settings.escalation_ladders[named]
    return {
        "source": "/".join(path),
        "node": named,
        "file": SHIPPED if file is None else str(file),
        **shown(ladder),
    }


def picture(found: dict[str, Any]) -> Group:
    """A line for each time of each colour."""
    table = Table("colour", "when", "told 通知")
    for one in found["colours"]:
        table.add_row(one["colour"], "at once 立即", ", ".join(one["at_once"]))
        for rung in one["later"]:
            table.add_row("", f"{span(rung['after_s'])} without 签收", ", ".join(rung["roles"]))
        within = {name: one[f"{name}_within_s"] for name in LIMITS}
        said = ", ".join(f"{name} {span(left)}" for name, left in within.items() if left)
        table.add_row("", "within 时限", said)
    if found["unacknowledged"]:
        left = found["unacknowledged"]
        unsigned = f"{', '.join(left['priorities'])} not acknowledged 未确认"
        table.add_row("alarms", unsigned, ", ".join(left["roles"]))
    where = found["node"] or "no nearer node: the default of the installation"
    head = Text(f"{found['source']}: {found['file']}, version {found['version']} ({where})")
    return Group(head, table)

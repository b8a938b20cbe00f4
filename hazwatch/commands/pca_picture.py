"""What a learnt PCA model looks like: on the screen, and as one JSON document."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table
from rich.text import Text

from domain.frame import Floats
from domain.instant import rfc3339
from domain.pca_record import digest, document_text
from hazwatch.commands.documents import console

if TYPE_CHECKING:
    from hazwatch.pca_learn import Lesson

BARS = "▁▂▃▄▅▆▇█"
BINS, WIDTH = 60, 30
LONGEST_LIST = 8


def lesson_document(path: str, lesson: "Lesson", version: int, active: bool) -> dict[str, Any]:
    """All that `learn` has to say."""
    learnt, model = lesson.learnt, lesson.learnt.model
    return {
        "group": path,
        "node": learnt.node,
        "version": version,
        "active": active,
        "from": rfc3339(learnt.since),
        "to": rfc3339(learnt.until),
        "members": list(learnt.members),
        "kept": list(model.tags),
        "left_out": [{"tag": name, "why": why} for name, why in lesson.left_out],
        "interval_s": model.interval_s,
        "scans": learnt.scans,
        "independent": round(learnt.independent, 1),
        "explained": [round(share, 4) for share in learnt.explained],
        "t2_limit": model.t2_limit,
        "spe_limit": model.spe_limit,
        "highest": {
            "t2": float(lesson.account.t2.max()),
            "spe": float(lesson.account.spe.max()),
        },
        "alarmed": learnt.alarmed,
        "alarms": [{"kind": k, "subject": s, "count": n} for k, s, n in lesson.alarms],
        "digest": digest(document_text(model)),
    }


def show_lesson(path: str, lesson: "Lesson", version: int) -> None:
    """The picture of a model: components, limits, and how the period would have looked."""
    out, learnt, model = console(), lesson.learnt, lesson.learnt.model
    head = f"{path}, version {version}, learnt of {rfc3339(learnt.since)} … {rfc3339(learnt.until)}"
    out.print(Text(head, "bold"))
    out.print(Text(f"members     {len(model.tags)} of {len(learnt.members)}"))
    for name, why in lesson.left_out:
        out.print(Text(f"            without {name}: {why}", "yellow"))
    scans = f"{learnt.scans} of {model.interval_s:g} s, worth {learnt.independent:.0f} independent"
    out.print(Text(f"scans       {scans}"))
    show_components(learnt.explained, len(model.tags))
    t2, spe = model.t2_limit, model.spe_limit
    out.print(Text(f"limits      T² {t2:.3g}, SPE {spe:.3g} (moving means over scans)"))
    for name, series in (("T²", lesson.account.t2), ("SPE", lesson.account.spe)):
        out.print(Text(f"{name + ' / limit':<12}").append_text(sparkline(series)))
    share = f"{learnt.alarmed:.2%} of these scans would have been in alarm"
    style = "yellow" if learnt.alarmed else ""
    out.print(Text(f"            {share}", style))
    if learnt.alarms:
        out.print(Text(f"            learnt in spite of {learnt.alarms} alarms", "yellow"))


def show_components(explained: Sequence[float], members: int) -> None:
    """A bar for each component, as long as the share of variance that it explains."""
    out = console()
    total = f"{len(explained)} of {members} explain {sum(explained):.0%} of the variance"
    out.print(Text(f"components  {total}"))
    for n, share in enumerate(explained[:LONGEST_LIST], 1):
        bar = "█" * max(1, round(share * WIDTH))
        out.print(Text(f"{n:>10}  {bar} {share:.0%}"))
    if len(explained) > LONGEST_LIST:
        out.print(Text(f"            … {len(explained) - LONGEST_LIST} more"))


def sparkline(series: Floats) -> Text:
    """The highest of each of up to 60 parts, in eighths of the limit; red at and above it."""
    line = Text()
    for part in np.array_split(series, min(BINS, len(series))):
        top = float(part.max())
        bar = BARS[min(int(top * len(BARS)), len(BARS) - 1)]
        line.append(bar, "red" if top >= 1 else "")
    return line.append(f"  highest {float(series.max()):.2f}")


def show_groups(rows: Sequence[Mapping[str, Any]]) -> None:
    """A row for each group."""
    table = Table("group", "members", "models", "active", "since", "by", "now")
    for row in rows:
        active = "none" if row["active"] is None else str(row["active"])
        since = "" if row["since"] is None else str(row["since"])
        members, models = str(row["members"]), str(row["models"])
        table.add_row(row["group"], members, models, active, since, row["by"] or "", row["now"])
    console().print(table)


def show_models(rows: Sequence[Mapping[str, Any]]) -> None:
    """A row for each model of a group."""
    table = Table("version", "from", "to", "scans", "worth", "components", "in alarm", "")
    for row in rows:
        kept, share = len(row["explained"]), sum(row["explained"])
        table.add_row(
            str(row["version"]), row["from"], row["to"], str(row["scans"]),
            f"{row['independent']:.0f}", f"{kept} ({share:.0%})", f"{row['alarmed']:.2%}",
            "active" if row["active"] else "",
        )  # fmt: skip
    console().print(table)

"""`make bench`: every benchmark or those whose names begin so; a table, and build/bench.json."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Column, Table

from tests.benchmarks import (
    alarm_burst,
    alarms,
    case_timers,
    delay,
    early_warning,
    history,
    ingest,
    kpi,
    risk,
    rules,
    size,
)
from tests.support.bench import Row, Servers

RESULT = Path(__file__).parents[2] / "build" / "bench.json"
BENCHMARKS: dict[str, Callable[[Servers], list[Row]]] = {
    "rules.limits_": rules.limits,
    "rules.rated_": rules.rated,
    "rules.all_": early_warning.early_warning,
    "rules.memory_": rules.memory,
    "rules.c": rules.plans,
    "rules.prometheus_": rules.prometheus,
    "rules.risk": risk.assess,
    "ingest.values_per_s": ingest.values,
    "ingest.sustained_values_per_s": ingest.sustained,
    "ingest.messages_per_s": ingest.messages,
    "ingest.saved_values_per_s": ingest.saved,
    "alarms.latency": alarms.latency,
    "alarms.machine": alarm_burst.machine,
    "alarms.burst": alarm_burst.burst,
    "cases.": case_timers.timers,
    "history.30d": history.history,
    "history.rollup": history.rolling,
    "kpi.": kpi.kpis,
    "delay.": delay.stages,
    "size.": size.many_tags,
}
"""What each makes begins with its key."""


def main() -> int:
    """Measure, print, write; 0 unless nothing has that name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "only", nargs="?", default="", help="rules, ingest, alarms, or a whole name"
    )
    only = parser.parse_args().only
    chosen = [
        run for name, run in BENCHMARKS.items() if name.startswith(only) or only.startswith(name)
    ]
    if not chosen:
        sys.stderr.write(f"no benchmark begins with {only!r}; there are {', '.join(BENCHMARKS)}\n")
        return 2
    busy = os.getloadavg()[0]
    rows = _measured(chosen, only)
    _show(rows, busy)
    return 0


def _measured(chosen: list[Callable[[Servers], list[Row]]], only: str) -> list[Row]:
    """The rows; written down as they come, so that a fault later on costs none of them."""
    servers, rows = Servers(), list[Row]()
    RESULT.parent.mkdir(exist_ok=True)
    with Console(stderr=True).status("") as status:
        try:
            for run in chosen:
                status.update(f"{run.__module__.rpartition('.')[2]}.{run.__name__} …")
                rows += [row for row in run(servers) if row.name.startswith(only)]
                told = [row.told() for row in rows]
                RESULT.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")
        finally:
            servers.close()
    return rows


def _show(rows: list[Row], busy: float) -> None:
    columns = (Column(head, no_wrap=True) for head in ("name", "measured", "unit", "target", "met"))
    table = Table(*columns, "spread", Column("context", ratio=1), show_lines=True)
    for row in rows:
        sign = "≤" if row.better == "lower" else "≥"
        table.add_row(
            row.name,
            _short(row.value),
            row.unit,
            f"{sign} {_short(row.target)}",
            "[green]yes[/]" if row.met else "[red]no[/]",
            " to ".join(_short(edge) for edge in row.spread),
            row.context,
        )
    console = Console()
    if not console.is_terminal:
        console.width = 140
    console.print(table)
    console.print(
        f"{psutil.cpu_count()} cores, Python {platform.python_version()}, load average {busy:.1f} "
        "when it began"
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())

"""`hazwatch site`: check, load and show what is watched."""

import getpass
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from domain.audit_row import Severity
from domain.clock import SystemClock
from domain.instant import EPOCH
from domain.modes import in_mode
from domain.plant import Node, Registry, Tag
from domain.problem import DocumentError, Problem
from domain.problem import path as place
from domain.self_test import without
from domain.site import Site, TagEntry, read_site
from hazwatch.commands.auditing import audit_row, audit_site, show_audit
from hazwatch.commands.database import fail, with_database
from hazwatch.commands.documents import WRONG, console, read_document, schema_text
from hazwatch.commands.output import Output, print_json, print_rows
from hazwatch.commands.site_registry import rule_faults
from hazwatch.commands.site_rows import SITE_COLUMNS, site_rows
from rules.faults import tag_faults

if TYPE_CHECKING:
    from storage.registry import LoadReport

app = typer.Typer(
    no_args_is_help=True,
    help="The site: parks, enterprises, hazard sources, gateways and tags, as a YAML file says.",
)

File = Annotated[
    Path, typer.Argument(help="site file (YAML)", exists=True, dir_okay=False, metavar="FILE")
]
DatabaseUrl = Annotated[str | None, typer.Option(help="overrides the setting")]


@app.command()
def check(file: File) -> None:
    """Say everything that is wrong in a site file, without a database. Exit code 1 if anything is.

    docs/site-file.md describes the file, deploy/sites/demo.yaml is an example.

    Example: hazwatch site check plant.yaml
    """
    site = read_document(file, read_watchable)
    console().print(Text(f"{file}: good. {_contents(site)}"))


@app.command()
def load(
    file: File,
    database_url: DatabaseUrl = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="show what would change, change nothing")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="remove enterprises and areas that the file does not mention"),
    ] = False,
    by: Annotated[str | None, typer.Option(help="who loads it; by default you")] = None,
) -> None:
    """Make the registry say what a site file says. Running services take it up at once.

    The same file again changes nothing. Enterprises that the file does not
    mention stay; what a mentioned one no longer has is removed. A tag with
    another kind or unit is renewed: its history stays with the old version.

    Example: hazwatch site load plant.yaml --dry-run
    """
    site = read_document(file, read_watchable)
    report = _with_database(database_url, lambda conn: _load(conn, site, by, prune, dry_run))
    _show_report(report, dry_run)


@app.command()
def show(
    database_url: DatabaseUrl = None,
    tags: Annotated[bool, typer.Option("--tags/--no-tags", help="with every tag")] = True,
    output: Annotated[
        Output, typer.Option(help="table shows the tree; json and csv have a row a node or tag")
    ] = Output.TABLE,
) -> None:
    """Show the tree of the registry, with gateways, tags and their limits.

    Example: hazwatch site show --no-tags

    Example: hazwatch site show --output csv > site.csv
    """
    from storage.registry import read_registry

    registry = without(_with_database(database_url, read_registry))
    if output is not Output.TABLE:
        print_rows(site_rows(registry, tags), SITE_COLUMNS, output)
        return
    if registry.version == 0:
        console().print(Text("no site is loaded yet: hazwatch site load SITE.yaml"))
        return
    console().print(_tree(registry, tags))


@app.command()
def schema() -> None:
    """Print the JSON Schema of site files, for editors that complete and check.

    Example: hazwatch site schema > site.schema.json
    """
    typer.echo(json_schema(), nl=False)


@app.command()
def audit(
    file: File,
    as_json: Annotated[
        bool, typer.Option("--json", help="every comparison as one JSON document")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="with what is good")] = False,
) -> None:
    """Hold set points 报警设定值 against GB/T 50493-2019 and sanity rules, without a database.

    It tells and refuses nothing; exit code 1 where something is not allowed.
    docs/set-points.md has the rules.

    Example: hazwatch site audit plant.yaml
    """
    found = audit_site(read_document(file, read_site))
    if as_json:
        print_json([audit_row(*one) for one in found])
    else:
        show_audit(found, every)
    if any(row.severity is Severity.ERROR for *_, row in found):
        raise typer.Exit(WRONG)


def read_watchable(text: str) -> Site:
    """The site that a YAML text describes, every tag and written rule of which can be watched."""
    site = read_site(text)
    problems = [
        Problem(1, place(("enterprises", e, "sources", s, "tags", t)), fault.split(": ", 1)[1])
        for e, enterprise in enumerate(site.enterprises)
        for s, source in enumerate(enterprise.sources)
        for t, entry in enumerate(source.tags)
        for fault in _faults(entry)
    ]
    problems += [Problem(1, place(loc), fault) for loc, fault in rule_faults(site)]
    if problems:
        raise DocumentError(problems)
    return site


def _faults(entry: TagEntry) -> list[str]:
    """Every reason why a tag cannot be watched, in whatever mode its unit is; each once."""
    tag = entry.tag(0, 1, 0, 0, EPOCH)
    modes = {"": tag} | {mode: in_mode(tag, mode) for mode in tag.limits_by_mode}
    found = {fault: mode for mode, own in reversed(modes.items()) for fault in tag_faults(own)}
    return [fault + (f" (in mode {mode})" if mode else "") for fault, mode in found.items()]


def json_schema() -> str:
    """The published schema, `schemas/site.schema.json`."""
    return schema_text(Site.model_json_schema(), "hazwatch site file")


def _with_database(database_url: str | None, work: Any) -> Any:
    """What `work(connection)` returns; exits with 3 where the database is away or empty, with 1
    where two changes of the site meet."""
    from storage.registry import SiteConflictError

    try:
        return with_database(database_url, work, "hazwatch-site")
    except SiteConflictError as error:
        fail(str(error), WRONG)


async def _load(conn: Any, site: Site, by: str | None, prune: bool, dry_run: bool) -> "LoadReport":
    from storage.registry import load_site

    at = SystemClock().now()
    who = by or getpass.getuser()
    return await load_site(conn, site, by=who, at=at, prune=prune, dry_run=dry_run)


def _contents(site: Site) -> str:
    sources = [source for enterprise in site.enterprises for source in enterprise.sources]
    counts = {
        "enterprises": len(site.enterprises),
        "sources": len(sources),
        "gateways": sum(len(enterprise.gateways) for enterprise in site.enterprises),
        "tags": sum(len(source.tags) for source in sources),
    }
    return ", ".join(f"{n} {name}" for name, n in counts.items())


def _show_report(report: "LoadReport", dry_run: bool) -> None:
    out = console()
    if not report.changes:
        out.print(Text(f"nothing changes, the site stays at version {report.version}"))
    else:
        counts = Counter((str(change.what), str(change.how)) for change in report.changes)
        table = Table("", "new", "changed", "renewed", "removed")
        for what in ("node", "gateway", "tag"):
            row = [str(counts[what, how]) for how in ("new", "changed", "renewed", "removed")]
            table.add_row(f"{what}s", *row)
        out.print(table)
        for change in report.changes:
            if change.how != "new":
                what = f"{change.how} {change.what} {'/'.join(change.path)}"
                out.print(Text(what + (f": {', '.join(change.members)}" * bool(change.members))))
        verb = "would be" if dry_run else "is"
        out.print(Text(f"the site {verb} at version {report.version}"))
    for path in report.kept:
        out.print(Text(f"kept though not in this file (--prune removes it): {'/'.join(path)}"))


def _tree(registry: Registry, with_tags: bool) -> Tree:
    root = Tree(Text(f"site, version {registry.version}", "bold"))
    branches: dict[int, Tree] = {}
    for node in sorted(registry.nodes.values(), key=lambda node: node.id):
        parent = branches.get(node.parent, root) if node.parent is not None else root
        branches[node.id] = parent.add(_node_line(node, registry))
    if with_tags:
        for tag in sorted(registry.tags.values(), key=lambda tag: tag.name):
            branches[tag.source].add(_tag_line(tag))
    return root


def _node_line(node: Node, registry: Registry) -> Text:
    line = Text.assemble((node.code, "bold"), f" {node.name} ({node.kind})")
    codes = [gateway.code for gateway in registry.gateways if gateway.enterprise == node.id]
    return line.append(f" gateways: {', '.join(codes)}" if codes else "")


def _tag_line(tag: Tag) -> Text:
    limits = " ".join(f"{kind.name} {limit:g}" for kind, limit in tag.limits.items())
    line = Text.assemble((tag.name, "cyan"), f" {tag.kind}")
    line.append(f" {limits} {tag.unit}".rstrip() if limits else f" {tag.unit}".rstrip())
    return line.append(f" (version {tag.version})" if tag.version > 1 else "")

"""What an operator can set or watch is described, in words, somewhere below docs/."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from hazwatch.settings import Settings

ROOT = Path(__file__).parents[2]
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"][
    "targets"
]["wheel"]["packages"]
DOCS = "\n".join(file.read_text("utf-8") for file in sorted((ROOT / "docs").rglob("*.md")))
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def metric_names() -> list[str]:
    """First arguments of metrics, wherever a stage defines them."""
    trees = [
        ast.parse(file.read_text("utf-8"))
        for package in PACKAGES
        for file in (ROOT / package).rglob("metrics.py")
    ]
    constants = [
        str(node.value)
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
    ]
    return sorted({word for word in constants if re.fullmatch(r"hazwatch_[a-z0-9_]+", word)})


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_in_the_architecture(package: str):
    architecture = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert f"`{package}" in architecture


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_documented(name: str):
    assert f"HAZWATCH_{name.upper()}" in DOCS


@pytest.mark.parametrize("name", metric_names())
def test_every_metric_is_documented(name: str):
    assert re.search(rf"\b{name}\b", DOCS)


@pytest.mark.parametrize(
    "page",
    [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_every_link_between_pages_leads_somewhere(page: Path):
    links = [link for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_both_readmes_show_the_same_commands():
    blocks = [
        re.findall(r"^ *(make \w+|hazwatch \w[\w ]*)", (ROOT / name).read_text("utf-8"), re.M)
        for name in ("README.md", "README.zh-CN.md")
    ]
    assert blocks[0] == blocks[1] != []

"""YAML text as JSON-like data that still knows on which line each member stands."""

import re
from dataclasses import dataclass
from typing import Any

import yaml

from domain.problem import DocumentError, Loc, Problem, path

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # a PyYAML built without libyaml reads the same, slower
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

MAX_NODES = 4_000_000
"""How much one document may unfold to, aliases included."""
MAX_DEPTH = 64


class _CoreLoader(_Loader):
    """YAML 1.2 core schema: `no`, `on`, `12:30` and dates are plain text, as in JSON."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 -- filled below, as PyYAML wants it


for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+0123456789."),
    ),
):
    _CoreLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_kind}", re.compile(f"^(?:{_pattern})$"), _first
    )


@dataclass(frozen=True, slots=True)
class YamlSource:
    """`data`: dicts with text keys, lists, text, numbers, bools and None."""

    data: Any
    root: yaml.Node

    def line(self, loc: Loc) -> int:
        """The line of a member; of a missing one its parent's."""
        node, line = self.root, _line(self.root)
        for step in loc:
            child = _child(node, step)
            if child is None:
                break
            key, node = child
            line = _line(key if isinstance(node, yaml.CollectionNode) else node)
        return line


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if key.value == step), None)
    return None


def parse(text: str) -> YamlSource:
    """The data of one YAML document; raises `DocumentError` where there is none to be had."""
    try:
        _refuse_depth(text)
        root = _CoreLoader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DocumentError(
            [Problem(mark.line + 1 if mark else 1, "", f"not YAML: {error.problem}")]
        ) from error
    except yaml.YAMLError as error:
        raise DocumentError([Problem(1, "", f"not YAML: {error}")]) from error
    if root is None:
        raise DocumentError([Problem(1, "", "the file is empty")])
    reading = _Reading()
    data = reading.value(root, (), frozenset())
    if reading.problems:
        raise DocumentError(reading.problems)
    return YamlSource(data, root)


def _refuse_depth(text: str) -> None:
    """Composing recurses, in C without a check; the events of the parser do not."""
    depth = 0
    for event in yaml.parse(text, Loader=_CoreLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise DocumentError([Problem(line, "", f"nested deeper than {MAX_DEPTH} levels")])


class _Reading:
    """One pass from YAML nodes to data. `problems`: what no model could notice afterwards."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._nodes = 0

    def value(self, node: yaml.Node, loc: Loc, inside: frozenset[int]) -> Any:
        self._nodes += 1
        if id(node) in inside or self._nodes > MAX_NODES:
            raise DocumentError([Problem(_line(node), path(loc), "aliases unfold without end")])
        if isinstance(node, yaml.SequenceNode):
            deeper = inside | {id(node)}
            return [self.value(item, (*loc, i), deeper) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, loc, inside | {id(node)})
        try:
            return _scalar(node)
        except ValueError:
            self.problems.append(Problem(_line(node), path(loc), f"{node.value!r} is no number"))

    def _mapping(self, node: yaml.MappingNode, loc: Loc, inside: frozenset[int]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            here = (*loc, str(key.value))
            if not isinstance(key, yaml.ScalarNode):
                self.problems.append(Problem(_line(key), path(loc), "a key must be plain text"))
            elif key.value in found:
                self.problems.append(
                    Problem(_line(key), path(here), "is written twice; keep one of them")
                )
            else:
                found[key.value] = self.value(value, here, inside)
        return found


def _scalar(node: yaml.Node) -> Any:
    text: str = node.value
    match node.tag:
        case "tag:yaml.org,2002:null":
            return None
        case "tag:yaml.org,2002:bool":
            return text.lower() == "true"
        case "tag:yaml.org,2002:int":
            return int(text)
        case "tag:yaml.org,2002:float":
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        case _:
            return text

"""What people write: read, checked, and answered with everything that is wrong in it at once."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.explain import explain
from domain.problem import DocumentError, Loc, Problem, path
from domain.yaml_source import parse

M = TypeVar("M", bound=BaseModel)
Rules = Callable[[M, frozenset[str]], Iterable[tuple[Loc, str]]]
"""Cross-checks of a valid model. The second argument holds the codes and names of entries that were
left out because they have problems of their own: a reference to one of them is not dangling."""


class Entry(BaseModel):
    """Base of what people write: unknown members, wrong types, NaN and infinity are errors."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def read(text: str, model: type[M], rules: Rules[M]) -> M:
    """The text as a `model` that keeps the `rules`; else `DocumentError` with everything wrong."""
    document = parse(text)
    found, errors, dropped = _validated(model, document.data)
    problems = [
        Problem(document.line(loc), path(loc), explain(error, model, loc)) for loc, error in errors
    ]
    if found is not None:
        absent = frozenset(_names(document.data, dropped))
        for rest_loc, sentence in rules(found, absent):
            loc = _original(rest_loc, dropped)
            problems.append(Problem(document.line(loc), path(loc), sentence))
    if problems or found is None:
        raise DocumentError(problems)
    return found


def _validated(
    model: type[M], data: Any
) -> tuple[M | None, list[tuple[Loc, dict[str, Any]]], set[Loc]]:
    """The model of what has no errors, the errors, and what was left out for them.

    An optional member goes alone, a required one takes its entry with it; so the cross-checks
    still see the rest.
    """
    errors: list[tuple[Loc, dict[str, Any]]] = []
    dropped: set[Loc] = set()
    while True:
        try:
            rest = json.dumps(_without(data, dropped))
            return model.model_validate_json(rest), errors, dropped
        except ValidationError as error:
            found = [
                (_original(_plain(one["loc"]), dropped), dict(one))
                for one in error.errors(include_url=False)
            ]
        errors = errors or found
        guilty = {loc[:-1] if error["type"] == "missing" else loc for loc, error in found}
        if () in guilty or guilty <= dropped:
            return None, errors, dropped
        dropped |= guilty


def _plain(loc: Loc) -> Loc:
    return loc[:-1] if loc and loc[-1] == "[key]" else loc


def _without(data: Any, dropped: set[Loc], at: Loc = ()) -> Any:
    if not dropped:
        return data
    if isinstance(data, dict):
        return {
            key: _without(value, dropped, (*at, key))
            for key, value in data.items()
            if (*at, key) not in dropped
        }
    if isinstance(data, list):
        return [
            _without(value, dropped, (*at, i))
            for i, value in enumerate(data)
            if (*at, i) not in dropped
        ]
    return data


def _original(loc: Loc, dropped: set[Loc]) -> Loc:
    """Where a location of the thinned-out data lies in the whole."""
    at: Loc = ()
    for step in loc:
        whole = step
        if isinstance(step, int):
            whole = 0
            left = step
            while (*at, whole) in dropped or left > 0:
                left -= (*at, whole) not in dropped
                whole += 1
        at = (*at, whole)
    return at


def _names(data: Any, dropped: set[Loc]) -> Iterator[str]:
    for loc in dropped:
        value = data
        for step in loc:
            value = value[step]
        yield from _identities(value)


def _identities(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (str(value[key]) for key in ("code", "name") if key in value)
        for below in value.values():
            yield from _identities(below)
    elif isinstance(value, list):
        for below in value:
            yield from _identities(below)

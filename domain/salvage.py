"""The part of a document that has no errors, so that it can be checked on although others have."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from domain.explain import entry_at
from domain.problem import Loc

M = TypeVar("M", bound=BaseModel)
_GONE = object()


@dataclass(slots=True)
class Salvaged(Generic[M]):
    """What could be saved. `model` is None where nothing could; `errors` are those of the whole.

    data: the whole document. patches: where something was left out or stands in for something.
    """

    data: Any
    model: M | None = None
    errors: list[tuple[Loc, dict[str, Any]]] = field(default_factory=list)
    patches: dict[Loc, Any] = field(default_factory=dict)

    def original(self, loc: Loc) -> Loc:
        """Where a location of `model` lies in the whole."""
        at: Loc = ()
        for step in loc:
            at = (*at, self._index(at, step) if isinstance(step, int) else step)
        return at

    def touched(self, loc: Loc) -> bool:
        """Whether something was left out or replaced at `loc` or below it."""
        return any(patched[: len(loc)] == loc for patched in self.patches)

    def absent(self) -> frozenset[str]:
        """Codes and names in what was left out or replaced."""
        return frozenset(name for loc in self.patches for name in _names(_at(self.data, loc)))

    def thinned(self) -> Any:
        """The data with its patches."""
        by_parent: dict[Loc, dict[str | int, Any]] = {}
        for loc, value in self.patches.items():
            by_parent.setdefault(loc[:-1], {})[loc[-1]] = value
        return _thinned(self.data, by_parent, ()) if by_parent else self.data

    def patch(self, model: type[M], loc: Loc, error: str) -> bool:
        """Put a stand-in at `loc`, or leave it or its parent out; False where neither can be."""
        stand_ins = getattr(entry_at(model, loc[:-1]), "STAND_INS", {})
        if loc and loc not in self.patches and loc[-1] in stand_ins:
            value = stand_ins[str(loc[-1])]
            unique = loc[-1] in ("code", "name")
            self.patches[loc] = f"{value}-{len(self.patches)}" if unique else value
            return True
        if error == "missing" or self.patches.get(loc, _GONE) is not _GONE:
            loc = loc[:-1]
        if not loc or self.patches.get(loc) is _GONE:
            return False
        self.patches[loc] = _GONE
        return True

    def _index(self, at: Loc, step: int) -> int:
        whole = 0
        while step > 0 or self.patches.get((*at, whole)) is _GONE:
            step -= self.patches.get((*at, whole)) is not _GONE
            whole += 1
        return whole


def salvage(model: type[M], data: Any) -> Salvaged[M]:
    """Everything of `data` that makes a valid `model`, and the errors of the rest.

    A wrong optional member is left out; a required one takes its entry with it, unless the entry
    knows a stand-in.
    """
    found: Salvaged[M] = Salvaged(data)
    while True:
        try:
            found.model = model.model_validate_json(json.dumps(found.thinned()))
            return found
        except ValidationError as error:
            errors = [
                (found.original(_plain(one["loc"])), dict(one))
                for one in error.errors(include_url=False)
                if not _follows(one["type"], one)
            ]
        found.errors = found.errors or errors
        patched = [found.patch(model, loc, str(error["type"])) for loc, error in errors]
        if not all(patched):
            return found


def _follows(kind: str, error: Any) -> bool:
    """Whether a list is only called too short because its wrong items do not count."""
    return kind == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _plain(loc: Loc) -> Loc:
    return loc[:-1] if loc and loc[-1] == "[key]" else loc


def _thinned(data: Any, patches: dict[Loc, dict[str | int, Any]], at: Loc) -> Any:
    here = patches.get(at, {})
    if isinstance(data, dict):
        kept = {
            key: here[key] if key in here else _thinned(value, patches, (*at, key))
            for key, value in (data | dict.fromkeys(here)).items()
        }
        return {key: value for key, value in kept.items() if value is not _GONE}
    if isinstance(data, list):
        return [
            here[i] if i in here else _thinned(value, patches, (*at, i))
            for i, value in enumerate(data)
            if here.get(i) is not _GONE
        ]
    return data


def _at(data: Any, loc: Loc) -> Any:
    for step in loc:
        known = isinstance(data, list) or (isinstance(data, dict) and step in data)
        data = data[step] if known else None
    return data


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (str(value[key]) for key in ("code", "name") if key in value)
        for below in value.values():
            yield from _names(below)
    elif isinstance(value, list):
        for below in value:
            yield from _names(below)
    elif value is not None:
        yield str(value)

"""What people write: read, checked, and answered with everything that is wrong in it at once."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict

from domain.explain import explain
from domain.problem import DocumentError, Loc, Problem, path
from domain.salvage import salvage
from domain.yaml_source import parse

M = TypeVar("M", bound=BaseModel)
Rules = Callable[[M, frozenset[str]], Iterable[tuple[Loc, str]]]
"""Cross-checks of a valid model. The second argument holds the codes and names of entries that were
left out because they have problems of their own: a reference to one of them is not dangling."""


class Entry(BaseModel):
    """Base of what people write: unknown members, wrong types, NaN and infinity are errors.

    STAND_INS: harmless values for required members, so that one wrong member does not hide what is
    wrong elsewhere in its entry.
    """

    STAND_INS: ClassVar[dict[str, Any]] = {}
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def read(text: str, model: type[M], rules: Rules[M]) -> M:
    """The text as a `model` that keeps the `rules`; else `DocumentError` with everything wrong."""
    document = parse(text)
    found = salvage(model, document.data)
    problems = [
        Problem(document.line(loc), path(loc), explain(error, model, loc))
        for loc, error in found.errors
    ]
    if found.model is not None:
        for thinned, sentence in rules(found.model, found.absent()):
            loc = found.original(thinned)
            if not found.touched(loc):
                problems.append(Problem(document.line(loc), path(loc), sentence))
    if problems or found.model is None:
        raise DocumentError(problems)
    return found.model

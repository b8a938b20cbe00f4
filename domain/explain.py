"""A validation error as a clause for people: the value, what is wrong, what is allowed."""

import difflib
import json
import types
from collections.abc import Iterable
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

PATTERNS: dict[str, str] = {}
"""Pattern → what it allows, in words; filled where a pattern is defined."""
LONGEST = 80
"""Characters of a value that an error shows."""


def explain(error: dict[str, Any], model: type[BaseModel], loc: tuple[str | int, ...]) -> str:
    """The clause for one error of pydantic at `loc` of `model`."""
    value = error.get("input")
    match error["type"]:
        case "missing":
            return "is missing" + _purpose(model, loc)
        case "extra_forbidden":
            return f"unknown member{suggestion(str(loc[-1]), members(model, loc[:-1]))}"
        case "string_type" if isinstance(value, int | float) and not isinstance(value, bool):
            return f'is the number {value}, allowed is text: write it in quotes, "{value}"'
        case "string_pattern_mismatch":
            pattern = error["ctx"]["pattern"]
            return f"{shown(value)} is not allowed; allowed: {PATTERNS.get(pattern, pattern)}"
        case "enum":
            return f"{shown(value)} is unknown{_choice(value, error['ctx']['expected'])}"
        case "value_error":
            return f"{shown(value)}: {error['ctx']['error']}"
        case _:
            sentence = error["msg"].removeprefix("Input should be ")
            return f"{shown(value)} is not allowed; allowed: {sentence}"


def shown(value: Any) -> str:
    """A value as JSON, cut to what fits a line."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"? allowed: x, y, z`, as far as there is something to say."""
    choices = list(known)
    close = difflib.get_close_matches(word, choices, n=1)
    hint = f'; did you mean "{close[0]}"?' if close else ""
    allowed = f" allowed: {', '.join(choices)}" if choices else ""
    return (hint or ";" * bool(allowed)) + allowed


def members(model: Any, loc: tuple[str | int, ...]) -> list[str]:
    """The member names that the entry at `loc` may have."""
    entry = entry_at(model, loc)
    return list(entry.model_fields) if entry else []


def entry_at(model: Any, loc: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model of the entry at `loc`; None where there is no entry but a plain value."""
    model = _entry(model)
    for step in loc:
        if isinstance(model, type) and issubclass(model, BaseModel):
            field = model.model_fields.get(str(step))
            model = _entry(field.annotation) if field else None
        elif get_args(model):
            model = _entry(get_args(model)[-1 if get_origin(model) is dict else 0])
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _entry(annotation: Any) -> Any:
    """The annotation without `Annotated` and `| None`."""
    if get_origin(annotation) is Annotated:
        return _entry(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _entry(next(arg for arg in get_args(annotation) if arg is not type(None)))
    return annotation


def _purpose(model: type[BaseModel], loc: tuple[str | int, ...]) -> str:
    """What the missing member is for, from the model's own documentation."""
    entry = entry_at(model, loc[:-1])
    field = entry.model_fields.get(str(loc[-1])) if entry else None
    return f" ({field.description.rstrip('.')})" if field and field.description else ""


def _choice(value: Any, expected: str) -> str:
    choices = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    return suggestion(str(value), choices)

"""Hazard categories of GB 18218-2018 as people write them."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from domain.explain import shown, suggestion
from domain.gb18218_choice import NO_CATEGORY
from domain.gb18218_tables import tables


def _listed(value: Any) -> Any:
    return (
        (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value
    )


def _known(symbols: Sequence[str]) -> Sequence[str]:
    allowed = (*tables().categories, NO_CATEGORY)
    for symbol in symbols:
        if symbol not in allowed:
            raise ValueError(f"{shown(symbol)} is no category{suggestion(symbol, allowed)}")
    return symbols


Categories = Annotated[
    tuple[str, ...],
    BeforeValidator(_listed, json_schema_input_type=str | list[str]),
    AfterValidator(_known),
]
"""One symbol of Table 2 such as `W5.3`, or a list of them; `none`: the standard does not count
it."""

"""An engine with other layers than those of the house: none, or toys."""

from collections.abc import Iterator
from contextlib import contextmanager

from rules import adoption, closing, compiling, engine, snapshot, state
from rules.layers import LAYERS
from rules.rows import Layer

HOLDERS = (adoption, closing, compiling, engine, snapshot, state)


@contextmanager
def layers(*chosen: Layer) -> Iterator[None]:
    """Within it, plans are compiled and judged with these layers."""
    _set(chosen)
    try:
        yield
    finally:
        _set(LAYERS)


def _set(chosen: tuple[Layer, ...]) -> None:
    for module in HOLDERS:
        module.LAYERS = chosen  # type: ignore[attr-defined]

"""How many bytes things hold: arrays, each counted once, and the Python objects around them."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

SHARED = (type, type(None), bool, str, bytes)
"""Of no weight: they belong to the code, or to the registry."""


def weigh(*things: Any) -> int:
    """Bytes of these things and of all that they hold."""
    seen: set[int] = set()
    return sum(_weigh(thing, seen) for thing in things)


def _weigh(thing: Any, seen: set[int]) -> int:
    if isinstance(thing, np.ndarray) and thing.base is not None:
        return _weigh(thing.base, seen)
    if id(thing) in seen or isinstance(thing, SHARED) or callable(thing):
        return 0
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        return thing.nbytes + 100
    return sys.getsizeof(thing) + sum(_weigh(part, seen) for part in _parts(thing))


def _parts(thing: Any) -> Iterable[Any]:
    if is_dataclass(thing):
        return [getattr(thing, field.name) for field in fields(thing)]
    if isinstance(thing, Mapping):
        return [*thing.keys(), *thing.values()]
    if isinstance(thing, (tuple, list, set, frozenset)):
        return thing
    names = [*getattr(type(thing), "__slots__", ()), *getattr(thing, "__dict__", ())]
    return [getattr(thing, name) for name in names]

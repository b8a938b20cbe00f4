"""Compiled loops as plain Python, which raises where an index lies outside of an array."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest


@contextmanager
def uncompiled(*modules: ModuleType) -> Iterator[pytest.MonkeyPatch]:
    """Within it, nothing that these modules call by a name of theirs is compiled."""
    with pytest.MonkeyPatch.context() as patch:
        for module in modules:
            for name, value in list(vars(module).items()):
                if hasattr(value, "py_func"):
                    patch.setattr(module, name, value.py_func)
        yield patch

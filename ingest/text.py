"""Text from outside, made fit to be written down."""

from typing import Any


def sound(said: str) -> str:
    """`said` with lone surrogates, which no encoding of Unicode can hold, as U+FFFD."""
    try:
        said.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= one <= "\udfff" else one for one in said)
    return said


def all_sound(told: Any) -> Any:
    """A JSON value with every text in it, names of members included, as `sound`."""
    if isinstance(told, str):
        return sound(told)
    if isinstance(told, dict):
        return {sound(name): all_sound(value) for name, value in told.items()}
    if isinstance(told, list):
        return [all_sound(value) for value in told]
    return told

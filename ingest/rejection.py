"""`Rejection`: why something that came in was not taken."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rejection:
    """reason: a stable word; detail: a sentence naming the thing and what is allowed."""

    reason: str
    detail: str


def shown(said: object) -> str:
    """What was said, as a detail sentence quotes it: at most 80 characters of it."""
    if isinstance(said, dict):
        return "an object"
    if isinstance(said, list):
        return "a list"
    text = repr(said[:80] if isinstance(said, str) else said)
    return text if len(text) <= 82 else f"{text[:80]}…"

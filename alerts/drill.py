"""Drills 演练 are marked as such everywhere, or somebody runs for nothing. Pure."""

from collections.abc import Mapping

MARK = "【演练 DRILL】"
REAL_MARK = "【非演练 REAL】"
"""Of a real warning where people may expect a drill."""


def is_drill(body: Mapping[str, object]) -> bool:
    """Whether a notice or an event belongs to a drill."""
    return body.get("drill") is True


def marked(body: Mapping[str, object]) -> dict[str, object]:
    """The body with the mark at the head of its sentence, if it belongs to a drill."""
    said = dict(body)
    text = said.get("text")
    if is_drill(body) and isinstance(text, str) and not text.startswith(MARK):
        said["text"] = f"{MARK}{text}"
    return said


def cap_status(body: Mapping[str, object]) -> str:
    """`status` of CAP 1.2 (domain.md 6.2): drills must be Exercise."""
    return "Exercise" if is_drill(body) else "Actual"

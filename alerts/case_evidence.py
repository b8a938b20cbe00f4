"""What a feedback 处置反馈 brings: its evidence, and whether the case has seen it before. Pure.

Evidence is a text, a file, a reading or a person on the spot (domain.md 4.8 rule 3). What differs
only in case, width, blanks and punctuation is the same, but for the signs of a number; a file is
known by its content.
"""

import re
import unicodedata
from collections.abc import Mapping
from hashlib import blake2b
from uuid import UUID

from domain.cases import Attachment, Feedback

SAID = 200
"""So many pieces of evidence of a case are remembered, the newest."""
TEXTS = ("text", "reading", "person")
SAYS = re.compile(r"[^\W_]|(?<=\d)[.,](?=\d)|(?<![^\W_])[+\-−±](?=\s*\d)|[<>=≤≥]+(?=\s*[+\-−±]?\d)")
"""Letters and digits, and what makes a number another one: its point, its sign, its comparison."""


def evidence(feedback: Feedback) -> tuple[str, ...]:
    """Digests of all that a feedback brings; empty if it brings nothing."""
    words = [(kind, plain(getattr(feedback, kind))) for kind in TEXTS]
    found = [(kind, word) for kind, word in words if word]
    found += [("file", one.sha256) for one in feedback.files]
    return tuple(dict.fromkeys(_digest(kind, what) for kind, what in found))


def joined(said: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    """What a case has heard, with more of it."""
    return (*(one for one in said if one not in new), *new)[-SAID:]


def plain(text: str) -> str:
    """A text without what makes no difference; empty if it says nothing."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(SAYS.findall(folded)).replace("−", "-")


def attachments(detail: Mapping[str, object]) -> tuple[Attachment, ...]:
    """The files that an action names, as the api described them."""
    found = detail.get("files")
    return tuple(map(_attachment, found)) if isinstance(found, list) else ()


def word(detail: Mapping[str, object], name: str) -> str:
    """A text that an action brings; empty where it brings none."""
    found = detail.get(name)
    return found.strip() if isinstance(found, str) else ""


def _attachment(said: Mapping[str, object]) -> Attachment:
    return Attachment(
        UUID(str(said["id"])),
        str(said["name"]),
        str(said["type"]),
        int(str(said["size"])),
        str(said["sha256"]),
    )


def _digest(kind: str, what: str) -> str:
    return blake2b(f"{kind}/{what}".encode(errors="replace"), digest_size=8).hexdigest()

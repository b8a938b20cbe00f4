"""Addresses of the apprise channel: what hazwatch adds to them, and what of them is secret. Pure.

    wecombot://KEY?hw_language=en&hw_form=short

`hw_language` (zh-CN, en) and `hw_form` (short, long) are ours and are taken out before apprise
sees the address.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

_OURS = re.compile(r"([?&])hw_(language|form)=([^&#]*)")
_SCHEME = re.compile(r"\w[\w+.-]*(?=://)")
_LOGIN = re.compile(r"://[^:/?#]*:([^@]*)@|[?&]pass=([^&#]*)")
_SPLIT = re.compile(r"[/:@?&=,#]+")
MAIL = frozenset({"mailto", "mailtos"})
LANGUAGES, FORMS = ("zh-CN", "en"), ("short", "long")
SHORTEST_SECRET = 4


@dataclass(frozen=True, slots=True)
class Address:
    """What apprise gets, and how to write for it; None = as the installation and the service have
    it."""

    url: str
    language: str | None = None
    form: str | None = None

    @property
    def scheme(self) -> str:
        """Which service it is, in small letters; empty where there is none."""
        found = _SCHEME.match(self.url)
        return found.group().lower() if found else ""


def parse(address: str) -> Address:
    """An address without what is ours; raises `ValueError` with a sentence about what is wrong."""
    said = {name: value for _, name, value in _OURS.findall(address)}
    for name, allowed in (("language", LANGUAGES), ("form", FORMS)):
        if said.get(name, allowed[0]) not in allowed:
            raise ValueError(f"hw_{name} is {said[name]!r}, expected {' or '.join(allowed)}")
    bare = _OURS.sub(lambda found: "?" if found[1] == "?" else "", address)
    bare = bare.replace("?&", "?").rstrip("?")
    if not _SCHEME.match(bare) or not bare.isprintable():
        raise ValueError("expected SERVICE://…, such as wecombot://KEY; see docs/notices.md")
    return Address(bare, said.get("language"), said.get("form"))


def scrubbed(text: str, url: str) -> str:
    """A text without anything of an address that may be secret: of mail its password, of all
    others every part."""
    scheme, _, rest = url.partition("://")
    if scheme.lower() in MAIL:
        parts = [part for found in _LOGIN.findall(url) for part in found if part]
    else:
        parts = [part for part in _SPLIT.split(rest) if len(part) >= SHORTEST_SECRET]
    for part in sorted({*parts, *map(unquote, parts)}, key=len, reverse=True):
        text = text.replace(part, "***")
    return text

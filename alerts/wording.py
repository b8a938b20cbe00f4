"""What a notice says: templates in zh-CN and en, each with a short form (SMS, one line) and a long
one (title and body). Pure; `hazwatch.wordings` reads the files.

A template is a text file with the sections `[short]`, `[title]` and `[body]`; lines that begin with
`#` are comments. `$name` is a word of `alerts.wording_words`; `$$` is a dollar sign. What stands
between `[[` and `]]` is left out if one of its words is absent, and a line of the body likewise.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from string import Template

from alerts.wording_values import Lexicon
from alerts.wording_words import ALWAYS, KNOWN, marks, occasion, words

LANGUAGES = ("zh-CN", "en")
SECTIONS = ("short", "title", "body")
LONGEST_SHORT = {"zh-CN": 70, "en": 160}
"""Characters of one SMS: 70 where it has Chinese (UCS-2), else 160 (GSM 03.38)."""
SHRINK = ("text", "first", "source", "place", "enterprise", "tag", "role", "silent", "reason")
"""Words that the short form cuts where there is no room; figures are not among them."""
LEAST = 4
_OPTIONAL = re.compile(r"\[\[(.*?)\]\]")
_OPTIONAL_LAST = re.compile(r"(.*)\[\[.*?\]\](.*)")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~])")
_LABEL = re.compile(r"([^：:]{1,24})(：|: )(.+)")


class TemplateError(ValueError):
    """A template can't be used; the text names file, line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A notice as it is read. markdown: the body again, for services that show it."""

    title: str
    body: str
    markdown: str
    short: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """One template: a line, a line, and lines."""

    short: str
    title: str
    body: tuple[str, ...]


class Wording:
    """Writes notices. patterns: by language and occasion; zone: of the times that people read;
    page: where to look, None = not said."""

    def __init__(
        self,
        patterns: Mapping[tuple[str, str], Pattern],
        lexicons: Mapping[str, Lexicon],
        zone: tzinfo,
        page: str | None = None,
    ) -> None:
        self._patterns = patterns
        self._lexicons = lexicons
        self._zone = zone
        self._page = page

    def render(self, body: Mapping[str, object], at: datetime, language: str) -> Rendered:
        """A notice body in a language. at: when the notice was made, for bodies that do not say.

        Whatever the body has or lacks, no form is empty and none has a hole.
        """
        lexicon = self._lexicons[language]
        pattern = self._patterns[language, occasion(body)]
        said = words(body, at, lexicon, self._zone)
        if self._page:
            said["page"] = self._page
        mark = marks(body, lexicon)
        lines = [line for line in (_line(raw, said) for raw in pattern.body) if line]
        return Rendered(
            _capital(mark, _filled(pattern.title, said)),
            "\n".join([mark.strip(), *lines] if mark else lines),
            markdown(lines, mark),
            _short(pattern.short, said, mark, LONGEST_SHORT[language]),
        )


def parse(name: str, text: str) -> Pattern:
    """A template file; raises `TemplateError`. name: the occasion, as in the name of the file."""
    sections = _sections(name, text)
    for section, lines in sections.items():
        for number, line in lines:
            _check(f"{name}.txt line {number}", name, section, line)
    one = {
        section: [line for _, line in lines if line.strip()] for section, lines in sections.items()
    }
    for section in ("short", "title"):
        if len(one[section]) != 1:
            raise TemplateError(
                f"{name}.txt: [{section}] has {len(one[section])} lines, expected 1"
            )
    if not one["body"]:
        raise TemplateError(f"{name}.txt: [body] is empty")
    return Pattern(one["short"][0], one["title"][0], tuple(one["body"]))


def markdown(lines: list[str], mark: str = "") -> str:
    """Lines of a body for services that show markdown: labels bold, everything else as it is."""
    made = [f"**{_escaped(mark.strip())}**"] if mark else []
    for line in lines:
        found = _LABEL.fullmatch(line)
        if found is None:
            made.append(_escaped(line))
        else:
            label, colon, value = found.groups()
            made.append(f"**{_escaped(label)}**{colon}{_escaped(value)}")
    return "\n\n".join(made)


def _sections(name: str, text: str) -> dict[str, list[tuple[int, str]]]:
    found: dict[str, list[tuple[int, str]]] = {}
    lines: list[tuple[int, str]] | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.rstrip()
        head = re.fullmatch(r"\[(\w+)\]", line)
        if head:
            if head[1] not in SECTIONS or head[1] in found:
                known = ", ".join(f"[{section}]" for section in SECTIONS)
                raise TemplateError(f"{name}.txt line {number}: {line}, expected {known} once each")
            lines = found.setdefault(head[1], [])
        elif line.startswith("#"):
            continue
        elif lines is not None:
            lines.append((number, line))
        elif line:
            raise TemplateError(f"{name}.txt line {number}: {line!r} stands before any section")
    for section in SECTIONS:
        if section not in found:
            raise TemplateError(f"{name}.txt: no section [{section}]")
    return found


def _check(where: str, name: str, section: str, line: str) -> None:
    """Everything that is wrong in a line."""
    bare = _OPTIONAL.sub("", line)
    if "[[" in bare or "]]" in bare:
        raise TemplateError(f"{where}: [[ and ]] must come in pairs, on one line, not nested")
    if not Template(line).is_valid():
        raise TemplateError(f"{where}: a $ that is followed by no word; write $$ for a dollar sign")
    for word in Template(line).get_identifiers():
        if word not in KNOWN[name]:
            known = ", ".join(f"${one}" for one in sorted(KNOWN[name]))
            raise TemplateError(f"{where}: no word ${word}, known here: {known}")
    if section != "body":
        for word in Template(bare).get_identifiers():
            if word not in ALWAYS[name]:
                raise TemplateError(f"{where}: ${word} may be absent, put it between [[ and ]]")


def _filled(line: str, said: Mapping[str, str]) -> str:
    """A line with its words; parts between [[ and ]] only if all theirs are there."""

    def part(found: re.Match[str]) -> str:
        known = all(word in said for word in Template(found[1]).get_identifiers())
        return found[1] if known else ""

    return Template(_OPTIONAL.sub(part, line)).substitute(said).strip()


def _line(line: str, said: Mapping[str, str]) -> str:
    """A line of the body, empty if a word is absent."""
    needed = Template(_OPTIONAL.sub("", line)).get_identifiers()
    return _capital("", _filled(line, said)) if all(word in said for word in needed) else ""


def _short(line: str, said: Mapping[str, str], mark: str, room: int) -> str:
    """The short form: names give way to figures, then the last of what may be left out, and its
    end."""
    said = dict(said)
    while len(text := _capital(mark, _filled(line, said))) > room:
        used = [word for word in SHRINK if f"${word}" in line and len(said.get(word, "")) > LEAST]
        if not used and (fewer := _OPTIONAL_LAST.sub(r"\1\2", line)) != line:
            line = fewer
            continue
        if not used:
            return f"{text[: room - 1]}…"
        longest = max(used, key=lambda word: len(said[word]))
        said[longest] = f"{said[longest][:-2]}…"
    return text


def _capital(mark: str, text: str) -> str:
    return f"{mark}{text[:1].upper()}{text[1:]}"


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)

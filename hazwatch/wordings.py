"""Reads the templates of notices: those that come with hazwatch, and an installation's own."""

import tomllib
from collections.abc import Callable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Any

from alerts.channels.apprise_address import Address
from alerts.channels.apprise_sending import Message
from alerts.wording import LANGUAGES, Pattern, TemplateError, Wording, parse
from alerts.wording_values import Lexicon
from alerts.wording_words import OCCASIONS
from domain.alarms import Notice
from hazwatch.settings import Settings

WORDS = "words"
SLOTS = {"class": {"kind"}, "count_of": {"name", "count"}, "minutes": {"n"}, "hours": {"n"}}
"""Words that are templates themselves, and what they may have."""

Writer = Callable[[Notice, Address], Message]


class WordingError(ValueError):
    """A template or a word file can't be used; the text names the file, the line and the reason."""


def wording(settings: Settings) -> Wording:
    """The templates of the settings; raises `WordingError`."""
    patterns, lexicons = shipped()
    folder = settings.notice_templates
    if folder is not None:
        try:
            own = _own(folder, lexicons)
        except (WordingError, OSError) as wrong:
            raise WordingError(f"HAZWATCH_NOTICE_TEMPLATES {wrong}") from wrong
        patterns, lexicons = patterns | own[0], lexicons | own[1]
    return Wording(patterns, lexicons, settings.timezone, settings.page_url)


def writer(words: Wording, language: str) -> Writer:
    """What a notice says to an address: in the address's language, else that of the person, else
    `language`."""

    def write(notice: Notice, address: Address) -> Message:
        person = notice.body.get("language")
        known = person if isinstance(person, str) and person in LANGUAGES else language
        said = words.render(notice.body, notice.created, address.language or known)
        return Message(said.title, said.body, said.markdown, said.short)

    return write


def shipped() -> tuple[dict[tuple[str, str], Pattern], dict[str, Lexicon]]:
    """The templates that come with hazwatch, and their words."""
    root = files("alerts").joinpath("templates")
    patterns = {
        (language, name): _pattern(root / language / f"{name}.txt", name)
        for language in LANGUAGES
        for name in OCCASIONS
    }
    return patterns, {
        language: _lexicon(root / language / f"{WORDS}.toml") for language in LANGUAGES
    }


def _own(
    folder: Path, known: dict[str, Lexicon]
) -> tuple[dict[tuple[str, str], Pattern], dict[str, Lexicon]]:
    """What a folder replaces: any template, and any word."""
    patterns: dict[tuple[str, str], Pattern] = {}
    lexicons: dict[str, Lexicon] = {}
    if not folder.is_dir():
        raise WordingError(f"{folder}: no such folder")
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        place = file.relative_to(folder)
        language = place.parts[0]
        fits = len(place.parts) == 2 and language in LANGUAGES
        if fits and place.name == f"{WORDS}.toml":
            lexicons[language] = _lexicon(file, known[language])
        elif fits and place.suffix == ".txt" and place.stem in OCCASIONS:
            patterns[language, place.stem] = _pattern(file, place.stem)
        else:
            raise WordingError(
                f"{file}: no such template; expected {' or '.join(LANGUAGES)}/NAME.txt or "
                f"{WORDS}.toml, NAME one of {', '.join(OCCASIONS)}"
            )
    return patterns, lexicons


def _pattern(file: Traversable, name: str) -> Pattern:
    try:
        return parse(name, file.read_text("utf-8"))
    except TemplateError as wrong:
        raise WordingError(str(wrong).replace(f"{name}.txt", str(file), 1)) from wrong
    except UnicodeDecodeError as wrong:
        raise WordingError(f"{file}: not UTF-8: {wrong.reason} at byte {wrong.start}") from wrong


def _lexicon(file: Traversable, base: Lexicon | None = None) -> Lexicon:
    """A word file; what it lacks is taken from `base`."""
    try:
        said = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise WordingError(f"{file}: {wrong}") from wrong
    single = {name: word for name, word in said.items() if not isinstance(word, dict)}
    tables = {name: table for name, table in said.items() if isinstance(table, dict)}
    _check_words(file, single, tables, base)
    if base is None:
        return Lexicon(single, tables)
    merged = {name: {**table, **tables.get(name, {})} for name, table in base.tables.items()}
    return Lexicon({**base.single, **single}, merged)


def _check_words(
    file: Traversable, single: dict[str, Any], tables: dict[str, Any], base: Lexicon | None
) -> None:
    named: list[tuple[tuple[str, ...], Any]] = [((name,), word) for name, word in single.items()]
    named += [((of, name), word) for of, table in tables.items() for name, word in table.items()]
    for path, word in named:
        where = f"{file}: {'.'.join(path)}"
        if not isinstance(word, str):
            raise WordingError(f"{where} is {word!r}, expected a text")
        slots = SLOTS.get(path[0])
        if slots is not None and (
            not Template(word).is_valid() or not slots >= set(Template(word).get_identifiers())
        ):
            may = " and ".join(f"${slot}" for slot in sorted(slots))
            raise WordingError(f"{where} is {word!r}, it may have {may} and nothing else with a $")
    if base is not None:
        strange = sorted(
            (single.keys() - base.single.keys()) | (tables.keys() - base.tables.keys())
        )
        if strange:
            known = ", ".join(sorted({*base.single, *base.tables}))
            raise WordingError(f"{file}: unknown {strange[0]!r}, known: {known}")

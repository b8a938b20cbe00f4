"""Reading what people wrote, with its errors on the screen, for the commands that take a file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from domain.problem import DocumentError

WRONG = 1
"""Exit code: something is wrong in the input."""

T = TypeVar("T")


def console(*, stderr: bool = False) -> Console:
    """A console that adds no colours of its own to text."""
    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def read_text(file: Path, encoding: str = "utf-8-sig") -> str:
    """The text of a file; exits with 1 where it is not text."""
    try:
        return file.read_text(encoding)
    except (OSError, UnicodeDecodeError) as error:
        console(stderr=True).print(Text(f"{file}: cannot be read as {encoding}: {error}"))
        raise typer.Exit(WRONG) from None


def read_document(file: Path, read: Callable[[str], T]) -> T:
    """What `read` makes of a file; shows all that is wrong in it and exits with 1."""
    try:
        return read(read_text(file))
    except DocumentError as error:
        out = console(stderr=True)
        for problem in error.problems:
            line = Text.assemble((f"{file}:{problem.line}", "bold"), ": ")
            if problem.path:
                line.append(problem.path, "cyan").append(": ")
            out.print(line.append(problem.text))
        n = len(error.problems)
        out.print(Text(f"{n} problem{'s' if n > 1 else ''}; nothing was done", "red"))
        raise typer.Exit(WRONG) from None


def schema_text(schema: dict[str, Any], title: str) -> str:
    """A JSON Schema as it is published."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(head | schema | {"title": title}, indent=2, ensure_ascii=False) + "\n"

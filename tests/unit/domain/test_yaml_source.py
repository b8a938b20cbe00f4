"""YAML as JSON has it: no surprises in the meaning of plain words, and lines for everything."""

import pytest

from domain import yaml_source
from domain.problem import DocumentError
from domain.yaml_source import parse


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"), ("on", "on"), ("Y", "Y"), ("12:30", "12:30"), ("2026-11-21", "2026-11-21"),
        ("0x1F", "0x1F"), ("1_000", "1_000"), ("7664-41-7", "7664-41-7"), ("true", True),
        ("FALSE", False), ("~", None), ("null", None), ("", None), ("010", 10), ("-5", -5),
        ("+1.5e3", 1500.0), (".5", 0.5), ("1e3", 1000.0), ('"5"', "5"), ("1.2.3", "1.2.3"),
        ("=", "="), ("<<", "<<"),
    ],
)  # fmt: skip
def test_a_plain_word_means_what_json_would_say(written, meant):
    found = parse(f"a: {written}\n").data["a"]
    assert found == meant
    assert type(found) is type(meant)


def test_infinity_and_nan_are_numbers():
    low, none = parse("[-.inf, .NaN]").data
    assert low == float("-inf")
    assert none != none


def test_keys_are_text():
    assert parse("{1: a, true: b, no: c}").data == {"1": "a", "true": "b", "no": "c"}


def test_aliases_stand_for_what_they_name():
    assert parse("a: &x {H: 1}\nb: *x").data == {"a": {"H": 1}, "b": {"H": 1}}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "empty"),
        ("a: 1\nb: 2\na: 3", 3, "written twice"),
        ("a: [1, 2", 2, "not YAML"),
        ("a: 1\n b: 2", 2, "not YAML"),
        ("a\x00b", 1, "not YAML"),
        ("a: 1\n? [x]\n: 2", 2, "plain text"),
        ("a: &x [*x]", 1, "without end"),
        ("--- 1\n--- 2", 2, "not YAML"),
        ("a: !!int x", 1, "is no number"),
    ],
)
def test_what_is_no_document_is_told_with_its_line(text, line, words):
    with pytest.raises(DocumentError) as caught:
        parse(text)
    (problem,) = caught.value.problems
    assert problem.line == line
    assert words in problem.text


def test_aliases_that_multiply_are_stopped(monkeypatch):
    monkeypatch.setattr(yaml_source, "MAX_NODES", 10_000)
    text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "\n".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)
    )
    with pytest.raises(DocumentError, match="without end"):
        parse(text)


def test_a_very_deep_document_is_refused():
    with pytest.raises(DocumentError, match="nested deeper than 64 levels"):
        parse("[" * 200_000 + "]" * 200_000)


def test_a_foreign_tag_makes_nothing_but_text():
    assert parse("a: !!python/object:os.system x").data == {"a": "x"}


def test_lines_are_those_of_the_member_or_of_what_it_is_missing_from():
    source = parse("a:\n  - b: 1\n    c:\n      d: 2\n  - {}\n")
    assert source.line(("a", 0, "b")) == 2
    assert source.line(("a", 0, "c")) == 3
    assert source.line(("a", 0, "c", "d")) == 4
    assert source.line(("a", 1, "missing")) == 5
    assert source.line(()) == 1

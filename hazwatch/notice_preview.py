"""Every sample in every form, for the eye: rows, and one page without anything from elsewhere."""

from collections.abc import Mapping, Sequence
from html import escape

from alerts.wording import LANGUAGES, LONGEST_SHORT, Wording
from hazwatch.notice_samples import AT, SAMPLES

COLUMNS = ("sample", "language", "title", "body", "short", "length")
_STYLE = """
body { font: 15px/1.6 "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; margin: 2rem auto;
       max-width: 74rem; padding: 0 1rem; color: #222; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
.card { border: 1px solid #bbb; border-radius: 6px; padding: .7rem 1rem; }
.card h3 { font-size: 1rem; margin: 0 0 .4rem; }
.card pre { font: inherit; white-space: pre-wrap; margin: 0; }
.short { border-top: 1px dashed #bbb; margin: .7rem 0 0; padding-top: .5rem; }
small { color: #666; }
@media (max-width: 50rem) { .pair { grid-template-columns: 1fr; } }
"""


def preview_rows(wording: Wording) -> list[dict[str, object]]:
    """A row for each sample and language, with the members `COLUMNS`."""
    rows: list[dict[str, object]] = []
    for name, body in SAMPLES.items():
        for language in LANGUAGES:
            said = wording.render(body, AT, language)
            row = name, language, said.title, said.body, said.short, len(said.short)
            rows.append(dict(zip(COLUMNS, row, strict=True)))
    return rows


def preview_page(rows: Sequence[Mapping[str, object]]) -> str:
    """The rows as an HTML page, the languages side by side."""
    parts = [
        "<!doctype html>",
        '<html lang="zh-CN"><meta charset="utf-8"><title>hazwatch 通知样例 notices</title>',
        f"<style>{_STYLE}</style><h1>hazwatch 通知样例 notices</h1>",
    ]
    for name in dict.fromkeys(str(row["sample"]) for row in rows):
        cards = "".join(_card(row) for row in rows if row["sample"] == name)
        parts.append(f'<h2>{escape(name)}</h2><div class="pair">{cards}</div>')
    return "\n".join([*parts, "</html>", ""])


def _card(row: Mapping[str, object]) -> str:
    language = str(row["language"])
    room = LONGEST_SHORT[language]
    return (
        f'<div class="card" lang="{language}"><h3>{escape(str(row["title"]))}</h3>'
        f"<pre>{escape(str(row['body']))}</pre>"
        f'<p class="short">{escape(str(row["short"]))} <small>{row["length"]}/{room}</small></p>'
        "</div>"
    )

"""Small pieces of HTML; every word that comes from data is escaped here and nowhere else."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import panel as pn

from geomon.texts import say

STYLE = (Path(__file__).parent / "parts.css").read_text(encoding="utf-8")


def pane(html: str = "") -> pn.pane.HTML:
    """A piece of the page that is written anew at each step."""
    return pn.pane.HTML(html, stylesheets=[STYLE], sizing_mode="stretch_width", margin=0)


def told(key: str, /, **words: object) -> str:
    """A text of the table as HTML, its gaps filled with escaped words."""
    return say(key, **{name: escape(str(word)) for name, word in words.items()})


def element(name: str, inside: str, classes: str = "") -> str:
    """An element around HTML."""
    return f'<{name} class="{classes}">{inside}</{name}>' if classes else f"<{name}>{inside}</{name}>"


def table(
    head: Sequence[tuple[str, bool]],
    rows: Iterable[tuple[str, Sequence[str]]],
    caption: str = "",
    scroll: str = "",
) -> str:
    """A table: head of (words, is a number), rows of (class, cells); the cells are HTML already.

    `scroll` names a table so long that it scrolls by itself.
    """
    rows = list(rows)
    kinds = [' class="n"' if number else "" for _, number in head]
    top = "".join(f'<th scope="col"{kind}>{escape(words)}</th>' for (words, _), kind in zip(head, kinds, strict=True))
    body = "".join(
        f'<tr class="{cls}">' + "".join(f"<td{k}>{c}</td>" for c, k in zip(cells, kinds, strict=True)) + "</tr>"
        for cls, cells in rows
    )
    words = f"<caption>{escape(caption)}</caption>" if caption else ""
    frame = (
        f'class="scroll tall" tabindex="0" role="region" aria-label="{escape(scroll)}"' if scroll else 'class="scroll"'
    )
    return f"<div {frame}><table>{words}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"


def fold(title: str, inside: str, is_open: bool = False) -> str:
    """A part that opens on demand; title is plain text, inside is HTML."""
    return f"<details{' open' if is_open else ''}><summary>{escape(title)}</summary><div>{inside}</div></details>"

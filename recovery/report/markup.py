"""HTML documents that stand alone. Built as trees, so that no text from outside can become markup.

A document loads nothing and runs nothing: its content security policy allows the one style sheet that is in it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

STYLE = """
:root { color-scheme: light; --ink: #1b2430; --faint: #5b6675; --line: #d5dbe3; --paper: #fff; --shade: #f4f6f9; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 70rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; border-bottom: 2px solid var(--line); padding-bottom: .2rem; }
p { margin: .4rem 0; max-width: 60rem; }
.faint, caption { color: var(--faint); font-size: .87rem; }
.warning { background: #fff1d6; border: 1px solid #d99a2b; padding: .5rem .8rem; font-weight: 600; }
.tiles { display: flex; flex-wrap: wrap; gap: .7rem; margin: 1rem 0; }
.tile { flex: 1 1 9rem; border: 1px solid var(--line); border-top-width: 4px; padding: .5rem .8rem;
  background: var(--shade); }
.tile b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.well { border-top-color: #7b8794; } .proven { border-top-color: #2e7d4f; } .claimed { border-top-color: #b5831a; }
.people { border-top-color: #7a4fa3; } .to_do { border-top-color: #c0392b; } .unknown { border-top-color: #aab2bd; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
caption { text-align: left; padding-bottom: .3rem; }
td:first-child { min-width: 8rem; }
th, td { text-align: left; padding: .28rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: anywhere; }
th { background: var(--shade); font-weight: 600; white-space: nowrap; overflow-wrap: normal; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap;
  overflow-wrap: normal; }
td.when { white-space: nowrap; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
tr { break-inside: avoid; }
svg { display: block; width: 100%; height: auto; margin: .5rem 0; }
svg text { font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--faint); }
svg text.strong { fill: var(--ink); font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1rem; }
.mark svg { display: inline-block; width: 10px; height: 10px; margin: 0; }
@media print { body { padding: 0; max-width: none; font-size: 11px; } h2 { break-after: avoid; } }
"""

_VISIBLE = {"\n": " ", "\t": " ", "\r": " "}


def node(
    tag: str, *children: Element | str, attributes: Mapping[str, str] | None = None, kind: str = ""
) -> Element:
    """An element with its children; strings are text, whatever is in them. `kind` is its class."""
    own = {name: text(value) for name, value in (attributes or {}).items()}
    element = Element(tag, {**own, "class": kind} if kind else own)
    last: Element | None = None
    for child in children:
        if isinstance(child, str):
            clean = text(child)
            if last is None:
                element.text = (element.text or "") + clean
            else:
                last.tail = (last.tail or "") + clean
        else:
            element.append(child)
            last = child
    return element


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str | Element]],
    caption: str = "",
    numbers: str = "",
) -> Element:
    """A table in a box that scrolls. `numbers`: for each column `n` a number, `t` a time, anything else text."""
    kinds = [{"n": "number", "t": "when"}.get(each, "") for each in numbers.ljust(len(heads))]
    body = [
        node("tr", *(node("td", cell, kind=kind) for cell, kind in zip(row, kinds, strict=True)))
        for row in rows
    ]
    head = node(
        "tr",
        *(
            node("th", name, attributes={"scope": "col"}, kind="number" if kind == "number" else "")
            for name, kind in zip(heads, kinds, strict=True)
        ),
    )
    parts = [node("caption", caption)] if caption else []
    return node(
        "div", node("table", *parts, node("thead", head), node("tbody", *body)), kind="scroll"
    )


def page(title: str, *content: Element | str) -> str:
    """The whole document."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = node("head", node("meta", attributes={"charset": "utf-8"}))
    equivalent = {"http-equiv": "Content-Security-Policy", "content": policy}
    head.append(node("meta", attributes=equivalent))
    head.append(node("meta", attributes={"name": "viewport", "content": "width=device-width"}))
    head.append(node("meta", attributes={"name": "referrer", "content": "no-referrer"}))
    head.append(node("title", title))
    SubElement(head, "style").text = STYLE
    whole = node("html", head, node("body", *content), attributes={"lang": "en"})
    return "<!doctype html>\n" + tostring(whole, encoding="unicode", method="html") + "\n"


def text(value: str) -> str:
    """Text in which nothing is hidden: what cannot be printed is shown as its number."""
    return "".join(
        char
        if char.isprintable()
        else _VISIBLE.get(char, char.encode("unicode_escape", "surrogatepass").decode())
        for char in value
    )

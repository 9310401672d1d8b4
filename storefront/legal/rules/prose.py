"""One Markdown text, parsed once, set twice: as HTML for the page and as blocks for the PDF."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML, RendererProtocol
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from markupsafe import Markup

Block = dict[str, Any]

# "5.2 En plusieurs fois", "Annexe 3. Encadrés": their number is their address for ever.
ARTICLE = re.compile(r"(\d+(?:\.\d+)*)\.?\s")
ANNEX = re.compile(r"annexe\s+(\w+)", re.IGNORECASE)
CONTENTS_LEVEL = "h2"

# No raw HTML (it is shown as typed) and no image (nothing is fetched from elsewhere).
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")

# Cards are no table for CSS any more; roles keep it one for who listens to the page.
_ROLES = {"thead_open": "rowgroup", "tbody_open": "rowgroup", "tr_open": "row"}


def _open_table(self: RendererProtocol, tokens: Sequence[Token], index: int, *_: Any) -> str:
    attributes = RendererHTML.renderAttrs(tokens[index])
    return f'<div class="table-wrap"><table{attributes}>\n'


def _close_table(*_: Any) -> str:
    return "</table></div>\n"


_markdown.add_render_rule("table_open", _open_table)
_markdown.add_render_rule("table_close", _close_table)


@dataclass(frozen=True)
class Prose:
    """`contents`: anchor and heading of each article. `blocks`: what templates/documents sets."""

    html: str
    contents: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]

    @property
    def markup(self) -> Markup:
        """The HTML for a page: we rendered it ourselves, raw HTML of the source is escaped."""
        return Markup(self.html)  # noqa: S704


@lru_cache(maxsize=16)
def typeset(text: str) -> Prose:
    """Set a Markdown text. The HTML is safe to show; the blocks are data, never markup."""
    tokens = _markdown.parse(text)
    contents = []
    taken: set[str] = set()
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            heading = _plain(inline.children or [])
            anchor = _anchor(heading, taken)
            opening.attrSet("id", anchor)
            if opening.tag == CONTENTS_LEVEL:
                contents.append((anchor, heading))
    _label_cells(tokens)
    html: str = _markdown.renderer.render(tokens, _markdown.options, {})
    return Prose(html, tuple(contents), tuple(_blocks(SyntaxTreeNode(tokens).children)))


@dataclass(frozen=True)
class Paragraph:
    """Words of a text without their marks: of a paragraph, a heading or a table's row.

    `under`: the heading that it stands below, or is.
    """

    under: str
    words: str


@lru_cache(maxsize=64)
def paragraphs(text: str) -> tuple[Paragraph, ...]:
    """A Markdown text as it is read aloud, piece by piece; a link says where it leads."""
    found: list[Paragraph] = []
    under = ""
    row: list[str] | None = None
    for opening, inline in pairwise((*_markdown.parse(text), Token("end", "", 0))):
        if opening.type == "heading_open":
            under = _read_aloud(inline)
        if opening.type == "tr_open":
            row = []
        elif opening.type == "tr_close" and row:
            found.append(Paragraph(under, " | ".join(row)))
            row = None
        if inline.type == "inline" and (words := _read_aloud(inline)):
            if row is None:
                found.append(Paragraph(under, words))
            else:
                row.append(words)
        elif inline.type in ("fence", "code_block"):
            found.append(Paragraph(under, inline.content.strip()))
    return tuple(found)


def _read_aloud(inline: Token) -> str:
    said: list[str] = []
    leads_to = ""
    for token in inline.children or []:
        if token.type == "link_open":
            leads_to = str(token.attrs["href"])
        elif token.type == "link_close":
            said.append("" if leads_to in said else f" ({leads_to})")
        else:
            said.append(" " if token.type in ("softbreak", "hardbreak") else token.content)
    return " ".join(part for part in "".join(said).split(" ") if part)


def _label_cells(tokens: Sequence[Token]) -> None:
    """Where the page is narrow a row becomes a card: each cell then needs its column's name."""
    labels: list[str] = []
    column = 0
    for opening, inline in pairwise(tokens):
        if opening.type == "table_open":
            labels = []
            opening.attrSet("class", "table table-cards")
            opening.attrSet("role", "table")
        elif opening.type in _ROLES:
            column = 0
            opening.attrSet("role", _ROLES[opening.type])
        elif opening.type == "th_open":
            labels.append(_plain(inline.children or []))
            opening.attrSet("role", "columnheader")
            opening.attrSet("scope", "col")
        elif opening.type == "td_open":
            opening.attrSet("role", "cell")
            opening.attrSet("data-label", labels[column])
            column += 1


def _plain(children: Sequence[Token]) -> str:
    return "".join(token.content for token in children)


def _anchor(heading: str, taken: set[str]) -> str:
    if article := ARTICLE.match(heading):
        wanted = "article-" + article[1].replace(".", "-")
    elif annex := ANNEX.match(heading):
        wanted = f"annexe-{annex[1].lower()}"
    else:
        letters = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode()
        wanted = re.sub(r"[^a-z0-9]+", "-", letters.lower()).strip("-") or "partie"
    anchor, count = wanted, 1
    while anchor in taken:
        count += 1
        anchor = f"{wanted}-{count}"
    taken.add(anchor)
    return anchor


def _blocks(children: Sequence[SyntaxTreeNode]) -> list[Block]:
    return [_block(node) for node in children]


def _block(node: SyntaxTreeNode) -> Block:
    match node.type:
        case "heading":
            return {"kind": "heading", "level": int(node.tag[1:]), "content": _content(node)}
        case "paragraph":
            return {"kind": "paragraph", "content": _content(node)}
        case "bullet_list":
            return {"kind": "list", "items": [_blocks(item.children) for item in node.children]}
        case "ordered_list":
            return {
                "kind": "enum",
                "start": int(node.attrs.get("start", 1)),
                "items": [_blocks(item.children) for item in node.children],
            }
        case "blockquote":
            return {"kind": "quote", "blocks": _blocks(node.children)}
        case "table":
            return _table(node)
        case "hr":
            return {"kind": "rule"}
        case "fence" | "code_block":
            return {"kind": "code", "text": node.content}
    raise ValueError(f"nothing sets {node.type}")


def _table(node: SyntaxTreeNode) -> Block:
    rows = [
        [_content(cell) for cell in row.children] for part in node.children for row in part.children
    ]
    return {"kind": "table", "header": rows[0], "rows": rows[1:]}


def _content(node: SyntaxTreeNode) -> list[Block]:
    """The words of a heading, a paragraph or a cell."""
    return [_words(word) for inline in node.children for word in inline.children]


def _words(node: SyntaxTreeNode) -> Block:
    match node.type:
        case "text":
            return {"kind": "text", "text": node.content}
        case "softbreak":
            return {"kind": "text", "text": " "}
        case "hardbreak":
            return {"kind": "break"}
        case "code_inline":
            return {"kind": "code", "text": node.content}
        case "strong" | "em":
            return {"kind": node.type, "content": [_words(child) for child in node.children]}
        case "link":
            return {
                "kind": "link",
                "href": str(node.attrs["href"]),
                "content": [_words(child) for child in node.children],
            }
    raise ValueError(f"nothing sets {node.type}")

"""One text, set twice: a page whose articles have addresses, and blocks for the PDF."""

import pytest

from storefront.legal.rules import typeset

TEXT = """## 1. Qui nous sommes

Un *mot* et un **autre**, `code`, [un lien](https://exemple.example).

### 5.2 En plusieurs fois

- un
- deux

## Annexe 1. Avis

> Cité.

1. Premier

| A | B |
|---|---|
| 1 | 2 |

---

## Sans numéro
"""


def test_articles_keep_the_address_that_their_number_gives():
    prose = typeset(TEXT)
    assert '<h2 id="article-1">' in prose.html
    assert '<h3 id="article-5-2">' in prose.html
    assert prose.contents == (
        ("article-1", "1. Qui nous sommes"),
        ("annexe-1", "Annexe 1. Avis"),
        ("sans-numero", "Sans numéro"),
    )


def test_two_headings_never_share_an_address():
    prose = typeset("## Un\n\n## Un\n\n## !\n")
    assert [anchor for anchor, _ in prose.contents] == ["un", "un-2", "partie"]


def test_the_pdf_gets_every_kind_of_block():
    kinds = [block["kind"] for block in typeset(TEXT).blocks]
    assert kinds == [
        "heading",
        "paragraph",
        "heading",
        "list",
        "heading",
        "quote",
        "enum",
        "table",
        "rule",
        "heading",
    ]


def test_both_say_the_same_words():
    prose = typeset("Un *mot* \\* et <b>brut</b>.")
    [paragraph] = prose.blocks
    words = "".join(word.get("text") or word["content"][0]["text"] for word in paragraph["content"])
    assert words == "Un mot * et <b>brut</b>."
    assert prose.html == "<p>Un <em>mot</em> * et &lt;b&gt;brut&lt;/b&gt;.</p>\n"


@pytest.mark.parametrize(
    "text", ["<script>x</script>", "[x](javascript:alert)", "![x](https://exemple.example/x.png)"]
)
def test_nothing_runs_and_nothing_is_fetched(text: str):
    html = typeset(text).html
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert "<img" not in html


def test_a_table_tells_each_cell_its_column():
    html = typeset("| A | B |\n|---|---|\n| 1 | 2 |\n").html
    assert '<div class="table-wrap"><table class="table table-cards" role="table">' in html
    assert '<td role="cell" data-label="A">1</td>' in html
    assert '<td role="cell" data-label="B">2</td>' in html

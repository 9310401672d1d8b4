"""What the content security policy and the CSRF check need of every template."""

import re
from pathlib import Path

import pytest

from tests.house.sources import TEMPLATES, html_templates, shown

pytestmark = pytest.mark.static

COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
FORM = re.compile(r"<form\b(?P<tag>[^>]*)>(?P<content>.*?)</form>", re.DOTALL | re.IGNORECASE)
POSTING = re.compile(r"method\s*=\s*[\"']?post", re.IGNORECASE)
TOKEN = re.compile(r"\b(csrf_token|hidden_tag\(\)|token\(\)|hidden\()")
# An anonymous page keeps no session: docs/adr/0004-same-origin-and-tokens.md.
TOKENLESS = {"templates/catalogue/add_to_cart.html"}

SAFE = re.compile(r"\|\s*safe\b")
DRAWINGS = {"templates/components/icons.html"}

INLINE = {
    "a style attribute": re.compile(r"<[a-z][^>]*\sstyle\s*=", re.IGNORECASE),
    "an event handler": re.compile(r"<[a-z][^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    # Data for search engines is not run, so the policy lets it pass.
    "a script without src": re.compile(
        r"<script\b(?![^>]*(\ssrc\s*=|application/ld\+json))", re.IGNORECASE
    ),
    "an address that runs": re.compile(r"javascript:", re.IGNORECASE),
}


def source(path: Path) -> str:
    """The text of a template without its comments."""
    return COMMENT.sub("", path.read_text())


def is_mail(path: Path) -> bool:
    """E-mails are read without our policy, and most readers know no style sheets."""
    return path.is_relative_to(TEMPLATES / "emails") or path.name.startswith("email")


def unguarded_forms(text: str) -> list[str]:
    """The opening tags of the forms that post without a CSRF token."""
    return [
        form["tag"].strip()
        for form in FORM.finditer(text)
        if POSTING.search(form["tag"]) and not TOKEN.search(form["content"])
    ]


def inline(text: str) -> list[str]:
    """What a template holds that the content security policy would refuse."""
    return [what for what, pattern in INLINE.items() if pattern.search(text)]


def test_there_are_templates_to_check():
    assert html_templates()


def test_every_form_that_posts_carries_a_token():
    found = {
        shown(path): forms
        for path in html_templates()
        if (forms := unguarded_forms(source(path))) and shown(path) not in TOKENLESS
    }
    assert not found


def test_no_template_needs_an_exception_of_the_content_security_policy():
    found = {
        shown(path): what
        for path in html_templates()
        if not is_mail(path) and (what := inline(source(path)))
    }
    assert not found


def test_only_our_own_drawings_are_marked_as_safe_html():
    """Rendered Markdown comes as Markup from the code that cleans it, not from a filter here."""
    found = [shown(path) for path in html_templates() if SAFE.search(source(path))]
    assert not set(found) - DRAWINGS


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('<p style="color: red">', "a style attribute"),
        ('<button type="submit" onclick="go()">', "an event handler"),
        ("<style>p {}</style>", "a style element"),
        ("<script>go()</script>", "a script without src"),
        ('<a href="javascript:go()">', "an address that runs"),
    ],
)
def test_what_the_policy_refuses_is_seen(text: str, what: str):
    assert inline(text) == [what]


@pytest.mark.parametrize(
    "text",
    [
        '<script src="/static/a.js" defer></script>',
        '<script type="application/ld+json">{}</script>',
        '<p class="styled" data-once="1">',
    ],
)
def test_what_the_policy_allows_is_left_alone(text: str):
    assert inline(text) == []


def test_a_form_without_token_is_seen():
    assert unguarded_forms('<form method="post" action="/x"><button></form>')
    assert not unguarded_forms('<form method="post">{{ form.hidden_tag() }}</form>')
    assert not unguarded_forms('<form action="/recherche"><input name="q"></form>')

"""Where the house tests look: the project's own files, never what the machine makes."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHOP = ROOT / "storefront"
TEMPLATES = ROOT / "templates"

# Not a business area: what rooms are built on, what composes them, and the demo's content.
NOT_ROOMS = {"kernel", "infra", "demo", "worker", "cli"}
# Made of smaller rooms, one an area, each with the agreed files.
WINGS = {"staff"}


def shown(path: Path) -> str:
    """A path as a person would write it."""
    return path.relative_to(ROOT).as_posix()


def python_files() -> list[Path]:
    """Every Python file of the shop."""
    return sorted(SHOP.rglob("*.py"))


def rooms() -> list[Path]:
    """The folders of the shop's business areas, those of a wing one by one."""
    folders = {path.parent for path in SHOP.glob("*/__init__.py")}
    wings = {folder for folder in folders if folder.name in WINGS}
    inside = {path.parent for wing in wings for path in wing.glob("*/__init__.py")}
    return sorted(folder for folder in folders - wings | inside if folder.name not in NOT_ROOMS)


def html_templates() -> list[Path]:
    """Every template that becomes a page or a part of one."""
    return sorted(TEMPLATES.rglob("*.html"))


@cache
def parsed(path: Path) -> ast.Module:
    """A Python file as a syntax tree."""
    return ast.parse(path.read_text(), filename=str(path))


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """The last name of everything a file calls (`commit` for `session.commit()`), and its line."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield node.func.attr, node.lineno
            elif isinstance(node.func, ast.Name):
                yield node.func.id, node.lineno


def names(path: Path) -> Iterator[tuple[str, int]]:
    """Every name a file mentions, plain or after a dot, and its line."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.Name):
            yield node.id, node.lineno

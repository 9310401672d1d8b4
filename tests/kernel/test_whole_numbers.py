"""The kernel counts in whole numbers: no float is written, made or asked for."""

import ast
from pathlib import Path

import pytest

import storefront.kernel

KERNEL = Path(storefront.kernel.__file__).parent
FRACTIONS = {"float", "Decimal", "Fraction"}

pytestmark = pytest.mark.static


def fractions_in(source: str) -> list[int]:
    """Return the lines of a source that could bring a fraction into being."""
    return [
        getattr(node, "lineno", 0)
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div))
        or (isinstance(node, ast.Name) and node.id in FRACTIONS)
        or (isinstance(node, ast.Attribute) and node.attr in {*FRACTIONS, "total_seconds"})
    ]


@pytest.mark.parametrize("path", sorted(KERNEL.rglob("*.py")), ids=lambda path: path.name)
def test_no_file_of_the_kernel_makes_a_fraction(path: Path) -> None:
    assert fractions_in(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("source", ["1.5", "a / b", "a /= 2", "float(a)", "d.total_seconds()"])
def test_a_fraction_would_be_seen(source: str) -> None:
    assert fractions_in(source) == [1]

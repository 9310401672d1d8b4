"""Reads the tables of docs/algorithms, so that the pages and the code cannot part."""

from pathlib import Path

PAGES = Path(__file__).parents[2] / "docs" / "algorithms"


def table(page: str, *columns: str) -> list[tuple[str, ...]]:
    """Return the rows of the one table of a page that has these columns, without the reasons."""
    found = [rows for header, rows in _tables(page) if header == columns]
    assert len(found) == 1, f"{page} has {len(found)} tables with the columns {columns}"
    assert found[0], f"the table {columns} of {page} is empty"
    return found[0]


def _tables(page: str) -> list[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
    tables: list[tuple[tuple[str, ...], list[tuple[str, ...]]]] = []
    width = 0
    for line in (PAGES / page).read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        cells = tuple(cell.strip() for cell in line.strip("|").split("|"))
        if not width:
            reasoned = cells[-1] == "Why"
            width = len(cells) - reasoned
            tables.append((cells[:width], []))
        elif not set(cells[0]) <= {"-"}:
            tables[-1][1].append(cells[:width])
    return tables

"""Files that a French spreadsheet opens: semicolons, decimal commas, with a BOM."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response

from storefront.kernel.money import Money

# A spreadsheet would run what begins like this: a customer's name must stay a name.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The file's text. What people typed goes through `as_text` first."""
    file = io.StringIO()
    file.write("\ufeff")
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return file.getvalue()


def as_text(value: str) -> str:
    """A word that no spreadsheet runs."""
    return f"'{value}" if value.startswith(FORMULA) else value


def as_amount(minor: int, currency: str) -> str:
    """Major units with a decimal comma, from minor units."""
    return Money(minor, currency).major_string().replace(".", ",")


def download(content: str, name: str) -> Response:
    """The file as an answer that a browser saves under this name."""
    return Response(
        content,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f"attachment; filename={name}"},
    )

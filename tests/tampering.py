"""What somebody with the database's password can do: drop the guards first, then rewrite."""

from __future__ import annotations

from sqlalchemy import Executable

from storefront.infra.db import db
from storefront.infra.guards import append_only_tables


def tamper(*statements: Executable) -> None:
    """Run statements past the triggers that make legal proof append-only."""
    db.session.remove()
    with db.engine.begin() as connection:
        on = connection.dialect.name == "postgresql"
        for table in append_only_tables():
            for verb in ("update", "delete"):
                place = f" ON {table.name}" if on else ""
                connection.exec_driver_sql(
                    f"DROP TRIGGER IF EXISTS {table.name}_refuses_{verb}{place}"
                )
        if on:
            connection.exec_driver_sql("SET session_replication_role = replica")
        else:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for statement in statements:
            connection.execute(statement)
        if on:
            connection.exec_driver_sql("SET session_replication_role = DEFAULT")

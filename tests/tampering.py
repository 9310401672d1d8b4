"""What somebody with the database's password can do: drop the guards first, then rewrite."""

from __future__ import annotations

from sqlalchemy import Executable

from storefront.infra.db import db
from storefront.infra.guards import append_only_tables


def tamper(*statements: Executable) -> None:
    """Run statements past the triggers that make legal proof append-only."""
    db.session.remove()
    with db.engine.connect() as connection:
        lite = connection.dialect.name == "sqlite"
        if lite:
            connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
        else:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for table in append_only_tables():
            for verb in ("update", "delete"):
                place = "" if lite else f" ON {table.name}"
                connection.exec_driver_sql(
                    f"DROP TRIGGER IF EXISTS {table.name}_refuses_{verb}{place}"
                )
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        if lite:
            connection.connection.cursor().execute("PRAGMA foreign_keys = ON")

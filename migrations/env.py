"""One history for SQLite and PostgreSQL, run by `flask db upgrade`.

A migration is one transaction on both: it is there as a whole, or not at all. Two that start
together run one after the other, and the second finds nothing left to do.
"""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import CreateTableOp, MigrationScript
from flask import current_app

from storefront.infra.db import Base, UtcDateTime, db
from storefront.infra.guards import append_only_tables, guard_statements

# Any number, as long as nobody else locks the same one in this database.
UPGRADE_LOCK = 7_031_994


@Operations.register_operation("guard")
class GuardOp(MigrateOperation):
    """`op.guard("invoices")`: the table refuses UPDATE and DELETE from now on.

    To be repeated after a batch operation on SQLite, which makes the table anew.
    """

    def __init__(self, table: str) -> None:
        self.table = table

    @classmethod
    def guard(cls, operations: Operations, table: str) -> None:
        """Create the triggers of an append-only table."""
        operations.invoke(cls(table))


@Operations.implementation_for(GuardOp)
def _guard(operations: Operations, operation: GuardOp) -> None:
    connection = operations.get_bind()
    for statement in guard_statements(connection.dialect.name, operation.table):
        connection.exec_driver_sql(statement)


@renderers.dispatch_for(GuardOp)
def _render_guard(_context: AutogenContext, operation: GuardOp) -> str:
    return f'op.guard("{operation.table}")'


def _guard_new_tables(_context: Any, _revision: Any, directives: list[MigrationScript]) -> None:
    """Write the triggers of new append-only tables into a migration that is being made."""
    script = directives[0]
    operations = script.upgrade_ops
    if operations is None:
        return
    if operations.is_empty() and getattr(context.config.cmd_opts, "autogenerate", False):
        directives.clear()
        return
    guarded = {table.name for table in append_only_tables()}
    made = [one.table_name for one in operations.ops if isinstance(one, CreateTableOp)]
    operations.ops.extend(GuardOp(table) for table in made if table in guarded)


def _render_type(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """A migration does not change when the shop's own column types do."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def _alone(connection: sa.Connection) -> None:
    """Begin the transaction, with nobody else migrating."""
    if connection.dialect.name == "sqlite":
        # Only outside a transaction: making a table anew must not look like deleting its rows.
        raw = connection.connection.dbapi_connection
        raw.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
    else:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(UPGRADE_LOCK)))


def migrate() -> None:
    """Bring the app's database up to date, or compare it with the models."""
    engine = db.engine.execution_options(immediate=True)
    with engine.connect() as connection:
        _alone(connection)
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            render_item=_render_type,
            process_revision_directives=_guard_new_tables,
            transactional_ddl=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
        connection.invalidate()


if context.is_offline_mode():
    raise SystemExit(f"{current_app.name} migrates a database it is connected to: leave out --sql")
migrate()

"""One history of migrations makes, from nothing, the database that the models describe."""

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from storefront import schema
from storefront.infra.db import Base
from storefront.infra.guards import append_only_tables
from tests.house.sources import ROOT

SERVER = os.environ.get("STOREFRONT_TEST_DATABASE_URL")
LITERAL = re.compile(r"'([^']*)'")


def flask(url: str, instance: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of the shop's commands on the database at `url`."""
    environment = {"PATH": os.environ["PATH"], "STOREFRONT_ENV": "test"}
    environment |= {"STOREFRONT_DATABASE_URL": url, "STOREFRONT_INSTANCE": str(instance)}
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database that holds nothing: on PostgreSQL when there is a server."""
    if SERVER is None:
        yield f"sqlite:///{tmp_path_factory.mktemp('migrated')}/shop.sqlite3"
        return
    name = f"migrated_{uuid.uuid4().hex}"
    server = sa.create_engine(SERVER, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield sa.make_url(SERVER).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("instance")


@pytest.fixture(scope="module")
def migrated(empty_database: str, instance: Path) -> str:
    """The address of a database brought up to date by the migrations alone."""
    done = flask(empty_database, instance, "db", "upgrade")
    assert done.returncode == 0, done.stdout + done.stderr
    return empty_database


@pytest.fixture(scope="module")
def engine(migrated: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(migrated)
    yield engine
    engine.dispose()


def statuses() -> list[tuple[str, str, sa.Enum]]:
    """Table, column and type of every column that holds a member of an enum."""
    assert schema.TABLES
    return [
        (table.name, column.name, column.type)
        for table in Base.registry.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, sa.Enum)
    ]


def test_the_migrations_make_what_the_models_describe(migrated: str, instance: Path):
    done = flask(migrated, instance, "db", "check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_migrating_again_changes_nothing(migrated: str, instance: Path):
    done = flask(migrated, instance, "db", "upgrade")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Running upgrade" not in done.stdout + done.stderr


def test_the_history_has_one_end(migrated: str, instance: Path):
    done = flask(migrated, instance, "db", "heads")
    assert done.stdout.count("(head)") == 1


def test_every_status_may_stand_in_the_migrated_database(engine: sa.Engine):
    """The comparison above does not see a new member of an enum: its CHECK must name it."""
    inspector = sa.inspect(engine)
    wrong = {}
    for table, column, enum in statuses():
        checks = [
            set(LITERAL.findall(check["sqltext"]))
            for check in inspector.get_check_constraints(table)
            if re.search(rf"\b{column}\b", check["sqltext"])
        ]
        if set(enum.enums) not in checks:
            wrong[f"{table}.{column}"] = (set(enum.enums), checks)
    assert statuses()
    assert not wrong


def test_legal_proof_is_guarded_by_triggers(engine: sa.Engine):
    query = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    }[engine.dialect.name]
    with engine.connect() as connection:
        present = set(connection.scalars(sa.text(query)))
    wanted = {
        f"{table.name}_refuses_{verb}"
        for table in append_only_tables()
        for verb in ("update", "delete")
    }
    assert wanted
    assert not wanted - present


def test_legal_proof_never_goes_with_what_it_refers_to(engine: sa.Engine):
    """Nothing that proves anything disappears because something else did."""
    inspector = sa.inspect(engine)
    proof = {table.name for table in append_only_tables()}
    cascading = [
        f"{table} → {key['referred_table']}"
        for table in inspector.get_table_names()
        for key in inspector.get_foreign_keys(table)
        if key["options"].get("ondelete", "").upper() in {"CASCADE", "SET NULL"} and table in proof
    ]
    assert not cascading

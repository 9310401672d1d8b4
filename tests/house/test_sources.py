"""Conventions of the Python sources: CONTRIBUTING.md says why each stands."""

import pytest

from tests.house.sources import SHOP, calls, names, python_files, rooms, shown

pytestmark = pytest.mark.static

ROOM_FILES = {
    "views",
    "jobs",
    "emails",
    "forms",
    "service",
    "queries",
    "models",
    "rules",
    "events",
}
# What talks to third parties stands apart, behind a port.
OWN_FILES = {"payments": {"providers"}, "notifications": {"sender"}, "evidence": {"verify"}}
LARGEST_FILE = 16_000
DATABASE = SHOP / "infra" / "db.py"


def test_there_are_rooms_to_check():
    assert len(rooms()) > 10
    assert len(python_files()) > len(rooms())


def test_rooms_only_have_files_of_the_agreed_names():
    strangers = [
        shown(path)
        for room in rooms()
        for path in room.iterdir()
        if path.name not in {"__init__.py", "__pycache__"}
        and path.stem not in ROOM_FILES | OWN_FILES.get(room.name, set())
    ]
    assert not strangers


def test_the_back_office_owns_no_rule_no_table_and_no_query():
    owned = {path.stem for path in (SHOP / "staff").rglob("*")}
    assert not owned & {"rules", "models", "queries"}


def test_no_source_is_too_long_to_be_read_at_once():
    long = {
        shown(path): size
        for path in python_files()
        if (size := len(path.read_bytes())) > LARGEST_FILE
    }
    assert not long


def test_only_the_transaction_commits():
    committing = [
        f"{shown(path)}:{line}"
        for path in python_files()
        if path != DATABASE
        for name, line in calls(path)
        if name == "commit"
    ]
    assert not committing
    assert [name for name, _ in calls(DATABASE)].count("commit") == 1


def test_the_transaction_is_opened_by_entry_points_only():
    beneath = ROOM_FILES - {"views", "jobs", "emails"}
    opening = [
        f"{shown(path)}:{line}"
        for room in rooms()
        for path in room.rglob("*.py")
        if path.relative_to(room).parts[0].removesuffix(".py") in beneath
        for name, line in calls(path)
        if name == "transaction"
    ]
    assert not opening


def test_nothing_is_counted_in_floating_point():
    inexact = [
        f"{shown(path)}:{line} {name}"
        for path in python_files()
        for name, line in [
            *((name, line) for name, line in calls(path) if name == "float"),
            *((name, line) for name, line in names(path) if name in {"Numeric", "Float", "REAL"}),
        ]
    ]
    assert not inexact

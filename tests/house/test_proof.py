"""What is proof is sealed, and what happens has a name in French."""

import ast

import pytest

from storefront import VERSION, schema
from storefront.credits.rules import EntryKind
from storefront.evidence import verify
from storefront.infra.db import Base
from storefront.infra.guards import append_only_tables
from storefront.infra.journal import JournalEntry, Sealed
from storefront.instalments.models import InstalmentStatus
from storefront.payments.models import DisputeStatus, PaymentStatus, RefundStatus
from storefront.subscriptions.models import ChangeStatus, TerminationStatus
from storefront.tickets.rules import Happening, MessageKind
from tests.house.sources import ROOT, TEMPLATES, parsed, python_files

pytestmark = pytest.mark.static

# Sealed with the row that they are lines of.
WITHIN = {
    *("invoice_lines", "credit_note_lines", "withdrawal_decided_lines"),
    JournalEntry.__tablename__,
}
# Kinds that are named after a state.
STATES = {
    "payment": PaymentStatus,
    "refund": RefundStatus,
    "dispute": DisputeStatus,
    "instalment": {InstalmentStatus.FAILED, InstalmentStatus.UNPAID},
    "credits": EntryKind,
    "plan_change": ChangeStatus,
    "termination": set(TerminationStatus) - {TerminationStatus.ANNOUNCED},
    "ticket": [*Happening, MessageKind.REPLY, MessageKind.NOTE],
}


def recorded() -> set[str]:
    """Every kind of event that a source gives to the journal as a word."""
    return {
        part.value
        for path in python_files()
        for call in ast.walk(parsed(path))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "record"
        and call.args
        for part in ast.walk(call.args[0])
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }


def test_every_table_of_proof_is_sealed():
    assert schema.TABLES
    models = {mapper.local_table.name: mapper.class_ for mapper in Base.registry.mappers}
    proof = {table.name for table in append_only_tables()} - WITHIN
    assert {name for name in proof if not issubclass(models[name], Sealed)} == set()


def test_every_event_has_its_french_name():
    said = (TEMPLATES / "components" / "events.html").read_text()
    kinds = {kind for kind in recorded() if "." in kind and not kind.endswith(".")}
    kinds |= {f"{name}.{state.value}" for name, states in STATES.items() for state in states}
    assert len(kinds) > 100
    assert {kind for kind in kinds if f'"{kind}": ' not in said} == set()


def test_the_version_is_one():
    assert f'\nversion = "{VERSION}"\n' in (ROOT / "pyproject.toml").read_text()


def test_the_verifier_knows_every_table_that_is_sealed():
    models = {mapper.local_table.name: mapper.class_ for mapper in Base.registry.mappers}
    assert {name for name, model in models.items() if issubclass(model, Sealed)} == verify.SEALED

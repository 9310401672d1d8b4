"""The evidence file of an order of two years ago, verified far from the shop (X-01)."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from storefront.app import create_app
from storefront.evidence.service import Evidence
from storefront.infra.db import db
from tests.databases import NOW, copied, make_settings
from tests.evidence.orders import (
    LATER,
    exported,
    packed,
    rewritten,
    unpacked,
    used_up,
    verified,
)


@pytest.fixture(scope="module")
def made(
    template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Evidence, bytes]]:
    """Made once: who verifies needs no shop."""
    folder = tmp_path_factory.mktemp("shop")
    with copied(template_database, folder) as url:
        app = create_app(make_settings(folder, url))
        with app.app_context():
            yield exported(used_up(NOW), NOW + LATER)
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def evidence(made: tuple[Evidence, bytes]) -> Evidence:
    return made[0]


@pytest.fixture
def files(made: tuple[Evidence, bytes]) -> dict[str, bytes]:
    return unpacked(made[1])


def refused(files: dict[str, bytes], folder: Path) -> str:
    """What the verifier says first of a file that does not hold."""
    code, said = verified(packed(files, folder / "preuves.zip"))
    assert code == 1, said
    first = said.splitlines()[0]
    assert first.startswith("NE TIENT PAS")
    return first


def rows(files: dict[str, bytes], exhibit: str, table: str) -> list[Any]:
    return [row for row in json.loads(files[f"{exhibit}/lignes.json"]) if row["table"] == table]


def test_it_holds_two_years_later(made: tuple[Evidence, bytes], tmp_path: Path) -> None:
    path = tmp_path / "preuves.zip"
    path.write_bytes(made[1])
    code, said = verified(path, "--sha256", made[0].manifest_sha256)
    assert code == 0, said
    assert "Tout tient" in said
    assert made[0].manifest_sha256 in said


def test_it_holds_in_a_folder_too_with_the_verifier_that_came_along(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    for name, content in files.items():
        path = tmp_path / "dossier" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    shutil.copy(tmp_path / "dossier" / "verify.py", tmp_path / "verify.py")
    assert files["verify.py"] == (tmp_path / "verify.py").read_bytes()
    code, said = verified(tmp_path / "dossier")
    assert code == 0, said


def test_it_holds_everything_that_proves_the_order(files: dict[str, bytes]) -> None:
    lists = [json.loads(files[name]) for name in files if name.endswith("/lignes.json")]
    assert {row["table"] for rows_of_one in lists for row in rows_of_one} >= {
        *("orders", "order_lines", "users", "terms_versions", "acceptances", "invoices"),
        *("instalments", "payments", "hour_lots", "credit_entries", "emails", "documents"),
    }
    ticked = rows(files, "acceptations", "acceptances")
    assert {row["sealed"]["kind"] for row in ticked} == {"terms", "early_start"}
    assert ticked[0]["sealed"]["sentence"]
    assert ticked[0]["sealed"]["ip"] == "127.0.0.1"
    used = [row["sealed"]["kind"] for row in rows(files, "heures", "credit_entries")]
    assert used == ["granted", "used", "expired"]
    text = files["conditions/cgv-1/texte.md"].decode()
    assert rows(files, "conditions", "terms_versions")[0]["sealed"]["text"] == text
    assert files["resume.pdf"].startswith(b"%PDF")
    assert any(name.endswith("facture-F-2026-000001.pdf") for name in files)
    assert any(b"Subject:" in files[name] for name in files if name.endswith(".eml"))


@pytest.mark.parametrize("altered", ["documents/", "messages/", "conditions/cgv-1/texte.md"])
def test_an_altered_file_is_named(files: dict[str, bytes], altered: str, tmp_path: Path) -> None:
    name = next(one for one in files if one.startswith(altered) and "lignes" not in one)
    content = bytearray(files[name])
    content[len(content) // 2] ^= 1
    assert f"{name} a été modifié" in refused({**files, name: bytes(content)}, tmp_path)


def test_a_removed_file_is_named(files: dict[str, bytes], tmp_path: Path) -> None:
    name = next(one for one in files if one.endswith(".eml"))
    del files[name]
    assert f"{name} manque" in refused(files, tmp_path)


def test_an_added_file_is_named(files: dict[str, bytes], tmp_path: Path) -> None:
    files["messages/999-faux.eml"] = b"From: personne"
    assert "messages/999-faux.eml a été ajouté" in refused(files, tmp_path)


def test_a_replaced_manifest_is_found_by_the_hash_that_the_shop_gave(
    files: dict[str, bytes], evidence: Evidence, tmp_path: Path
) -> None:
    name = next(one for one in files if one.endswith(".eml"))
    manifest = json.loads(files.pop("manifest.json"))
    del files[name], manifest["files"][name]
    files["manifest.json"] = json.dumps(manifest).encode()
    path = packed(files, tmp_path / "preuves.zip")
    code, said = verified(path, "--sha256", evidence.manifest_sha256)
    assert code == 1
    assert "manifest.json n’est pas celui" in said.splitlines()[0]


# Somebody who changes a file and the manifest with it.


def test_a_changed_line_of_the_journal_is_named(files: dict[str, bytes], tmp_path: Path) -> None:
    def earlier(entries: Any) -> None:
        entries[3]["at"] = "2020-01-01T00:00:00+00:00"

    seq = json.loads(files["journal/extrait.json"])[3]["seq"]
    forged = rewritten(files, "journal/extrait.json", earlier)
    assert f"l’écriture n° {seq} du journal a été modifiée" in refused(forged, tmp_path)


def test_a_changed_link_is_named(files: dict[str, bytes], tmp_path: Path) -> None:
    def other(links: Any) -> None:
        links[0]["content_hash"] = "0" * 64

    forged = rewritten(files, "journal/liens.json", other)
    assert "du journal" in refused(forged, tmp_path)


def test_an_entry_that_is_left_out_is_missed(files: dict[str, bytes], tmp_path: Path) -> None:
    forged = rewritten(files, "journal/extrait.json", lambda entries: entries.pop(2))
    assert "ne sont pas celles que le manifeste annonce" in refused(forged, tmp_path)


@pytest.mark.parametrize(
    ("exhibit", "table", "column", "value"),
    [
        ("acceptations", "acceptances", "sentence", "J’accepte tout."),
        ("heures", "credit_entries", "minutes", -180),
        ("paiements", "payments", "amount_minor", 1),
    ],
)
def test_a_changed_row_is_named_with_the_entry_that_sealed_it(
    files: dict[str, bytes], exhibit: str, table: str, column: str, value: object, tmp_path: Path
) -> None:
    def forge(content: Any) -> None:
        row = next(one for one in content if one["table"] == table)
        row["sealed"][column] = value

    identity = rows(files, exhibit, table)[0]["id"]
    said = refused(rewritten(files, f"{exhibit}/lignes.json", forge), tmp_path)
    assert f"{table} {identity}" in said
    assert "ce n’est pas ce que l’écriture n°" in said


def test_a_changed_invoice_line_is_named_by_its_invoice(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    def cheaper(content: Any) -> None:
        content[0]["sealed"]["lines"][0]["gross_minor"] = 1

    said = refused(rewritten(files, "factures/lignes.json", cheaper), tmp_path)
    assert "F-2026-000001" in said


def test_a_changed_message_is_not_the_one_that_left(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    name = next(one for one in files if one.endswith(".eml"))
    files[name] = files[name].replace(b"CMD-2026-000001", b"CMD-2026-000009")
    manifest = json.loads(files["manifest.json"])
    manifest["files"][name]["sha256"] = hashlib.sha256(files[name]).hexdigest()
    files["manifest.json"] = json.dumps(manifest).encode()
    assert f"{name} n’est pas celui que le journal connaît" in refused(files, tmp_path)


def test_a_message_that_hides_from_its_row_is_still_missed(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    """The journal knows which bytes left, whatever the rows say of files."""

    def hide(content: Any) -> None:
        content[0]["files"] = {}

    assert "messages/001-" in refused(rewritten(files, "messages/lignes.json", hide), tmp_path)
    name = next(one for one in files if one.endswith(".eml"))
    manifest = json.loads(files["manifest.json"])
    del files[name], manifest["files"][name]
    files["manifest.json"] = json.dumps(manifest).encode()
    said = refused(rewritten(files, "messages/lignes.json", hide), tmp_path)
    assert "le fichier que connaît l’écriture n°" in said


def test_a_row_that_pretends_to_be_unsealed_is_named(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    def unseal(content: Any) -> None:
        content[0]["other"], content[0]["sealed"] = content[0]["sealed"], None
        content[0]["other"]["sentence"] = "J’accepte tout."

    said = refused(rewritten(files, "acceptations/lignes.json", unseal), tmp_path)
    assert "a scellé n’y est plus" in said


def test_a_row_is_unsealed_in_vain_even_without_its_entry(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    """The links of the chain still hold: that the shop seals each such row is known besides."""
    entries = json.loads(files["journal/extrait.json"])
    gone = [one for one in entries if one["kind"] == "terms.accepted"]

    def unseal(content: Any) -> None:
        for row in content:
            row["other"], row["sealed"], row["append_only"] = row["sealed"], None, False

    def leave_out(content: Any) -> None:
        content[:] = [one for one in content if one not in gone]

    forged = rewritten(files, "acceptations/lignes.json", unseal)
    forged = rewritten(forged, "journal/extrait.json", leave_out)
    manifest = json.loads(forged["manifest.json"])
    left = [list(one) for one in manifest["chain"]["entries"]]
    numbers = {one["seq"] for one in gone}
    manifest["chain"]["entries"] = [one for one in left if one[0] not in numbers]
    forged["manifest.json"] = json.dumps(manifest).encode()

    assert "la boutique scelle chacune de cette sorte" in refused(forged, tmp_path)


def test_a_manifest_without_its_title_cannot_be_read(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    manifest = json.loads(files["manifest.json"])
    del manifest["made_at"]
    path = packed({**files, "manifest.json": json.dumps(manifest).encode()}, tmp_path / "a.zip")
    code, said = verified(path)
    assert code == 2
    assert "ne se lit pas" in said


def test_a_damaged_archive_names_its_file(made: tuple[Evidence, bytes], tmp_path: Path) -> None:
    """A byte of the ZIP itself is turned over: its own checksum fails before our hash does."""
    with ZipFile(io.BytesIO(made[1])) as archive:
        entry = archive.getinfo("journal/extrait.json")
    content = bytearray(made[1])
    content[entry.header_offset + 200] ^= 0xFF
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    code, said = verified(path)
    assert code == 1
    assert "journal/extrait.json a été modifié" in said.splitlines()[0]


def test_a_row_that_is_left_out_is_missed(files: dict[str, bytes], tmp_path: Path) -> None:
    forged = rewritten(files, "heures/lignes.json", lambda content: content.pop())
    assert "manque" in refused(forged, tmp_path)


def test_what_is_no_evidence_file_is_said_to_be_none(tmp_path: Path) -> None:
    nothing = tmp_path / "rien.zip"
    nothing.write_bytes(b"PK?")
    assert verified(nothing)[0] == 2
    code, said = verified(packed({"a.txt": b"a"}, tmp_path / "autre.zip"))
    assert code == 2
    assert "ce n’est pas un dossier de preuves" in said

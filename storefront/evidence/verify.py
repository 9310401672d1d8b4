#!/usr/bin/env python3
"""Vérifie un dossier de preuves : rien que Python 3.8 ou plus récent, sans accès à Internet.

    python3 verify.py preuves-CMD-2026-000001-….zip
    python3 verify.py --sha256 EMPREINTE preuves-….zip     (l’empreinte donnée par la boutique)
    python3 verify.py DOSSIER_DÉCOMPRESSÉ                  (par défaut : celui de ce programme)

Code de sortie : 0 quand tout tient, 1 quand quelque chose ne tient pas, 2 quand rien ne se lit.
"""

# It stands in every evidence file and is read by experts of the other side: no import of the shop,
# nothing clever. Its words are French since its readers are.

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set

FORMAT = 1
MANIFEST = "manifest.json"
ROWS = "/lignes.json"
LINK_FIELDS = ("previous_hash", "earlier_hash", "hash")
# What an entry says of a file: its hash.
FILE_HASHES = ("message_sha256", "sha256")
# What the shop always seals: a row of these that is not was tampered with.
SEALED = {
    *("acceptances", "access_events", "arrivals", "cancellation_requests", "credit_entries"),
    *("credit_notes", "deferrals", "disputes", "documents", "dunning_acts", "goods_proofs"),
    *("incident_updates", "invoices", "marketing_choices", "orders", "outage_credit_uses"),
    *("payments", "plan_versions", "reason_decisions", "refunds", "termination_notices"),
    *("terms_versions", "ticket_messages", "withdrawal_decisions", "withdrawal_requests"),
}
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError)


class Unreadable(Exception):
    """Nothing can be said about this file; the message says why."""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def canonical(content: Any) -> bytes:
    """One text for one content, as the shop's journal hashes it."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


class Zipped:
    """The ZIP as it was handed over."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)

    def names(self) -> List[str]:
        return [name for name in self._zip.namelist() if not name.endswith("/")]

    def read(self, name: str) -> bytes:
        return self._zip.read(name)


class Unpacked:
    """The same, in a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> List[str]:
        found = (one for one in self._path.rglob("*") if one.is_file())
        return [one.relative_to(self._path).as_posix() for one in found]

    def read(self, name: str) -> bytes:
        return (self._path / name).read_bytes()


class Evidence:
    """One evidence file; each check yields what does not hold, in plain words."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.names: List[str] = source.names()
        if MANIFEST not in self.names:
            raise Unreadable(f"{MANIFEST} manque : ce n’est pas un dossier de preuves.")
        try:
            self.manifest_bytes = source.read(MANIFEST)
            self.manifest = json.loads(self.manifest_bytes)
            self.files: Dict[str, Dict[str, Any]] = self.manifest["files"]
            self.end = self.manifest["chain"]
            self.title = [self.manifest[key] for key in ("order", "shop", "made_at")]
            self.count, self.last = len(self.end["entries"]), self.end["seq"]
            self.hashes: Set[str] = {said["sha256"] for said in self.files.values()}
        except (ValueError, KeyError, TypeError, *DAMAGE):
            raise Unreadable(f"{MANIFEST} ne se lit pas.") from None
        if self.manifest.get("format") != FORMAT:
            raise Unreadable(f"format {self.manifest.get('format')} : il faut un autre verify.py.")

    def json(self, name: str) -> Any:
        return json.loads(self.source.read(name))

    # Files

    def check_files(self) -> Iterator[str]:
        """Each file is there, once, as the manifest says, and no other."""
        names = self.names
        for name in sorted(name for name, times in Counter(names).items() if times > 1):
            yield f"le fichier {name} figure plusieurs fois"
        for name in sorted(set(self.files) - set(names)):
            yield f"le fichier {name} manque"
        for name in sorted(set(names) - set(self.files) - {MANIFEST}):
            yield f"le fichier {name} a été ajouté"
        for name in sorted(set(names) & set(self.files)):
            said = self.files[name]
            try:
                data = self.source.read(name)
            except DAMAGE:
                yield f"le fichier {name} a été modifié ou abîmé : il ne se lit plus"
                continue
            if (sha256(data), len(data)) != (said["sha256"], said["size"]):
                yield f"le fichier {name} a été modifié"

    # Journal

    def check_journal(self) -> Iterator[str]:
        """Each entry's hash, and the links from the end of the chain down to it."""
        links = {link["seq"]: link for link in self.json("journal/liens.json")}
        hashes = {
            seq: sha256(
                (link["previous_hash"] + link["earlier_hash"] + link["content_hash"]).encode()
            )
            for seq, link in links.items()
        }
        entries = self.json("journal/extrait.json")
        for entry in entries:
            yield from self._check_entry(entry, links, hashes)
        listed = [[entry["seq"], entry["hash"]] for entry in entries]
        if listed != [list(one) for one in self.end["entries"]]:
            yield "les écritures du journal ne sont pas celles que le manifeste annonce"
        if links:
            yield from self._check_links(links, hashes)

    def _check_entry(
        self, entry: Dict[str, Any], links: Dict[int, Any], hashes: Dict[int, str]
    ) -> Iterator[str]:
        seq = entry["seq"]
        content = {key: value for key, value in entry.items() if key not in LINK_FIELDS}
        link = links.get(seq)
        if link is None:
            yield f"l’écriture n° {seq} du journal n’est reliée à rien"
        elif sha256(canonical({"format": FORMAT, **content})) != link["content_hash"]:
            yield f"l’écriture n° {seq} du journal a été modifiée"
        elif entry["hash"] != hashes[seq] or any(
            entry[key] != link[key] for key in ("previous_hash", "earlier_hash")
        ):
            yield f"l’empreinte de l’écriture n° {seq} du journal n’est pas la sienne"

    def _check_links(self, links: Dict[int, Any], hashes: Dict[int, str]) -> Iterator[str]:
        if hashes.get(self.end["seq"]) != self.end["hash"]:
            yield f"la chaîne ne finit pas par l’écriture n° {self.end['seq']} annoncée"
        held: Set[int] = {self.end["seq"]}
        for seq, link in sorted(links.items()):
            # An entry holds on to the one before it, and to its number without its lowest bit.
            for other, said in ((seq - 1, "previous_hash"), (seq & (seq - 1), "earlier_hash")):
                if other in hashes and link[said] != hashes[other]:
                    yield f"l’écriture n° {seq} ne tient pas à l’écriture n° {other}"
                held.add(other)
        for seq in sorted(set(links) - held):
            yield f"l’écriture n° {seq} n’est reliée à aucune écriture plus récente"

    # Rows

    def check_rows(self) -> Iterator[str]:
        """Each sealed row against what the journal sealed, each file against its row, and the
        other way round: nothing that the journal tells of is missing."""
        told: Dict[str, List[Dict[str, Any]]] = {}
        for entry in self.json("journal/extrait.json"):
            told.setdefault(entry["subject_id"], []).append(entry)
        known: Set[str] = set()
        shown: Set[str] = set()
        for name in sorted(name for name in self.files if name.endswith(ROWS)):
            for row in self.json(name):
                known.add(row["id"])
                shown.update(row["files"].values())
                for problem in self._check_row(row, told.get(row["id"], [])):
                    yield f"{name}, {row['table']} {row['id']} ({row['name']}) : {problem}"
        for subject, entries in told.items():
            if subject not in known:
                yield f"la ligne {subject} de l’écriture n° {entries[0]['seq']} manque"
            for entry in entries:
                payload = json.loads(entry["payload"])
                if any(payload.get(key, "") not in {"", *self.hashes} for key in FILE_HASHES):
                    yield f"le fichier que connaît l’écriture n° {entry['seq']} manque"
        for name in sorted(self.files):
            own = "/" in name and not name.startswith("journal/") and not name.endswith(ROWS)
            if own and name not in shown:
                yield f"le fichier {name} n’appartient à aucune ligne"

    def _check_row(self, row: Dict[str, Any], entries: List[Dict[str, Any]]) -> Iterator[str]:
        sealed = row["sealed"]
        seals = [entry for entry in entries if entry["seal"] is not None]
        if sealed is None and seals:
            yield f"ce que l’écriture n° {seals[0]['seq']} a scellé n’y est plus"
        elif sealed is None and row["table"] in SEALED:
            yield "elle n’est pas scellée, et la boutique scelle chacune de cette sorte"
        elif sealed is not None:
            if not seals:
                yield "le journal ne l’a jamais scellée"
            # A row that may move is held to the last seal, one that never changes to each.
            for entry in seals if row["append_only"] else seals[-1:]:
                if entry["seal"] != sha256(canonical(sealed)):
                    yield f"ce n’est pas ce que l’écriture n° {entry['seq']} a scellé"
            for key, value in sealed.items():
                if key.endswith("_sha256") and not self._is_there(key, value, row["other"]):
                    yield f"« {key[: -len('_sha256')]} » n’est pas ce qui a été scellé"
        left = row["table"] == "emails" and row["other"].get("status") == "sent"
        if left and row["files"] and not set(row["files"]) & set(FILE_HASHES):
            yield "ce message est parti, et rien ne dit quels en étaient les octets"
        for key, name in row["files"].items():
            yield from self._check_file(key, name, sealed or {}, entries)

    def _is_there(self, key: str, value: str, other: Dict[str, Any]) -> bool:
        """What was sealed by its hash: a text of the same row, or a file."""
        text = other.get(key[: -len("_sha256")])
        return value in self.hashes or (text is not None and sha256(text.encode()) == value)

    def _check_file(
        self, key: str, name: str, sealed: Dict[str, Any], entries: List[Dict[str, Any]]
    ) -> Iterator[str]:
        if name not in self.files:
            yield f"son fichier {name} manque"
            return
        if key in sealed:
            expected = {sealed[key] if key.endswith("sha256") else sha256(sealed[key].encode())}
        else:
            said = [json.loads(entry["payload"]) for entry in entries]
            expected = {one[key] for one in said if key in one}
            if key.endswith("sha256") and not expected:
                yield f"le journal ne dit rien de son fichier {name}"
        if expected and self.files[name]["sha256"] not in expected:
            yield f"son fichier {name} n’est pas celui que le journal connaît"


def problems_of(evidence: Evidence, expected: str) -> Iterator[str]:
    """All that does not hold, the most telling first."""
    if expected and sha256(evidence.manifest_bytes) != expected.strip().lower():
        yield f"{MANIFEST} n’est pas celui dont la boutique a donné l’empreinte"
    broken = False
    for problem in evidence.check_files():
        broken = True
        yield problem
    try:
        yield from evidence.check_journal()
        yield from evidence.check_rows()
    except (ValueError, KeyError, TypeError, AttributeError, *DAMAGE) as error:
        if not broken:
            yield f"une pièce ne se lit pas : {error!r}"


def main() -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console that lacks a letter says the rest
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    here = Path(__file__).resolve().parent
    parser.add_argument("path", nargs="?", type=Path, default=here, help="le ZIP, ou son dossier")
    parser.add_argument("--sha256", default="", help="l’empreinte du manifeste")
    arguments = parser.parse_args()
    try:
        path = arguments.path
        evidence = Evidence(Unpacked(path) if path.is_dir() else Zipped(path))
    except (Unreadable, OSError, zipfile.BadZipFile) as error:
        print(f"{arguments.path} : {error}", file=sys.stderr)
        return 2
    problems = list(problems_of(evidence, arguments.sha256))
    for number, problem in enumerate(problems):
        print(f"{'NE TIENT PAS' if number == 0 else '            '} : {problem}")
    print("Commande {}, {}, établi le {}".format(*evidence.title))
    print(f"Empreinte SHA-256 du manifeste : {sha256(evidence.manifest_bytes)}")
    if problems:
        return 1
    print(
        f"Tout tient : {len(evidence.files)} fichiers, {evidence.count} écritures du journal,"
        f" reliées à l’écriture n° {evidence.last} qui finit la chaîne."
    )
    if not arguments.sha256:
        print("Comparez l’empreinte du manifeste avec celle que la boutique vous a donnée.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The direction of imports, as docs/architecture.md draws it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import ROOT

pytestmark = pytest.mark.static

LINTER = Path(sys.executable).with_name("lint-imports")


def test_rooms_call_down_and_publish_up():
    done = subprocess.run([LINTER, "--no-logo"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_an_import_against_the_direction_is_refused(tmp_path: Path):
    """The contracts bite: one wrong import in a copy of the sources breaks them."""
    for package in ("storefront", "sandbox"):
        for source in (ROOT / package).rglob("*.py"):
            copy = tmp_path / source.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    wrong = tmp_path / "storefront" / "kernel" / "wrong.py"
    wrong.write_text("import storefront.orders.models\n")

    done = subprocess.run(
        [LINTER, "--no-logo", "--no-cache"], cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert "storefront.kernel is not allowed to import storefront.orders" in done.stdout

"""What ./run and ./check say when something stands in the way: before anything is installed."""

import os
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.house.sources import ROOT
from tools.check import Count, Step
from tools.tree import fingerprint

pytestmark = pytest.mark.static


def command(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run one of the two commands as a person would, and wait for its answer."""
    return subprocess.run(
        [ROOT / arguments[0], *arguments[1:]],
        env={"PATH": os.environ["PATH"], **settings},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_named_with_a_way_out(taken_port: int):
    done = command("run", "--port", str(taken_port))
    assert done.returncode == 1
    assert f"Port {taken_port} is taken" in done.stderr
    assert "./run --port" in done.stderr


def test_a_port_that_cannot_be_is_refused():
    done = command("run", "--port", "70000")
    assert done.returncode == 2
    assert "between 1 and 65534" in done.stderr


def test_the_demo_is_not_served_in_production():
    done = command("run", STOREFRONT_ENV="production")
    assert done.returncode == 1
    assert "serves the demo only" in done.stderr


@pytest.mark.parametrize("name", ["run", "check"])
def test_each_command_explains_itself(name: str):
    done = command(name, "--help")
    assert done.returncode == 0
    assert f"usage: ./{name}" in done.stdout


def test_the_count_reads_as_a_sentence():
    assert str(Count(12, 0, 0)) == "12 passed, 0 failed"
    assert str(Count(1, 0, 2) + Count(3, 4, 0)) == "4 passed, 4 failed, 2 skipped"


def test_a_step_keeps_its_report_out_of_the_sources():
    assert Step("tests on SQLite", []).report == ROOT / ".check" / "tests-on-SQLite.xml"


def test_any_change_to_the_sources_is_noticed(tmp_path):
    (tmp_path / "a.py").write_text("a = 1\n")
    before = fingerprint(tmp_path)
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "shop.sqlite3").write_text("data")
    assert fingerprint(tmp_path) == before

    (tmp_path / "a.py").write_text("a = 2\n")
    changed = fingerprint(tmp_path)
    (tmp_path / "a.py").chmod(0o755)
    executable = fingerprint(tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({before, changed, executable, fingerprint(tmp_path)}) == 4

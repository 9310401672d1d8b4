"""./check: everything that must hold, each step timed, one summary at the end."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tools import environment, postgres, tree
from tools.environment import PYTHON, ROOT, VENV, SetUpFailed

REPORTS = ROOT / ".check"


@dataclass(frozen=True)
class Step:
    """One command that must succeed. A step with tests leaves a report to count them by."""

    name: str
    command: list[str]
    settings: Mapping[str, str] = field(default_factory=dict)
    has_tests: bool = False

    @property
    def report(self) -> Path:
        """Where pytest writes what ran."""
        return REPORTS / f"{self.name.replace(' ', '-')}.xml"


@dataclass(frozen=True)
class Count:
    """How many tests passed, failed (or broke before they could) and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


@dataclass(frozen=True)
class Result:
    """What became of a step."""

    step: Step
    seconds: float
    succeeded: bool
    output: str
    count: Count


def main() -> int:
    """Run every check; 0 when all hold, 1 when one does not, 2 when the machine lacks something."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(143))
    started = time.monotonic()
    try:
        with (ROOT / "check").open() as itself:
            fcntl.flock(itself, fcntl.LOCK_EX)  # two at once would write the same reports
            return _check(fast=arguments.fast, force=arguments.force, started=started)
    except (SetUpFailed, postgres.PostgresFailed) as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped: nothing is known of the rest.", file=sys.stderr)
        return 130


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./check",
        description="Check everything that must hold: form, types, direction of imports, "
        "templates, tests on SQLite and PostgreSQL, journeys in a browser.",
    )
    parser.add_argument(
        "--fast", action="store_true", help="leave out PostgreSQL and the browser journeys"
    )
    parser.add_argument(
        "--force", action="store_true", help="check again although nothing has changed"
    )
    return parser.parse_args()


def _check(*, fast: bool, force: bool, started: float) -> int:
    sources = tree.fingerprint(ROOT)
    known = None if force else _known(sources, fast=fast)
    if known:
        print(f"Nothing has changed since all of this passed on {known['when']}: not repeated.")
        print("./check --force checks again.\n")
        print(known["count"])
        return 0
    environment.prepare(environment.DEVELOPMENT)
    if not fast:
        _prepare_system()
    REPORTS.mkdir(exist_ok=True)
    results = _run_all(fast=fast)
    count = sum((result.count for result in results), Count())
    failed = [result.step.name for result in results if not result.succeeded]
    print(f"\n{time.monotonic() - started:.0f} s in all.", end=" ")
    print(f"FAILED: {', '.join(failed)}." if failed else "Everything holds.")
    if not failed and tree.fingerprint(ROOT) == sources:
        _remember(sources, str(count), fast=fast)
    print(count, flush=True)
    return 1 if failed else 0


def _prepare_system() -> None:
    """What cannot come from a Python package: a browser and a database server."""
    missing = []
    if shutil.which("chromium") is None:
        missing.append("chromium")
    if not list(Path("/usr/lib").glob("*/libatomic.so.1")):
        missing.append("libatomic1")
    if postgres.find_programs() is None:
        missing.append("postgresql")
    if missing:
        environment.install_debian_packages(missing, "./check (but not ./check --fast)")


def _run_all(*, fast: bool) -> list[Result]:
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(_run, _static_steps()))
    results.append(_run(_tests("tests on SQLite", "not browser and not postgres", workers=True)))
    if not fast:
        with postgres.temporary_cluster() as url:
            settings = {postgres.URL_SETTING: url}
            chosen = "not browser and not static and not once"
            steps = (
                _tests("tests on PostgreSQL", chosen, settings, workers=True),
                _tests("browser journeys", "browser"),
            )
            # Either waits for others much of the time: for the server, for the browser.
            with ThreadPoolExecutor(max_workers=2) as pool:
                results += pool.map(_run, steps)
    return results


def _static_steps() -> list[Step]:
    def tool(name: str, program: str, *arguments: str) -> Step:
        return Step(name, [str(VENV / "bin" / program), *arguments])

    return [
        tool("types", "mypy"),
        tool("lint", "ruff", "check", "--quiet"),
        tool("format", "ruff", "format", "--check", "--quiet"),
        tool("imports", "lint-imports", "--no-logo"),
        tool("templates", "djlint", "--lint", "--quiet", "templates"),
    ]


def _tests(
    name: str,
    chosen: str,
    settings: Mapping[str, str] | None = None,
    *,
    workers: bool = False,
) -> Step:
    """A run of pytest over the tests whose markers are `chosen`, on all processors if wanted."""
    spread = ["-n", str(min(os.cpu_count() or 1, 4)), "--dist", "worksteal"] if workers else []
    pytest = [str(PYTHON), "-m", "pytest", "-q", "-m", chosen, *spread]
    step = Step(name, pytest, settings or {}, has_tests=True)
    return Step(name, [*pytest, f"--junitxml={step.report}"], step.settings, has_tests=True)


def _run(step: Step) -> Result:
    started = time.monotonic()
    step.report.unlink(missing_ok=True)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("STOREFRONT_")}
    done = subprocess.run(
        step.command,
        cwd=ROOT,
        env={**inherited, **step.settings},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    count = _count(step.report) if step.has_tests else Count()
    ran = count.passed + count.failed > 0
    succeeded = done.returncode == 0 and (ran or not step.has_tests)
    result = Result(step, time.monotonic() - started, succeeded, done.stdout, count)
    _say(result)
    return result


def _count(report: Path) -> Count:
    """Read pytest's own report. A run that broke before it could write one counts as nothing."""
    if not report.exists():
        return Count()
    # Our own file, written a moment ago.
    suites = ElementTree.parse(report).getroot().iter("testsuite")  # noqa: S314
    total = Count()
    for suite in suites:
        tests, failures, errors, skipped = (
            int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")
        )
        failed = failures + errors
        total += Count(tests - failed - skipped, failed, skipped)
    return total


def _say(result: Result) -> None:
    verdict = "ok" if result.succeeded else "FAILED"
    tests = f"  {result.count}" if result.step.has_tests else ""
    line = f"{result.step.name:<20} {verdict:<7}{result.seconds:6.1f} s{tests}"
    if not result.succeeded:
        line = f"\n{result.output.rstrip()}\n{line}\n"
    print(line, flush=True)


def _stamp(*, fast: bool) -> Path:
    return REPORTS / ("passed-fast.json" if fast else "passed.json")


def _known(sources: str, *, fast: bool) -> dict[str, str] | None:
    """What an earlier run found on the same sources; a full one answers for a fast one."""
    for stamp in {_stamp(fast=False), _stamp(fast=fast)}:
        with contextlib.suppress(OSError, ValueError):
            found: dict[str, str] = json.loads(stamp.read_text())
            if found["sources"] == sources:
                return found
    return None


def _remember(sources: str, count: str, *, fast: bool) -> None:
    when = time.strftime("%Y-%m-%d at %H:%M")
    found = {"sources": sources, "count": count, "when": when}
    _stamp(fast=fast).write_text(json.dumps(found))


if __name__ == "__main__":
    sys.exit(main())

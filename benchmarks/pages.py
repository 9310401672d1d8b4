"""How long pages take, asked one after the other from a process of its own.

    python -m benchmarks.pages SECONDS URL [URL …]

Prints one line of JSON: how many answers, and their median and 99th percentile in milliseconds.
"""

from __future__ import annotations

import itertools
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

PAUSE = 0.05


@dataclass(frozen=True)
class Latency:
    """Milliseconds; `answers` is how many pages were asked for."""

    answers: int
    p50: float
    p99: float


def measure(seconds: float, urls: Sequence[str]) -> Latency:
    """Ask for these pages in turn for so long, as a visitor does: with a pause after each.

    Interrupted, it measured until then.
    """
    took: list[float] = []
    until = time.monotonic() + seconds
    with suppress(KeyboardInterrupt):
        for url in itertools.cycle(urls):
            started = time.monotonic()
            with urllib.request.urlopen(url, timeout=60) as answer:
                answer.read()
            took.append((time.monotonic() - started) * 1000)
            if time.monotonic() > until and len(took) >= len(urls) * 10:
                break
            time.sleep(PAUSE)
    percentiles = statistics.quantiles(took, n=100, method="inclusive")
    return Latency(len(took), percentiles[49], percentiles[98])


def start(seconds: float, urls: Sequence[str]) -> subprocess.Popen[str]:
    """The same in a process of its own, which shares no interpreter with what it measures."""
    command = [sys.executable, "-m", "benchmarks.pages", str(seconds), *urls]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def result(process: subprocess.Popen[str]) -> Latency:
    """What `start` measured, once it is over or was interrupted (SIGINT)."""
    output, _ = process.communicate()
    return Latency(**json.loads(output))


if __name__ == "__main__":
    print(json.dumps(measure(float(sys.argv[1]), sys.argv[2:]).__dict__))

"""The same work by several people at the same moment, each with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from flask import Flask

from storefront.infra.db import db

T = TypeVar("T")


def at_once(app: Flask, work: Callable[[int], T], count: int) -> list[T | Exception]:
    """What `work(0)` to `work(count - 1)` gave or raised, all started together."""
    start = threading.Barrier(count)
    given: list[T | Exception] = [RuntimeError("never ran")] * count

    def run(number: int) -> None:
        with app.app_context():
            start.wait()
            try:
                given[number] = work(number)
            except Exception as error:
                given[number] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given

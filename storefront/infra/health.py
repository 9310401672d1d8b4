"""`/sante`: whether the shop can do its work, for whoever watches over it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from storefront.infra import clock, heartbeat, jobs, outbox
from storefront.infra.db import db

log = logging.getLogger(__name__)

SILENT_AFTER = timedelta(minutes=3)
LATE_AFTER = timedelta(hours=1)


def state_of_the_shop(now: datetime) -> tuple[dict[str, Any], bool]:
    """What is known, as JSON, and whether all is well.

    All is well when the database answers, the worker went round lately, and nothing that is due
    has waited longer than `LATE_AFTER`.
    """
    try:
        beat = heartbeat.last_beat(heartbeat.WORKER)
        dues = [outbox.next_due(), *(job.next_due() for job in jobs.registered())]
    except SQLAlchemyError as error:
        log.error("the database does not answer", exc_info=error)
        db.session.rollback()
        return {"status": "down", "database": "down"}, False
    oldest = min((due for due in dues if due is not None and due <= now), default=None)
    alive = beat is not None and now - beat <= SILENT_AFTER
    on_time = oldest is None or now - oldest <= LATE_AFTER
    return {
        "status": "ok" if alive and on_time else "late" if alive else "worker silent",
        "database": "ok",
        "worker_last_beat": beat.isoformat() if beat else None,
        "oldest_undone_work": oldest.isoformat() if oldest else None,
        "now": now.isoformat(),
    }, alive and on_time


def _answer() -> tuple[Response, int]:
    state, well = state_of_the_shop(clock.now())
    answer = jsonify(state)
    answer.headers["Cache-Control"] = "no-store"
    return answer, 200 if well else 503


def init_app(app: Flask) -> None:
    """Serve `/sante`."""
    app.add_url_rule("/sante", "health", _answer)

"""What follows an unpaid sum, step by step: one transaction a step, each step once (SUB-06)."""

from __future__ import annotations

import uuid
from datetime import datetime

from storefront.arrears import emails, queries, service
from storefront.infra.jobs import Job, one_by_one
from storefront.instalments.rules import working_day


def take_steps(now: datetime) -> int:
    """Make every step that is due and write to the customer, in the same transaction."""

    def take(case_id: uuid.UUID) -> bool:
        act = service.take_step(case_id, now=now)
        if act is not None:
            emails.tell_step(act, now=now)
        return act is not None

    return one_by_one(queries.to_act(working_day(now)), take)


JOBS: tuple[Job, ...] = (Job("arrears.steps", take_steps, queries.next_act_at),)

"""Timelines read from rows: of one contract, of a customer, and what is due of all of them."""

from storefront.timeline.queries.queue import Deadline, Wanted, deadlines
from storefront.timeline.queries.sources import SOURCES
from storefront.timeline.queries.timelines import Timeline, of_order, of_user

__all__ = ["SOURCES", "Deadline", "Timeline", "Wanted", "deadlines", "of_order", "of_user"]

"""Terms are drafted, published for ever, and accepted (R-01, R-03)."""

from storefront.legal.service.acceptances import AcceptedBox, record_acceptances
from storefront.legal.service.drafts import (
    Decision,
    Edit,
    NothingChanged,
    PublicationPlanned,
    WarningsNotAccepted,
    WrongPublicationDay,
    discard_draft,
    publish_planned,
    release,
    save_draft,
    withdraw_release,
)
from storefront.legal.service.publishing import publish

__all__ = [
    "AcceptedBox",
    "Decision",
    "Edit",
    "NothingChanged",
    "PublicationPlanned",
    "WarningsNotAccepted",
    "WrongPublicationDay",
    "discard_draft",
    "publish",
    "publish_planned",
    "record_acceptances",
    "release",
    "save_draft",
    "withdraw_release",
]

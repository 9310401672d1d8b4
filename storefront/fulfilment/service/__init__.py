"""What a paid order opens, and what stops it for a while or for good."""

from storefront.fulfilment.service.supply import (
    HANDLERS,
    AccessNotOpen,
    deliver,
    finish,
    open_access,
    open_after_confirmation,
    prepare_order,
    ship,
    use_access,
    withdrawal_ends_at,
)
from storefront.fulfilment.service.suspensions import (
    UNPAID,
    SupplyStopped,
    follow_arrears,
    lines_of,
    resume,
    revoke,
    stop_new_hours,
    suspend,
)

__all__ = [
    "HANDLERS",
    "UNPAID",
    "AccessNotOpen",
    "SupplyStopped",
    "deliver",
    "finish",
    "follow_arrears",
    "lines_of",
    "open_access",
    "open_after_confirmation",
    "prepare_order",
    "resume",
    "revoke",
    "ship",
    "stop_new_hours",
    "suspend",
    "use_access",
    "withdrawal_ends_at",
]

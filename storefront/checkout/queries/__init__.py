"""What stands before an order and what became of it."""

from storefront.checkout.queries.drafts import foreseen, payable_in
from storefront.checkout.queries.order_view import OrderView, documents_of, order_view
from storefront.checkout.queries.review import (
    Promises,
    Review,
    plan_offers,
    priced,
    promises_of,
    promises_to,
    review,
    sale_line,
    shipping_bands,
    terms_today,
)

__all__ = [
    "OrderView",
    "Promises",
    "Review",
    "documents_of",
    "foreseen",
    "order_view",
    "payable_in",
    "plan_offers",
    "priced",
    "promises_of",
    "promises_to",
    "review",
    "sale_line",
    "shipping_bands",
    "terms_today",
]

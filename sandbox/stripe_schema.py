"""The parameters the stand-in takes at each Stripe address; anything else is refused.

Narrower than Stripe: what the stand-in cannot honour, it does not pretend to accept.
"""

import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.schema import (
    Choice,
    Flag,
    Many,
    Metadata,
    Object,
    Problem,
    Text,
    Type,
    Whole,
    choice,
    obj,
)

CURRENCIES = tuple("eur usd gbp chf cad mad xpf jpy sek nok dkk pln czk".split())
CURRENCY = Choice(CURRENCIES)
AMOUNT = Whole(min=0)
META = Metadata()
EXPAND = Many(Text(200), max=20)
URL = Text(5000, pattern=r"https?://.+")
EMAIL = Text(512, pattern=r"[^@\s]+@[^@\s]+\.[^@\s]+")
FUTURE_USAGE = choice("off_session", "on_session")
METHOD_TYPES = Many(choice("card"))
LOCALES = choice(*("auto fr fr-CA en en-GB de es it nl pt".split()))
THREE_D_SECURE = choice("automatic")

ADDRESS = obj(
    city=Text(), country=Text(2), line1=Text(), line2=Text(), postal_code=Text(), state=Text()
)
CUSTOMER = obj(
    email=EMAIL,
    name=Text(256),
    description=Text(350),
    phone=Text(20),
    metadata=META,
    address=ADDRESS,
    preferred_locales=Many(Text(10)),
    expand=EXPAND,
)
RANGE = obj(gt=Whole(), gte=Whole(), lt=Whole(), lte=Whole())
PAGING: dict[str, Type] = {
    "limit": Whole(1, 100),
    "starting_after": Text(),
    "ending_before": Text(),
    "expand": EXPAND,
}
RETRIEVE = obj(expand=EXPAND)


def listing(**fields: Type) -> Object:
    """The parameters of a list: its own filters, a range of dates and the paging."""
    return Object({**fields, **PAGING, "created": RANGE})


PRICE_DATA = obj(
    "currency unit_amount product_data",
    currency=CURRENCY,
    unit_amount=AMOUNT,
    product_data=obj(
        "name",
        name=Text(),
        description=Text(40000),
        images=Many(URL, max=8),
        metadata=META,
        tax_code=Text(),
        unit_label=Text(12),
    ),
    tax_behavior=choice("exclusive", "inclusive", "unspecified"),
)
INTENT_DATA = obj(
    description=Text(1000),
    metadata=META,
    receipt_email=EMAIL,
    setup_future_usage=FUTURE_USAGE,
    statement_descriptor=Text(22),
    statement_descriptor_suffix=Text(22),
    capture_method=choice("automatic", "automatic_async"),
)
SESSION_CREATE = obj(
    mode=choice("payment", "setup"),
    ui_mode=choice("hosted_page"),
    line_items=Many(obj("price_data", price_data=PRICE_DATA, quantity=Whole(1), metadata=META)),
    payment_intent_data=INTENT_DATA,
    setup_intent_data=obj(description=Text(1000), metadata=META),
    payment_method_types=METHOD_TYPES,
    payment_method_options=obj(
        card=obj(request_three_d_secure=THREE_D_SECURE, setup_future_usage=FUTURE_USAGE)
    ),
    customer=Text(),
    customer_email=EMAIL,
    customer_creation=choice("always", "if_required"),
    customer_update=obj(address=choice("auto", "never"), name=choice("auto", "never")),
    client_reference_id=Text(200),
    currency=CURRENCY,
    expires_at=Whole(),
    locale=LOCALES,
    metadata=META,
    success_url=URL,
    cancel_url=URL,
    submit_type=choice("auto", "book", "donate", "pay", "subscribe"),
    billing_address_collection=choice("auto", "required"),
    custom_text=obj(submit=obj("message", message=Text(1200))),
    expand=EXPAND,
)
SESSION_UPDATE = obj(metadata=META, expand=EXPAND)
SESSION_LIST = listing(
    customer=Text(), payment_intent=Text(), status=choice("complete", "expired", "open")
)

INTENT_CREATE = obj(
    "amount currency",
    amount=AMOUNT,
    currency=CURRENCY,
    customer=Text(),
    payment_method=Text(),
    confirm=Flag(),
    off_session=Flag(),
    payment_method_types=METHOD_TYPES,
    automatic_payment_methods=obj(
        "enabled", enabled=Flag(), allow_redirects=choice("always", "never")
    ),
    metadata=META,
    description=Text(1000),
    receipt_email=EMAIL,
    setup_future_usage=FUTURE_USAGE,
    statement_descriptor=Text(22),
    statement_descriptor_suffix=Text(22),
    error_on_requires_action=Flag(),
    return_url=URL,
    confirmation_method=choice("automatic", "manual"),
    capture_method=choice("automatic", "automatic_async"),
    expand=EXPAND,
)
INTENT_UPDATE = obj(
    metadata=META, description=Text(1000), receipt_email=EMAIL, amount=AMOUNT, expand=EXPAND
)
INTENT_CONFIRM = obj(
    payment_method=Text(),
    off_session=Flag(),
    return_url=URL,
    receipt_email=EMAIL,
    setup_future_usage=FUTURE_USAGE,
    error_on_requires_action=Flag(),
    expand=EXPAND,
)
INTENT_CANCEL = obj(
    cancellation_reason=choice("abandoned", "duplicate", "fraudulent", "requested_by_customer"),
    expand=EXPAND,
)
INTENT_LIST = listing(customer=Text())
METHOD_ATTACH = obj("customer", customer=Text(), expand=EXPAND)
METHOD_LIST = listing(customer=Text(), type=choice("card"))
REFUND_CREATE = obj(
    payment_intent=Text(),
    charge=Text(),
    amount=Whole(min=1),
    currency=CURRENCY,
    reason=choice("duplicate", "fraudulent", "requested_by_customer"),
    metadata=META,
    expand=EXPAND,
)
REFUND_LIST = listing(payment_intent=Text(), charge=Text())
CHARGE_LIST = listing(payment_intent=Text(), customer=Text())
DISPUTE_LIST = listing(payment_intent=Text(), charge=Text())
SETUP_LIST = listing(customer=Text(), payment_method=Text())
EVENT_LIST = listing(type=Text(), types=Many(Text(), max=20), delivery_success=Flag())
CUSTOMER_LIST = listing(email=Text(512))

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")


def parse_form(text: str) -> dict[str, Any]:
    """A form body as a tree: `a[b]=1` is an object, `a[0]=1` and `a[]=1` are lists.

    Raises `Problem` for a key that is malformed or used in two ways.
    """
    root: dict[str, Any] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        match = _KEY.match(key)
        if match is None:
            raise Problem((key,), "syntax", key)
        path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
        node = root
        for part, following in zip(path, [*path[1:], None], strict=True):
            name = str(len(node)) if part == "" else part
            if following is None:
                node[name] = value
                break
            node = node.setdefault(name, {})
            if not isinstance(node, dict):
                raise Problem(tuple(path), "object", value)
    return {name: _lists(value) for name, value in root.items()}


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(name.isdigit() for name in node):
        return [_lists(node[name]) for name in sorted(node, key=int)]
    return {name: _lists(value) for name, value in node.items()}

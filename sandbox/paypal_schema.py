"""The JSON members the stand-in takes at each PayPal address; anything else is refused."""

from sandbox.schema import Flag, Many, Text, choice, obj

_PATTERNS = (
    "IMMEDIATE DEFERRED RECURRING_PREPAID RECURRING_POSTPAID THRESHOLD_PREPAID THRESHOLD_POSTPAID"
).split()
_LATER_PATTERNS = (
    "SUBSCRIPTION_PREPAID SUBSCRIPTION_POSTPAID UNSCHEDULED_PREPAID UNSCHEDULED_POSTPAID"
    " INSTALLMENT_PREPAID INSTALLMENT_POSTPAID"
).split()

CURRENCIES = frozenset(
    "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB"
    " USD".split()
)

URL = Text(2048, pattern=r"https?://.+")
EMAIL = Text(254, pattern=r"[^@\s]+@[^@\s]+\.[^@\s]+")
LOCALE = Text(10, pattern=r"[a-z]{2}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
MONEY = obj(
    "currency_code value",
    currency_code=Text(3, pattern=r"[A-Z]{3}"),
    value=Text(32, pattern=r"-?[0-9]+|-?[0-9]*\.[0-9]+"),
)
BREAKDOWN = obj(
    item_total=MONEY,
    tax_total=MONEY,
    shipping=MONEY,
    handling=MONEY,
    discount=MONEY,
)
ITEM = obj(
    "name quantity unit_amount",
    name=Text(127),
    quantity=Text(10, pattern=r"[1-9][0-9]{0,9}"),
    unit_amount=MONEY,
    tax=MONEY,
    description=Text(2048),
    sku=Text(127),
    category=choice("DIGITAL_GOODS", "PHYSICAL_GOODS", "DONATION"),
)
PURCHASE_UNIT = obj(
    "amount",
    reference_id=Text(256),
    amount=obj(
        "currency_code value",
        currency_code=MONEY.fields["currency_code"],
        value=MONEY.fields["value"],
        breakdown=BREAKDOWN,
    ),
    description=Text(127),
    custom_id=Text(127),
    invoice_id=Text(127),
    soft_descriptor=Text(22),
    items=Many(ITEM),
)
EXPERIENCE = obj(
    brand_name=Text(127),
    locale=LOCALE,
    shipping_preference=choice("GET_FROM_FILE", "NO_SHIPPING", "SET_PROVIDED_ADDRESS"),
    return_url=URL,
    cancel_url=URL,
    landing_page=choice("LOGIN", "GUEST_CHECKOUT", "NO_PREFERENCE"),
    user_action=choice("CONTINUE", "PAY_NOW"),
    payment_method_preference=choice("UNRESTRICTED", "IMMEDIATE_PAYMENT_REQUIRED"),
)
VAULT = obj(
    "store_in_vault usage_type",
    store_in_vault=choice("ON_SUCCESS"),
    usage_type=choice("MERCHANT", "PLATFORM"),
    usage_pattern=choice(*_PATTERNS),
    customer_type=choice("CONSUMER", "BUSINESS"),
    permit_multiple_payment_tokens=Flag(),
    description=Text(128),
)
STORED_CREDENTIAL = obj(
    "payment_initiator",
    payment_initiator=choice("CUSTOMER", "MERCHANT"),
    usage=choice("FIRST", "SUBSEQUENT", "DERIVED"),
    usage_pattern=choice(*_PATTERNS, *_LATER_PATTERNS),
)
WALLET = obj(
    vault_id=Text(255, pattern=r"[0-9a-zA-Z_-]+"),
    stored_credential=STORED_CREDENTIAL,
    email_address=EMAIL,
    experience_context=EXPERIENCE,
    attributes=obj(vault=VAULT, customer=obj("id", id=Text(22, pattern=r"[0-9a-zA-Z_-]+"))),
)
ORDER_CREATE = obj(
    "intent purchase_units",
    intent=choice("CAPTURE"),
    purchase_units=Many(PURCHASE_UNIT, max=1),
    payment_source=obj(paypal=WALLET),
    application_context=obj(
        brand_name=Text(127),
        locale=LOCALE,
        shipping_preference=EXPERIENCE.fields["shipping_preference"],
        return_url=URL,
        cancel_url=URL,
        landing_page=choice("LOGIN", "BILLING", "NO_PREFERENCE"),
        user_action=EXPERIENCE.fields["user_action"],
    ),
)
NOTHING = obj()
REFUND = obj(amount=MONEY, invoice_id=Text(127), custom_id=Text(127), note_to_payer=Text(255))
VERIFY = obj(
    "auth_algo cert_url transmission_id transmission_sig transmission_time webhook_id",
    auth_algo=Text(100),
    cert_url=URL,
    transmission_id=Text(50),
    transmission_sig=Text(500),
    transmission_time=Text(100),
    webhook_id=Text(50),
)

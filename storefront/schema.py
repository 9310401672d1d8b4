"""Every table of the shop, for migrations and for a database made from the metadata."""

from storefront.arrears import models as arrears
from storefront.cart import models as cart
from storefront.catalogue import models as catalogue
from storefront.credits import models as credits
from storefront.documents import models as documents
from storefront.fulfilment import models as fulfilment
from storefront.identity import models as identity
from storefront.infra import heartbeat, journal, numbering, outbox, throttle
from storefront.instalments import models as instalments
from storefront.invoicing import models as invoicing
from storefront.legal import models as legal
from storefront.notifications import models as notifications
from storefront.orders import models as orders
from storefront.payments import models as payments
from storefront.subscriptions import models as subscriptions
from storefront.tickets import models as tickets
from storefront.withdrawals import models as withdrawals

TABLES = (
    arrears,
    cart,
    catalogue,
    credits,
    documents,
    fulfilment,
    heartbeat,
    identity,
    instalments,
    invoicing,
    journal,
    legal,
    notifications,
    numbering,
    orders,
    outbox,
    payments,
    subscriptions,
    throttle,
    tickets,
    withdrawals,
)

"""The composition root: one Flask app out of all the rooms."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask_migrate import Migrate

from storefront import cli, reactions, schema
from storefront.account import views as account
from storefront.arrears import jobs as arrears_jobs
from storefront.arrears import views as arrears
from storefront.cart import views as cart
from storefront.catalogue import jobs as catalogue_jobs
from storefront.catalogue import views as catalogue
from storefront.checkout import views as checkout
from storefront.credits import jobs as credits_jobs
from storefront.evidence import views as evidence
from storefront.fulfilment import jobs as fulfilment_jobs
from storefront.fulfilment import views as fulfilment
from storefront.identity import views as identity
from storefront.infra import clock, config, db, guards, health, jobs, seller, templating, web
from storefront.instalments import jobs as instalments_jobs
from storefront.instalments import views as instalments
from storefront.invoicing import views as invoicing
from storefront.legal import jobs as legal_jobs
from storefront.legal import views as legal
from storefront.notifications import jobs as notifications_jobs
from storefront.orders import jobs as orders_jobs
from storefront.orders import views as orders
from storefront.payments import jobs as payments_jobs
from storefront.payments import views as payments
from storefront.staff.arrears import views as staff_arrears
from storefront.staff.arrivals import views as staff_arrivals
from storefront.staff.billing import views as staff_billing
from storefront.staff.deadlines import views as staff_deadlines
from storefront.staff.declarations import views as staff_declarations
from storefront.staff.desk import views as staff_desk
from storefront.staff.endings import views as staff_endings
from storefront.staff.incidents import views as staff_incidents
from storefront.staff.journal import views as staff_journal
from storefront.staff.mail import views as staff_mail
from storefront.staff.money import views as staff_money
from storefront.staff.orders import views as staff_orders
from storefront.staff.plans import views as staff_plans
from storefront.staff.subscriptions import views as staff_subscriptions
from storefront.staff.support import views as support
from storefront.staff.terms import views as staff_terms
from storefront.staff.versions import views as staff_versions
from storefront.subscriptions import jobs as subscriptions_jobs
from storefront.subscriptions import views as subscriptions
from storefront.tickets import jobs as tickets_jobs
from storefront.tickets import views as tickets
from storefront.withdrawals import views as withdrawals

ROOT = Path(__file__).resolve().parents[1]

BLUEPRINTS = (
    catalogue.bp,
    cart.bp,
    checkout.bp,
    payments.bp,
    orders.bp,
    legal.bp,
    identity.bp,
    account.bp,
    subscriptions.changes.bp,
    subscriptions.revisions.bp,
    subscriptions.renewals.bp,
    subscriptions.rights.bp,
    instalments.bp,
    arrears.bp,
    subscriptions.endings.bp,
    tickets.bp,
    fulfilment.bp,
    invoicing.bp,
    withdrawals.bp,
    subscriptions.status.bp,
    evidence.bp,
    staff_desk.bp,
    support.bp,
    staff_orders.bp,
    staff_deadlines.bp,
    staff_arrears.bp,
    staff_endings.bp,
    staff_money.bp,
    staff_billing.bp,
    staff_arrivals.bp,
    staff_plans.bp,
    staff_terms.bp,
    staff_versions.bp,
    staff_incidents.bp,
    staff_subscriptions.bp,
    staff_declarations.bp,
    staff_mail.bp,
    staff_journal.bp,
)

# In the order in which work at the same instant is done.
JOBS = (
    *legal_jobs.JOBS,
    *payments_jobs.JOBS,
    *catalogue_jobs.JOBS,
    *orders_jobs.JOBS,
    *instalments_jobs.JOBS,
    *arrears_jobs.JOBS,
    *subscriptions_jobs.JOBS,
    *fulfilment_jobs.JOBS,
    *credits_jobs.JOBS,
    *tickets_jobs.JOBS,
    *notifications_jobs.JOBS,
)


def create_app(settings: config.Settings | None = None) -> Flask:
    """Build the shop. Raises `UnsafeSettings` when production settings are missing or unsafe."""
    settings = settings or config.load_settings()
    app = Flask(
        __name__,
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
        instance_path=str(settings.instance.resolve()),
    )
    app.config.update(
        SETTINGS=settings, SECRET_KEY=settings.secret_key, TESTING=settings.env == "test"
    )
    app.extensions["schema"] = schema.TABLES  # every model is mapped before the first query
    db.init_app(app)
    Migrate(app, db.db, directory=str(ROOT / "migrations"), render_as_batch=True)
    guards.attach_guards()
    clock.init_app(app)
    seller.init_app(app)
    templating.init_app(app)
    web.init_app(app)
    health.init_app(app)
    identity.init_app(app)
    payments_jobs.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    reactions.register(app)
    jobs.register(app, *JOBS)
    cli.init_app(app)
    return app

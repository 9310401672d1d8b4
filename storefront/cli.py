"""The shop's own commands; each is safe to run twice and at the same time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from email_validator import EmailNotValidError, validate_email
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from storefront import worker
from storefront.demo.commands import demo_commands
from storefront.evidence import jobs as evidence
from storefront.identity import queries as people
from storefront.identity import service as identity
from storefront.identity.models import Role
from storefront.infra import clock, journal, outbox
from storefront.infra.config import Settings
from storefront.infra.db import snapshot, transaction
from storefront.infra.spreadsheet import as_text, spreadsheet
from storefront.infra.templating import money_fr
from storefront.instalments import jobs as billing
from storefront.instalments import queries as billing_queries
from storefront.kernel.calendar import PARIS, paris_date
from storefront.legal import queries as legal_queries
from storefront.legal import service as legal
from storefront.legal.rules import Finding, UnpublishableTerms, read_source
from storefront.orders import queries as orders
from storefront.subscriptions import queries as subscriptions
from storefront.timeline import queries as timelines
from storefront.timeline.rules import MONTHS_AHEAD, horizon

terms_commands = AppGroup("terms", help="Publish the terms of sale and read what is published.")
billing_commands = AppGroup("billing", help="Debit what is due; the worker does so by itself.")
staff_commands = AppGroup("staff", help="Let people work here.")
subscription_commands = AppGroup("subscriptions", help="Ask what plans allow their holders.")
marketing_commands = AppGroup("marketing", help="Whom offers may be sent to.")
journal_commands = AppGroup("journal", help="Prove that nothing was rewritten.")


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is due, say what was done, stop.")
@with_appcontext
def worker_command(once: bool) -> None:
    """Do what is due, for ever, until told to stop (SIGTERM, Ctrl-C)."""
    if not once:
        worker.run_for_ever(clock.now)
        return
    done = worker.run_due(clock.now())
    click.echo(", ".join(f"{name}: {count}" for name, count in done.items()) or "nothing due")


@click.command("check-config")
@with_appcontext
def check_config() -> None:
    """Say what is missing or unsafe for production; exit 1 when something is."""
    settings: Settings = current_app.config["SETTINGS"]
    if problems := settings.problems():
        for problem in problems:
            click.echo(problem)
        raise SystemExit(1)
    click.echo("Nothing is missing or unsafe for production.")


@terms_commands.command("publish")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def publish_terms(file: Path) -> None:
    """Publish FILE as a new version; the same text as the version in force changes nothing."""
    now, text = clock.now(), file.read_text(encoding="utf-8")
    try:
        planned = legal_queries.draft_of(read_source(text).document)
        if planned is not None and planned.publish_at is not None:
            raise click.ClickException(
                f"a draft of {planned.document} is published on {planned.publish_at:%Y-%m-%d}:"
                " take that plan back at /gestion/conditions first"
            )
        with transaction():
            version = legal.publish(text, now=now)
    except UnpublishableTerms as refusal:
        problems = "".join(f"\n  {problem}" for problem in refusal.problems)
        raise click.ClickException(f"{file.name} was not published:{problems}") from refusal
    said = "published" if version.published_at == now else "unchanged since"
    click.echo(f"{version.reference} {said} {version.published_at.isoformat()}")
    click.echo(f"PDF SHA-256 {version.pdf_sha256}")
    _tell(legal_queries.examine(read_source(text), paris_date(now)).findings)


@terms_commands.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check_terms(file: Path) -> None:
    """Say what stands against publishing FILE today; exit 1 when it could not be."""
    try:
        source = read_source(file.read_text(encoding="utf-8"))
    except UnpublishableTerms as refusal:
        seen = legal_queries.Examination(None, None, refusal.problems, ())
    else:
        seen = legal_queries.examine(source, paris_date(clock.now()))
    for problem in seen.problems:
        click.echo(f"error {problem}")
    _tell(seen.findings)
    if not seen.publishable:
        raise SystemExit(1)
    if not seen.warnings:
        click.echo(f"{file.name}: nothing stands against it")


def _tell(findings: Iterable[Finding]) -> None:
    for one in findings:
        told = ", ".join(part for part in (one.rule.law, one.rule.source) if part)
        where = ": ".join(part for part in (one.place, one.words) if part)
        click.echo(f"{one.rule.level.value} {one.rule.name} ({told}){' ' if where else ''}{where}")


@terms_commands.command("show")
@click.argument("reference")
def show_terms(reference: str) -> None:
    """Print the text of REFERENCE: `cgv-2`, or `cgv` for the latest version."""
    version = legal_queries.by_reference(reference)
    if version is None:
        raise click.ClickException(f"there is no {reference}")
    click.echo(
        f"{version.reference}: {version.title}, published {version.published_at.isoformat()}"
    )
    click.echo(f"PDF SHA-256 {version.pdf_sha256}")
    click.echo(f"Parameters {version.parameters}\n")
    click.echo(version.text, nl=False)


@subscription_commands.command("rights")
@click.argument("email", callback=lambda _context, _parameter, value: _address(value))
def show_rights(email: str) -> None:
    """Print what EMAIL's plans allow now as JSON; an address without account may do nothing."""
    user = people.by_email(email)
    now = clock.now()
    granted = subscriptions.granted(user.id, now) if user else subscriptions.NOTHING
    click.echo(json.dumps({"day": paris_date(now).isoformat(), **granted.as_json()}))


@click.command("simulate")
@click.argument("reference")
@click.option("--months", default=MONTHS_AHEAD, type=click.IntRange(1, 120), show_default=True)
@with_appcontext
def simulate_command(reference: str, months: int) -> None:
    """Print what will happen to the order REFERENCE, one line a moment, and who does it.

    As if every debit were accepted, every message left, and nobody decided anything.
    """
    order = orders.by_reference(reference)
    if order is None:
        raise click.ClickException(f"there is no order {reference}")
    now = clock.now()
    for entry in timelines.of_order(order.id, now, horizon(now, months)).coming:
        moment = entry.moment
        facts = (
            money_fr(moment.amount) if moment.amount else "",
            f"#{moment.number}" if moment.number is not None else "",
            moment.name,
        )
        when = moment.when.astimezone(PARIS) if isinstance(moment.when, datetime) else moment.when
        day = f"{when:%Y-%m-%d %H:%M}" if isinstance(when, datetime) else f"{when:%Y-%m-%d}      "
        said = "  ".join(fact for fact in facts if fact)
        click.echo(f"{day}  {entry.by.value:<8}  {moment.kind.value:<20}  {said}".rstrip())


@billing_commands.command("run")
def run_billing() -> None:
    """Debit all that is due now, saying how far it is; what a worker takes meanwhile is not taken
    twice."""
    now = clock.now()
    with click.progressbar(length=1, label="Debits", show_pos=True) as bar:

        def tell(behind: int, of: int) -> None:
            bar.length = of
            bar.update(behind - bar.pos)

        billing.charge_due(now, tell)
    outbox.drain(now)
    day = billing_queries.billing_days(paris_date(now), count=1)[0]
    money = ", ".join(money_fr(amount) for amount in day.amounts)
    click.echo(f"Today {day.due} due: {day.taken} taken{f' ({money})' if money else ''},")
    click.echo(f"  {day.refused} refused, {day.needs_customer} left to the customer,")
    click.echo(f"  {day.in_doubt} in doubt, {day.left} still to take.")


@marketing_commands.command("list")
def list_marketing() -> None:
    """Who said yes to offers by e-mail, with the proof and the link that stops them, as CSV."""
    found = people.wants_marketing()
    rows = [
        (
            user.email,
            as_text(user.name),
            choice.chosen_at.isoformat(),
            choice.sentence,
            identity.stop_address(user.id),
        )
        for user, choice in found
    ]
    columns = ("E-mail", "Nom", "Depuis", "Phrase acceptée", "Lien pour arrêter")
    click.echo(spreadsheet(columns, rows), nl=False)


@journal_commands.command("verify")
def verify_journal() -> None:
    """Compute the journal's chain and every seal again; say what does not hold, and where."""
    broken = 0
    with snapshot():
        length = journal.length()
        for found in journal.verify():
            if not broken:
                click.echo(f"The proof is broken, first at entry {found.seq}:")
            broken += 1
            click.echo(f"  entry {found.seq}: {found.reason}")
    if broken:
        raise SystemExit(1)
    click.echo(f"{length} entries, each in its place, and every seal holds")


@click.command("evidence")
@click.argument("reference")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write it; by default its own name, in this folder.",
)
@with_appcontext
def evidence_command(reference: str, output: Path | None) -> None:
    """Write everything that proves the order REFERENCE, as a ZIP that anybody can verify."""
    try:
        with TemporaryDirectory(prefix=".preuves-", dir=output.parent if output else ".") as folder:
            draft = Path(folder, "draft.zip")
            with draft.open("wb") as file:
                made = evidence.export(reference, file, clock.now())
            if made is None:
                raise click.ClickException(f"there is no order {reference}")
            written = draft.replace(output or made.filename)
    except OSError as error:
        raise click.ClickException(f"nothing was written: {error}") from error
    click.echo(f"{written}: {made.files} files, {made.entries} entries of the journal")
    click.echo(f"Manifest SHA-256 {made.manifest_sha256}")
    click.echo(f"Verify it with: python3 verify.py --sha256 {made.manifest_sha256} {written}")


@staff_commands.command("create")
@click.argument("email", callback=lambda _context, _parameter, value: _address(value))
@click.option(
    "--role",
    required=True,
    type=click.Choice([role.value for role in Role if role is not Role.CUSTOMER]),
)
@click.option("--name", default="", help="As customers read it; by default what precedes the @.")
@click.password_option(help="Asked when not given; at least 10 varied characters.")
def create_staff(email: str, role: Role, name: str, password: str) -> None:
    """Open a staff account for EMAIL; the second factor is set up at the first sign-in."""
    name = name.strip() or email.partition("@")[0].replace(".", " ").title()
    try:
        with transaction():
            identity.create_staff(email, name, Role(role), password, now=clock.now())
    except identity.AlreadyKnown as refusal:
        raise click.ClickException(f"{email} has an account already; nothing changed") from refusal
    except identity.WeakPassword as refusal:
        least = refusal.details["shortest"]
        raise click.ClickException(
            f"the password needs at least {least} characters, varied, and not the address"
        ) from refusal
    click.echo(f"{email} can sign in at /connexion as {Role(role).value}")


def _address(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise click.BadParameter(str(error)) from error


def init_app(app: Flask) -> None:
    """Register the commands."""
    for command in (
        worker_command,
        check_config,
        simulate_command,
        terms_commands,
        billing_commands,
        journal_commands,
        marketing_commands,
        evidence_command,
        staff_commands,
        subscription_commands,
        demo_commands,
    ):
        app.cli.add_command(command)

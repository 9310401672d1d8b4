"""Tickets through their services: I-01 to I-07, K-05, WDR-08."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import select

from storefront.credits import queries as credits
from storefront.credits.rules import InsufficientCredit
from storefront.documents.models import StoredDocument
from storefront.infra import journal, outbox
from storefront.infra.db import db, transaction
from storefront.kernel.errors import StaleWrite, WrongMove
from storefront.notifications.models import Email
from storefront.tickets import jobs, queries, service
from storefront.tickets.models import BusyCell, Intervention, Ticket
from storefront.tickets.rules import (
    DeclarationsMissing,
    EarlyStartMissing,
    InterventionStatus,
    InThePast,
    OrderNotUsable,
    ProposalExpired,
    ProposalPending,
    ProposalStatus,
    ReasonMissing,
    RefusalReason,
    TechnicianBusy,
    TicketStatus,
)
from tests import factories
from tests.credits.lots import lot_of
from tests.parallel import at_once
from tests.tickets.desk import DECLARED, Desk, technician, user


@pytest.fixture
def desk(app: Flask, now: datetime) -> Desk:
    return Desk(now)


def mail(kind: str) -> list[Email]:
    db.session.rollback()
    return list(db.session.scalars(select(Email).where(Email.kind == kind)))


def balance(desk: Desk) -> int:
    db.session.rollback()
    return credits.balance(desk.lot_id)


def ledger(desk: Desk) -> list[tuple[str, int]]:
    db.session.rollback()
    return [(one.kind.value, one.minutes) for one in credits.entries_of([desk.lot_id])[desk.lot_id]]


def test_a_ticket_tells_its_deadlines_and_both_sides_are_written_to(desk: Desk, now: datetime):
    ticket = desk.ticket()
    assert ticket.reference.startswith("TK-2026-")
    assert ticket.reply_due_at == now + timedelta(days=1)
    assert ticket.intervention_due_at == now + timedelta(hours=72)
    outbox.drain(now)
    (to_client,) = mail("ticket_opened")
    assert "mercredi 25 novembre 2026" in to_client.text
    (to_staff,) = mail("ticket_to_staff")
    assert to_staff.recipient == "assistance@letabli.example"


def test_a_doubled_click_opens_one_ticket(desk: Desk):
    once = uuid.uuid4()
    assert desk.open(ticket_id=once) == desk.open(ticket_id=once)
    assert len(db.session.scalars(select(Ticket)).all()) == 2


def test_somebody_else_s_hours_open_no_ticket(desk: Desk, now: datetime):
    with transaction():
        other = lot_of(now, email="luc@exemple.example").id
    with pytest.raises(OrderNotUsable) as refused:
        desk.open(lot_id=other)
    assert refused.value.details["reason"] == "foreign"


@pytest.mark.parametrize(("lot", "reason"), [("expired", "expired"), ("empty", "empty")])
def test_expired_or_used_up_hours_open_no_ticket(desk: Desk, now: datetime, lot: str, reason: str):
    at = now + timedelta(days=400) if lot == "expired" else now
    if lot == "empty":
        desk.agreed(180)
    with pytest.raises(OrderNotUsable) as refused:
        desk.open(now=at)
    assert refused.value.details["reason"] == reason


def test_an_answer_of_staff_waits_for_the_client_and_the_client_s_for_staff(
    desk: Desk, now: datetime
):
    with transaction():
        service.reply(uuid.uuid4(), desk.ticket_id, user(desk.staff_id), "Quel modèle ?", now=now)
    ticket = desk.ticket()
    assert (ticket.status, ticket.reply_owed) == (TicketStatus.ANSWERED, False)
    later = now + timedelta(days=1)
    once = uuid.uuid4()
    for _ in range(2):
        with transaction():
            service.reply(once, desk.ticket_id, user(desk.client_id), "Un portable.", now=later)
    ticket = desk.ticket()
    assert (ticket.status, ticket.reply_owed) == (TicketStatus.OPEN, True)
    assert ticket.reply_due_at == later + timedelta(days=1)
    assert [one.body for one in ticket.messages].count("Un portable.") == 1


def test_acceptance_takes_hours_and_technician_and_tells_both(desk: Desk, now: datetime):
    intervention_id = desk.agreed(90)
    assert ledger(desk) == [("granted", 180), ("held", -120)]
    cells = db.session.scalars(select(BusyCell)).all()
    assert len(cells) == 6
    assert desk.ticket().status is TicketStatus.SCHEDULED
    outbox.drain(now)
    (told,) = mail("intervention_confirmed")
    names = [
        db.session.get_one(StoredDocument, one.document_id).filename for one in told.attachments
    ]
    assert names == [f"rendez-vous-{desk.ticket().reference}.ics", "cgv-1.pdf"]
    staff = [one for one in mail("ticket_to_staff") if one.recipient == "paul@letabli.example"]
    assert len(staff) == 1
    assert len(staff[0].attachments) == 2
    assert desk.intervention(intervention_id).declarations == list(DECLARED.values())


def test_the_calendar_file_says_the_time_in_paris_and_keeps_its_name_when_cancelled(
    desk: Desk, now: datetime
):
    summer = datetime(2027, 6, 22, 12, 0, tzinfo=UTC)
    intervention_id = desk.agreed(60, summer)
    with transaction():
        service.cancel(intervention_id, user(desk.client_id), "", now=now)
    outbox.drain(now)
    files = db.session.scalars(
        select(StoredDocument)
        .where(StoredDocument.media_type == "text/calendar")
        .order_by(StoredDocument.revision)
    ).all()
    made, cancelled = (Calendar.from_ical(one.content) for one in files)
    (event,) = made.walk("VEVENT")
    assert event.decoded("dtstart").isoformat() == "2027-06-22T14:00:00+02:00"
    assert event["DTSTART"].params["TZID"] == "Europe/Paris"
    assert event.decoded("dtend") - event.decoded("dtstart") == timedelta(hours=1)
    (zone,) = made.walk("VTIMEZONE")
    assert summer.astimezone(zone.to_tz()).utcoffset() == timedelta(hours=2)
    (gone,) = cancelled.walk("VEVENT")
    assert gone["UID"] == event["UID"]
    assert (event["SEQUENCE"], gone["SEQUENCE"]) == (0, 1)
    assert (str(made["METHOD"]), str(cancelled["METHOD"])) == ("PUBLISH", "CANCEL")


def test_accepting_twice_is_accepting_once(desk: Desk):
    proposal_id = desk.propose()
    assert desk.accept(proposal_id) == desk.accept(proposal_id)
    assert ledger(desk) == [("granted", 180), ("held", -60)]


def test_nothing_is_agreed_without_every_declaration(desk: Desk, now: datetime):
    proposal_id = desk.propose()
    some = dict(list(DECLARED.items())[:3])
    with pytest.raises(DeclarationsMissing), transaction():
        service.accept(proposal_id, user(desk.client_id), some, now=now)
    assert balance(desk) == 180


def test_too_little_time_agrees_on_nothing_until_more_is_bought(desk: Desk, now: datetime):
    proposal_id = desk.propose(minutes=240)
    with pytest.raises(InsufficientCredit):
        desk.accept(proposal_id)
    assert ledger(desk) == [("granted", 180)]
    assert db.session.scalars(select(Intervention)).all() == []
    with transaction():
        lot_of(now, 60, expires_on=date(2028, 1, 1))
    desk.accept(proposal_id)
    assert balance(desk) == 0


def test_a_kill_in_the_middle_of_an_acceptance_agrees_on_nothing(desk: Desk, now: datetime):
    proposal_id = desk.propose()

    def killed() -> None:
        with transaction():
            service.accept(proposal_id, user(desk.client_id), DECLARED, now=now)
            db.session.flush()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert balance(desk) == 180
    assert db.session.scalars(select(BusyCell)).all() == []
    assert desk.proposal(proposal_id).status is ProposalStatus.PROPOSED
    assert outbox.drain(now) > 0
    assert mail("intervention_confirmed") == []
    desk.accept(proposal_id)


def test_no_intervention_in_the_past(desk: Desk, now: datetime):
    for starts_at in (now, now - timedelta(minutes=15)):
        with pytest.raises(InThePast):
            desk.propose(starts_at)


def test_one_technician_is_not_promised_twice(desk: Desk, now: datetime):
    desk.agreed(60)
    second = desk.open()
    for minutes_later in (0, 45, -45):
        with pytest.raises(TechnicianBusy):
            desk.propose(now + timedelta(days=2, minutes=minutes_later), ticket_id=second)
    desk.propose(now + timedelta(days=2, hours=1), ticket_id=second)
    third = desk.open()
    with pytest.raises(TechnicianBusy):
        desk.propose(now + timedelta(days=2, hours=1), ticket_id=third)
    with transaction():
        other = technician(now, "lea@letabli.example", "Léa Clou").id
    desk.propose(now + timedelta(days=2), ticket_id=third, staff_id=other)


def test_one_proposal_at_a_time(desk: Desk, now: datetime):
    first = desk.propose()
    with pytest.raises(ProposalPending):
        desk.propose(now + timedelta(days=3))
    with transaction():
        service.withdraw(first, user(desk.staff_id), now=now)
    desk.propose(now + timedelta(days=3))
    with pytest.raises(WrongMove):
        desk.accept(first)


def test_a_page_that_is_out_of_date_proposes_nothing(desk: Desk, now: datetime):
    seen = desk.ticket().version
    with transaction():
        service.reply(uuid.uuid4(), desk.ticket_id, user(desk.client_id), "Ah si.", now=now)
    with pytest.raises(StaleWrite):
        desk.propose(seen=seen)


def test_refusing_and_asking_for_another_time_hold_nothing(desk: Desk, now: datetime):
    proposal_id = desk.propose()
    with transaction():
        service.refuse_proposal(proposal_id, user(desk.client_id), "Trop long.", now=now)
    assert desk.ticket().status is TicketStatus.OPEN
    proposal_id = desk.propose()
    with transaction():
        service.ask_other_time(proposal_id, user(desk.client_id), "Jeudi.", now=now)
    assert desk.proposal(proposal_id).answer == "Jeudi."
    assert desk.ticket().reply_owed
    assert balance(desk) == 180


def test_a_proposal_without_answer_falls_when_it_would_start(desk: Desk, now: datetime):
    proposal_id = desk.propose()
    starts = now + timedelta(days=2)
    assert jobs.JOBS[0].next_due() == starts
    assert jobs.expire_proposals(starts - timedelta(seconds=1)) == 0
    with pytest.raises(ProposalExpired):
        desk.accept(proposal_id, now=starts)
    assert jobs.expire_proposals(starts) == 1
    assert jobs.expire_proposals(starts) == 0
    assert desk.proposal(proposal_id).status is ProposalStatus.EXPIRED


def test_inside_the_withdrawal_period_nothing_is_scheduled_without_the_request(
    app: Flask, now: datetime
):
    desk = Desk(now, consents=())
    with pytest.raises(EarlyStartMissing) as refused:
        desk.propose()
    assert refused.value.details["earliest"] == date(2026, 12, 9)
    ticket = desk.ticket()
    assert ticket.intervention_from == datetime(2026, 12, 8, 23, 0, tzinfo=UTC)
    desk.accept(desk.propose(datetime(2026, 12, 9, 9, 0, tzinfo=UTC)))


def test_the_whole_work_takes_every_slice_begun(desk: Desk, now: datetime):
    intervention_id = desk.agreed(60)
    stop = desk.worked(intervention_id, 61)
    desk.report(intervention_id, stop)
    assert ledger(desk) == [("granted", 180), ("held", -60), ("released", 60), ("used", -120)]
    done = desk.intervention(intervention_id)
    assert (done.worked_minutes, done.billed_minutes) == (61, 120)
    outbox.drain(stop)
    (told,) = mail("intervention_reported")
    assert "1\u00a0h\u00a001" in told.text
    assert "−2\u00a0h" in told.text


def test_interrupted_work_counts_only_while_it_runs(desk: Desk, now: datetime):
    intervention_id = desk.agreed(120)
    stop = desk.worked(intervention_id, 20)
    again = stop + timedelta(hours=3)
    version = desk.ticket().version
    with transaction():
        service.resume(intervention_id, user(desk.staff_id), seen=version, now=again)
    with transaction():
        service.stop(intervention_id, user(desk.client_id), now=again + timedelta(minutes=15))
    desk.report(intervention_id, again + timedelta(hours=1))
    assert desk.intervention(intervention_id).worked_minutes == 35
    assert balance(desk) == 120


def test_corrected_time_needs_a_reason(desk: Desk):
    intervention_id = desk.agreed(60)
    stop = desk.worked(intervention_id, 70)
    with pytest.raises(ReasonMissing):
        desk.report(intervention_id, stop, corrected_minutes=55)
    desk.report(intervention_id, stop, corrected_minutes=55, correction_reason="Appel personnel.")
    done = desk.intervention(intervention_id)
    assert (done.worked_minutes, done.billed_minutes) == (55, 60)


def test_work_beyond_the_hours_left_is_not_reported_until_there_is_time(app: Flask, now: datetime):
    desk = Desk(now, 60)
    intervention_id = desk.agreed(60)
    stop = desk.worked(intervention_id, 90)
    with pytest.raises(InsufficientCredit):
        desk.report(intervention_id, stop)
    assert ledger(desk) == [("granted", 60), ("held", -60)]
    with transaction():
        more = lot_of(now, 60, expires_on=date(2028, 1, 1)).id
    desk.report(intervention_id, stop)
    assert balance(desk) == 0
    assert credits.balance(more) == 0


def test_a_one_shot_pack_covers_its_intervention_however_long(app: Flask, now: datetime):
    desk = Desk(now, single_use=True)
    intervention_id = desk.agreed(240)
    desk.report(intervention_id, desk.worked(intervention_id, 400))
    assert desk.intervention(intervention_id).billed_minutes == 0
    assert ledger(desk) == [("granted", 0), ("held", 0), ("released", 0), ("used", 0)]
    with pytest.raises(OrderNotUsable):
        desk.open()


def test_the_client_confirms_the_report(desk: Desk):
    intervention_id = desk.agreed()
    stop = desk.worked(intervention_id, 30)
    desk.report(intervention_id, stop)
    for _ in range(2):
        with transaction():
            service.confirm_report(intervention_id, user(desk.client_id), now=stop)
    assert desk.intervention(intervention_id).status is InterventionStatus.DONE
    assert desk.ticket().status is TicketStatus.CLOSED


def test_silence_confirms_after_the_terms_window(desk: Desk):
    intervention_id = desk.agreed()
    stop = desk.worked(intervention_id, 30)
    desk.report(intervention_id, stop)
    end = stop + timedelta(hours=24)
    assert jobs.JOBS[1].next_due() == end
    assert jobs.confirm_reports(end - timedelta(seconds=1)) == 0
    assert jobs.confirm_reports(end) == 1
    assert desk.ticket().status is TicketStatus.CLOSED


def test_a_reservation_is_no_silence(desk: Desk):
    intervention_id = desk.agreed()
    stop = desk.worked(intervention_id, 30)
    desk.report(intervention_id, stop)
    with transaction():
        service.reply(
            uuid.uuid4(), desk.ticket_id, user(desk.client_id), "Cela grésille encore.", now=stop
        )
    assert jobs.confirm_reports(stop + timedelta(days=30)) == 0
    assert desk.ticket().reply_owed


def test_cancelling_frees_hours_and_technician(desk: Desk, now: datetime):
    intervention_id = desk.agreed()
    with transaction():
        service.cancel(intervention_id, user(desk.client_id), "", now=now)
    assert ledger(desk)[1:] == [("held", -60), ("released", 60)]
    assert db.session.scalars(select(BusyCell)).all() == []
    desk.agreed()


def test_a_late_cancellation_costs_what_the_accepted_terms_say(app: Flask, now: datetime):
    with transaction():
        factories.terms(now, late_cancellation_minutes=30)
    desk = Desk(now)
    free, late = desk.agreed(), None
    with transaction():
        service.cancel(free, user(desk.client_id), "", now=now + timedelta(hours=24))
    assert balance(desk) == 180
    late = desk.agreed()
    with transaction():
        service.cancel(late, user(desk.client_id), "", now=now + timedelta(hours=25))
    assert balance(desk) == 150


def test_staff_cancel_with_a_reason_and_give_the_lost_days_back(app: Flask, now: datetime):
    desk = Desk(now, expires_on=date(2026, 11, 25))
    intervention_id = desk.agreed()
    after = now + timedelta(days=3)
    version = desk.ticket().version
    with pytest.raises(ReasonMissing), transaction():
        service.cancel(intervention_id, user(desk.staff_id), "", seen=version, now=after)
    with transaction():
        service.cancel(intervention_id, user(desk.staff_id), "Malade.", seen=version, now=after)
    db.session.rollback()
    lot = credits.get(desk.lot_id)
    assert lot is not None
    assert lot.expires_on == date(2026, 11, 30)
    assert balance(desk) == 180


def test_a_refused_ticket_holds_nothing_and_says_why(desk: Desk, now: datetime):
    desk.agreed()
    version = desk.ticket().version
    with transaction():
        service.refuse(
            desk.ticket_id,
            user(desk.staff_id),
            RefusalReason.ILLEGAL_SOFTWARE,
            "La suite bureautique n’a pas de licence.",
            seen=version,
            now=now,
        )
    assert balance(desk) == 180
    assert desk.ticket().status is TicketStatus.REFUSED
    outbox.drain(now)
    (told,) = mail("ticket_refused")
    assert "Des logiciels ne sont pas utilisés légalement." in told.text
    with pytest.raises(WrongMove), transaction():
        service.reply(uuid.uuid4(), desk.ticket_id, user(desk.client_id), "Mais…", now=now)


def test_a_closed_ticket_is_opened_again_by_a_message(desk: Desk, now: datetime):
    with transaction():
        service.close(desk.ticket_id, user(desk.client_id), seen=None, now=now)
    later = now + timedelta(days=20)
    with transaction():
        service.reply(uuid.uuid4(), desk.ticket_id, user(desk.client_id), "Encore.", now=later)
    ticket = desk.ticket()
    assert ticket.status is TicketStatus.OPEN
    assert ticket.reply_due_at > later
    assert ticket.intervention_due_at == later + timedelta(hours=72)


def test_nobody_closes_a_ticket_with_an_appointment(desk: Desk, now: datetime):
    desk.agreed()
    with pytest.raises(WrongMove), transaction():
        service.close(desk.ticket_id, user(desk.client_id), seen=None, now=now)


def test_the_queue_is_in_order_of_urgency(desk: Desk, now: datetime):
    desk.agreed()
    newer = desk.open(now=now + timedelta(hours=1))
    lines = queries.queue(now + timedelta(hours=26))
    assert [line.ticket.id for line in lines] == [newer, desk.ticket_id]
    assert lines[0].step is not None
    assert lines[0].step.urgency.value == "overdue"


def test_every_step_stands_in_the_journal_without_a_word_of_what_was_written(desk: Desk):
    intervention_id = desk.agreed()
    desk.report(intervention_id, desk.worked(intervention_id, 30))
    entries = db.session.scalars(
        select(journal.JournalEntry).where(journal.JournalEntry.kind.like("ticket.%"))
    ).all()
    assert [one.kind for one in entries] == [
        "ticket.opened",
        "ticket.reply",
        "ticket.proposed",
        "ticket.confirmed",
        "ticket.started",
        "ticket.stopped",
        "ticket.reported",
    ]
    assert not any("son" in one.payload or "Claire" in one.payload for one in entries)
    assert list(journal.verify()) == []


def test_two_clients_cannot_take_the_same_quarter_of_an_hour(app: Flask, now: datetime):
    """Both proposals exist, as when two technicians' pages propose at the same instant."""
    desk = Desk(now)
    second = desk.open()
    first_proposal = desk.propose()
    with transaction():
        other = technician(now, "lea@letabli.example", "Léa Clou").id
    second_proposal = desk.propose(ticket_id=second, staff_id=other)
    with transaction():
        proposal = db.session.get_one(type(desk.proposal(second_proposal)), second_proposal)
        proposal.staff_id = desk.staff_id
    proposals = [first_proposal, second_proposal]
    db.session.rollback()
    answers = at_once(app, lambda number: desk.accept(proposals[number]), 2)
    assert sorted(type(answer).__name__ for answer in answers) == ["TechnicianBusy", "UUID"]
    assert ledger(desk) == [("granted", 180), ("held", -60)]
    assert len(db.session.scalars(select(BusyCell)).all()) == 4


def test_two_confirmations_of_the_last_hour(app: Flask, now: datetime):
    desk = Desk(now, 60)
    second = desk.open()
    proposals = [
        desk.propose(),
        desk.propose(now + timedelta(days=2, hours=2), ticket_id=second),
    ]
    db.session.rollback()
    answers = at_once(app, lambda number: desk.accept(proposals[number]), 2)
    assert sorted(type(answer).__name__ for answer in answers) == ["InsufficientCredit", "UUID"]
    assert ledger(desk) == [("granted", 60), ("held", -60)]
    assert len(db.session.scalars(select(Intervention)).all()) == 1


def test_the_same_acceptance_many_times_at_once_is_one(app: Flask, now: datetime):
    desk = Desk(now)
    proposal_id = desk.propose()
    db.session.rollback()
    answers = at_once(app, lambda _: desk.accept(proposal_id), 4)
    assert len(set(map(str, answers))) == 1
    assert ledger(desk) == [("granted", 180), ("held", -60)]


def test_two_workers_confirm_silence_once(app: Flask, now: datetime):
    desk = Desk(now)
    intervention_id = desk.agreed()
    stop = desk.worked(intervention_id, 30)
    desk.report(intervention_id, stop)
    db.session.rollback()
    at_once(app, lambda _: jobs.confirm_reports(stop + timedelta(days=2)), 2)
    said = [message.body for message in desk.ticket().messages]
    assert said.count("silence_confirmed") == 1

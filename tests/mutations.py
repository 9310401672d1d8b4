"""One deliberate bug for each scenario that payments must survive: each must make a test fail.

    .venv/bin/python -m tests.mutations            all of them, in a copy of the sources
    .venv/bin/python -m tests.mutations 4 16       some

Exit 1 when a bug goes unnoticed, or when the place it is put in is not there any more.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("storefront", "sandbox", "templates", "static", "tests", "benchmarks", "migrations")
SCENARIOS = "tests/payments/test_scenarios.py"
REFUNDS = "tests/payments/test_refunds.py"
DISPUTES = "tests/refunds/test_disputes.py"


@dataclass(frozen=True)
class Mutation:
    """What to break for a scenario, and what must notice."""

    scenario: int
    bug: str
    file: str
    right: str
    wrong: str
    tests: str = SCENARIOS


MUTATIONS = (
    Mutation(
        1,
        "what is told again counts again",
        "storefront/payments/service/attempts.py",
        "    if wanted is None or wanted is payment.status or part_came:\n"
        "        _ask_again(payment, now)\n"
        "        return\n"
        "    if not PAYMENT_LIFECYCLE.can(payment.status, wanted):\n",
        "    if wanted is None:\n"
        "        _ask_again(payment, now)\n"
        "        return\n"
        "    if wanted is PaymentStatus.CANCELLED:\n",
    ),
    Mutation(
        2,
        "a notice is stored and nobody acts on it",
        "storefront/payments/views.py",
        "    if receipt_id is not None:\n",
        "    if receipt_id is None:\n",
    ),
    Mutation(
        3,
        "a notice of nothing known is done with",
        "storefront/payments/service/attempts.py",
        "receipt.try_at = None if handled or expired else",
        "receipt.try_at = None if True else",
    ),
    Mutation(
        4,
        "a charge is sent again under a new key",
        "storefront/payments/providers/stripe/provider.py",
        'key = f"charge:{request.payment_id}:{request.attempt}"',
        'key = f"charge:{id(request)}"',
    ),
    Mutation(
        5,
        "a debit under way is not asked about after a crash",
        "storefront/payments/service/attempts.py",
        "check_at=rules.next_check(now, 0) if debit else expires_at",
        "check_at=None if debit else expires_at",
    ),
    Mutation(
        6,
        "a second click does not look for the first one's attempt",
        "storefront/instalments/service/schedules.py",
        "    if known is not None and known.provider == provider and not known.is_set_up:\n",
        "    if known is None and provider is None:\n",
    ),
    Mutation(
        7,
        "a run takes what another has claimed",
        "storefront/instalments/service/claims.py",
        "    if instalment.status not in TO_TAKE or instalment.next_attempt_on > today:\n"
        "        return False\n"
        "    if instalment.held_at is not None or instalment.voluntary:\n"
        "        return False\n"
        "    waiting = payment_queries.undecided_among(made)\n"
        "    if waiting is not None and not waiting.by_hand:\n"
        "        return False\n",
        "    if instalment.next_attempt_on > today:\n        return False\n",
    ),
    Mutation(
        8,
        "any amount will do",
        "storefront/payments/rules.py",
        "    if taken.minor != asked.minor:\n",
        "    if taken.minor < 0:\n",
    ),
    Mutation(
        9,
        "money for an order that has ended is taken as any other",
        "storefront/instalments/service/schedules.py",
        "    if order.status in (OrderStatus.CANCELLED, OrderStatus.REFUSED):\n",
        "    if order.status is OrderStatus.REFUSED:\n",
    ),
    Mutation(
        9,
        "a later word undoes a payment",
        "storefront/payments/models/payments.py",
        "        PaymentStatus.SUCCEEDED: set(),\n",
        "        PaymentStatus.SUCCEEDED: {PaymentStatus.CANCELLED},\n",
    ),
    Mutation(
        10,
        "what the bank refuses for good is tried again",
        "storefront/instalments/service/schedules.py",
        "    if again_on is None or hopeless:\n",
        "    if again_on is None:\n",
    ),
    Mutation(
        11,
        "two refunds of the same money",
        "storefront/payments/service/refunds.py",
        " - Payment.refunded_minor - Payment.taken_back_minor >= amount_minor",
        " >= amount_minor",
        REFUNDS,
    ),
    Mutation(
        12,
        "an order that somebody else captured is an error",
        "storefront/payments/providers/paypal/provider.py",
        'if "ORDER_ALREADY_CAPTURED" in refusal.issues:',
        'if "ORDER_NEVER_CAPTURED" in refusal.issues:',
        f"{SCENARIOS} tests/payments/test_paypal_provider.py",
    ),
    Mutation(
        13,
        "a dispute that is won leaves everything frozen",
        "storefront/payments/service/disputes.py",
        "        publish(DisputeLost(dispute.id), now=now)\n    else:\n",
        "        publish(DisputeLost(dispute.id), now=now)\n    elif dispute is None:\n",
        DISPUTES,
    ),
    Mutation(
        14,
        "the cents that do not divide are lost",
        "storefront/kernel/money.py",
        "minors = [each + left_over] + [each] * (parts - 1)",
        "minors = [each] * parts",
    ),
    Mutation(
        15,
        "an old or future signature is good",
        "storefront/payments/providers/stripe/provider.py",
        "        if abs(age) > _WEBHOOK_TOLERANCE_SECONDS:\n",
        "        if age > 10**9:\n",
    ),
    Mutation(
        15,
        "anybody may sign for PayPal",
        "storefront/payments/providers/paypal/signature.py",
        'raise InvalidSignature("not signed by PayPal for this webhook")',
        "pass",
        "tests/payments/test_paypal_webhooks.py",
    ),
    Mutation(
        16,
        "a provider that gives no answer has refused",
        "storefront/payments/jobs.py",
        "        service.record_doubt(payment, now=now)\n",
        '        refused = Outcome("declined")\n'
        "        service.record_outcome(payment, refused, now=now)\n",
    ),
    Mutation(
        17,
        "a card that was taken away is used all the same",
        "storefront/payments/service/attempts.py",
        "        method.revoked_at = now\n",
        "        method.revoked_at = None\n",
    ),
    Mutation(
        18,
        "after February every debit falls on the 28th",
        "storefront/instalments/rules.py",
        "    return add_months(first_on, step)\n",
        "    return add_months(first_on, step).replace(day=28)\n",
    ),
    Mutation(
        19,
        "a payment under review counts as money",
        "storefront/payments/service/attempts.py",
        "    OutcomeStatus.PENDING: PaymentStatus.PENDING,\n",
        "    OutcomeStatus.PENDING: PaymentStatus.SUCCEEDED,\n",
    ),
    Mutation(
        20,
        "a provider is asked again without a pause",
        "storefront/payments/rules.py",
        "    return now + min(FIRST_WAIT * (1 << min(checks, 20)), LONGEST_WAIT)\n",
        "    return now + FIRST_WAIT / 60\n",
    ),
)


def noticed(mutation: Mutation, copy: Path) -> bool:
    """Whether a test fails once the bug is in. Raises LookupError when its place is gone."""
    path = copy / mutation.file
    source = path.read_text(encoding="utf-8")
    if source.count(mutation.right) != 1:
        raise LookupError(f"{mutation.file} does not hold this once: {mutation.right!r}")
    path.write_text(source.replace(mutation.right, mutation.wrong), encoding="utf-8")
    command = [str(ROOT / ".venv/bin/python"), "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    if mutation.tests == SCENARIOS:
        command += ["-k", f"scenario_{mutation.scenario:02}_"]
    done = subprocess.run([*command, *mutation.tests.split()], cwd=copy, capture_output=True)
    path.write_text(source, encoding="utf-8")
    return done.returncode == 1  # 1: tests failed; anything else is no test at all


def copied(folder: Path) -> Path:
    """The sources, to be broken."""
    for name in SOURCES:
        leave = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=leave)
    for name in ("pyproject.toml", "wsgi.py"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def main(wanted: list[int]) -> int:
    """Put each bug in, one at a time; 0 when every one was noticed."""
    unnoticed = 0
    with tempfile.TemporaryDirectory() as name:
        copy = copied(Path(name))
        for mutation in MUTATIONS:
            if wanted and mutation.scenario not in wanted:
                continue
            started = time.monotonic()
            caught = noticed(mutation, copy)
            unnoticed += not caught
            verdict = "noticed" if caught else "UNNOTICED"
            seconds = time.monotonic() - started
            print(
                f"{mutation.scenario:>3}  {verdict:<10}{seconds:5.0f} s  {mutation.bug}", flush=True
            )
    print(f"{unnoticed} unnoticed")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main([int(number) for number in sys.argv[1:]]))

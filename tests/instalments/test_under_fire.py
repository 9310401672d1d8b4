"""The billing run, killed while its provider is in trouble; the whole of it is a command of
`benchmarks/billing.py`, a small one is tried here."""

import pytest

from benchmarks.billing import under_fire

pytestmark = [pytest.mark.slow, pytest.mark.once]


def test_a_run_that_is_killed_again_and_again_charges_everybody_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert under_fire(how_many=40, kills=3, seed=7) == 0
    assert "charged more than once              0" in capsys.readouterr().out

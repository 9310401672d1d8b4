"""One sandbox per file, as good as new for every test, and the real SDKs to talk to it."""

from collections.abc import Iterator

import paypalrestsdk
import pytest
from stripe import StripeClient

from sandbox.testing import RunningSandbox, running_sandbox
from tests.sandbox.receiver import Receiver


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    running.control("settings", webhook_base="", stripe_webhook_secret="whsec_sandbox")
    running.control("reset", "POST")
    return running


@pytest.fixture
def receiver(sandbox: RunningSandbox) -> Iterator[Receiver]:
    """A shop that listens for webhooks."""
    with Receiver() as shop:
        sandbox.control("settings", webhook_base=shop.base_url)
        yield shop
        sandbox.control("settings", webhook_base="")


def stripe_client(sandbox: RunningSandbox, key: str = "sk_test_sandbox") -> StripeClient:
    return StripeClient(key, base_addresses={"api": sandbox.base_url}, max_network_retries=0)


@pytest.fixture
def stripe(sandbox: RunningSandbox) -> StripeClient:
    return stripe_client(sandbox)


@pytest.fixture
def paypal(sandbox: RunningSandbox) -> paypalrestsdk.Api:
    return paypalrestsdk.Api(
        mode="sandbox",
        endpoint=sandbox.base_url,
        client_id="sandbox-client",
        client_secret="sandbox-secret",
    )

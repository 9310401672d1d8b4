"""A person at a browser, who notices on every page what nobody should have to put up with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request

from tests.journeys.live_shop import LiveShop

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
# The tallest picture that is kept: a page is recognised by its beginning.
TALLEST = {1280: 1180, 390: 1500}

# Of what a page is made: its elements with their classes and attributes, without what they say.
PARTS = """() => [...new Set([...document.querySelectorAll("*")].map(
  at => [at.tagName, at.className, ...at.getAttributeNames()].join(" ")))].sort().join()"""

_axe = Axe()
_judged: set[str] = set()


# Said of a page whose styles came later than its fonts: the machine had other things to do.
TOO_SLOW = "was preloaded using link preload but not used within a few seconds"


class Visitor:
    """One browser context, one page. Every page it comes to is looked at (`look`)."""

    def __init__(
        self,
        context: BrowserContext,
        shop: LiveShop,
        pictures: Path | None,
        *,
        looks: bool = True,
        scheme: str = "light",
    ) -> None:
        self.context = context
        self.shop = shop
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self._pictures = pictures
        self._looks = looks
        self._scheme = scheme
        self._refusals: frozenset[int] = frozenset()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("requestfailed", self._failed)

    # What the browser says

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning") or TOO_SLOW in message.text:
            return
        status = re.search(r"status of (\d+)", message.text)
        if status and int(status[1]) in self._refusals:
            return
        self.complaints.append(f"console on {self.page.url}: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{request.url}: {request.failure}")

    @contextmanager
    def refused(self, *statuses: int) -> Iterator[None]:
        """Meanwhile these answers are what the journey wants to see."""
        self._refusals = frozenset(statuses)
        try:
            yield
        finally:
            self._refusals = frozenset()

    # What the person does

    def open(self, path: str) -> None:
        """Type an address of the shop, or a whole one."""
        address = path if path.startswith("http") else self.shop.base_url + path
        self.page.goto(address)
        self.look()

    def follow(self, name: str | re.Pattern[str], *, within: str = "body") -> None:
        """Click the first link of that name."""
        self._go(self.page.locator(within).get_by_role("link", name=name).first)

    def press(self, name: str | re.Pattern[str]) -> None:
        """Press the button of that name and wait for what follows."""
        self._go(self.page.get_by_role("button", name=name).first)

    def _go(self, target: Locator) -> None:
        with self.page.expect_navigation():
            target.click()
        self.look()

    def fill(self, **texts: str) -> None:
        """Type into fields, named as their form names them."""
        for name, text in texts.items():
            control = self.page.locator(f"[name={name}]").first
            if control.evaluate("e => e.tagName") == "SELECT":
                control.select_option(text)
            else:
                control.fill(text)

    def choose(self, name: str, value: str) -> None:
        """Choose one of several."""
        # The label covers its whole card, so the click on the button lands there, as a person's.
        self.page.locator(f"[name={name}][value='{value}']").check(force=True)

    def tick(self, *names: str) -> None:
        """Tick boxes; none of them may be ticked already."""
        for name in names:
            box = self.page.locator(f"[name={name}]")
            assert not box.is_checked(), f"{name} was ticked in advance"
            box.check(force=True)

    def read(self) -> str:
        """The words of the page, spaces made plain."""
        return plain(self.page.locator("main").inner_text())

    def sees(self, *texts: str) -> None:
        """Every one of these is on the page."""
        words = self.read()
        for text in texts:
            assert text in words, f"« {text} » is not on {self.page.url}:\n{words}"

    def path(self) -> str:
        """The address without the host and what follows a question mark."""
        return self.page.url.removeprefix(self.shop.base_url).partition("?")[0]

    def download(self, name: str | re.Pattern[str]) -> bytes:
        """What the link of that name leads to, a file."""
        link = self.page.get_by_role("link", name=name).first
        answer = self.context.request.get(self.shop.base_url + (link.get_attribute("href") or ""))
        assert answer.ok, answer.status
        return answer.body()

    # What the person notices

    def look(self) -> None:
        """No barrier (WCAG 2.2 AA), no sideways scrolling on a phone, no error in the console."""
        self.page.wait_for_load_state()
        if self._looks:
            self._no_barrier()
        self._fits_a_phone()
        assert not self.complaints, "\n".join(self.complaints)

    def _no_barrier(self) -> None:
        """Judge the page, unless one like it was made of the very same parts."""
        place = self.page.url.split("/")[3].partition("?")[0]
        parts = f"{self._scheme} {place} {self.page.evaluate(PARTS)}"
        if parts in _judged:
            return
        found = _axe.run(self.page, options={**RULES, "resultTypes": ["violations"]})
        assert not found.violations_count, f"{self.page.url}\n{_report(found.response)}"
        _judged.add(parts)

    def _fits_a_phone(self) -> None:
        usual = self.page.viewport_size
        self.page.set_viewport_size(PHONE)
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        if usual:
            self.page.set_viewport_size(usual)
        assert wide <= PHONE["width"], f"{self.page.url} is {wide} px wide on a phone"

    def picture(self, name: str, part: str | None = None) -> None:
        """Keep how the page looks, or a part of it, on a desk and on a phone, when wanted."""
        if self._pictures is None:
            return
        self._pictures.mkdir(parents=True, exist_ok=True)
        for size in (PHONE, DESK):
            self.page.set_viewport_size(size)
            width = size["width"]
            if part is not None:
                self.page.locator(part).screenshot(path=self._pictures / f"{name}-{width}.png")
                continue
            height = self.page.evaluate("document.documentElement.scrollHeight")
            self.page.screenshot(
                path=self._pictures / f"{name}-{width}.png",
                full_page=True,
                clip={"x": 0, "y": 0, "width": width, "height": min(height, TALLEST[width])},
            )
        self.page.set_viewport_size(DESK)


def plain(text: str) -> str:
    """Typographic spaces as plain ones, so that amounts and sentences can be compared."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def _report(response: dict[str, Any]) -> str:
    lines = []
    for violation in response["violations"]:
        lines.append(f"{violation['id']} ({violation['impact']}): {violation['help']}")
        for node in violation["nodes"]:
            lines.append(f"    {node['target']}: {node.get('failureSummary', '')}")
            lines.append(f"    {node['html'][:300]}")
    return "\n".join(lines)

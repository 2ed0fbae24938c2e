"""Somebody at a browser: what he clicks, types and sees, and what went wrong meanwhile."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect

PASSWORD = "demo-password-1"
SCREENSHOTS = Path(__file__).parents[1] / "screenshots"
DESK, PHONE = 1280, 360
HEIGHTS = {DESK: 800, PHONE: 740}
TALLEST = 2600
#: Milliseconds that anything may take: fifty processes may be at work beside these tests, which ask
#: what happens and not how soon.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)


class Person:
    """An account's own browser window; ``troubles`` collects what no page may cause."""

    def __init__(
        self, browser: Browser, address: str, account: str, *, scripts: bool = True
    ) -> None:
        self.address, self.account = address, account
        self.troubles: list[str] = []
        self.context = browser.new_context(
            viewport={"width": DESK, "height": HEIGHTS[DESK]},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
            java_script_enabled=scripts,
        )
        self.context.set_default_timeout(PATIENCE)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        self.page.on("request", self._asked)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(f"console on {self.page.url}: {message.text}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            self.troubles.append(f"request from {self.page.url} to {request.url}")

    def log_in(self) -> None:
        """Log in through the form, and land on the workbench."""
        self.page.goto(f"{self.address}/login/")
        self.page.locator("#username").fill(self.account)
        self.page.locator("#password").fill(PASSWORD)
        self.page.get_by_role("button", name="登录").click()
        self.page.wait_for_url(f"{self.address}/")

    def leave(self) -> None:
        """Close the window."""
        self.context.close()

    def open(self, path: str) -> int:
        """Go to a path of the product; return the answer's status."""
        answer = self.page.goto(f"{self.address}{path}")
        assert answer is not None
        return answer.status

    def walk(self, *labels: str) -> None:
        """Follow links by their words, one after the other, the first from the side navigation."""
        first, *others = labels
        if self.page.evaluate("innerWidth") < DESK:
            self.page.get_by_role("button", name="打开导航").click()
        drawer = self.page.get_by_role("navigation", name="主导航")
        # An entry's name may end with how many things wait there.
        entry = re.compile(rf"^{re.escape(first)}(\s*\d+\s*件待办)?$")
        self.follow(drawer.get_by_role("link", name=entry))
        for label in others:
            self.follow(self.page.get_by_role("main").get_by_role("link", name=label).first)

    def follow(self, link: Locator) -> None:
        """Click a link, and wait until the page that it leads to is there."""
        where = link.get_attribute("href")
        link.click()
        self.page.wait_for_url(f"{self.address}{where}")

    def find(self, ledger: str, what: str) -> None:
        """Look a record up in a list by what its search finds, and open it."""
        self.walk(ledger)
        self.page.get_by_role("searchbox").fill(what)
        self.page.get_by_role("button", name="查询").click()
        rows = self.page.get_by_role("rowheader")
        expect(rows).to_have_count(1)
        assert "=&" not in f"{self.page.url}&"  # an address names only what was asked for
        self.follow(rows.get_by_role("link"))
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    def told(self, what: str) -> None:
        """Open by the bell the notice that says something, and what it is about."""
        self.follow(self.page.get_by_role("link", name="未读消息"))
        self.page.get_by_role("button", name=what).first.click()

    def save(self, what: Locator) -> tuple[str, bytes]:
        """Click what sends a file; return the name it comes with, and its bytes."""
        with self.page.expect_download() as sent:
            what.click()
        return sent.value.suggested_filename, sent.value.path().read_bytes()

    def start(self, label: str) -> Locator:
        """Press the button of a workflow step; return its dialogue."""
        steps = self.page.get_by_role("region", name="下一步")
        button = steps.get_by_role("button", name=label, exact=True)
        # The page's script makes buttons of what unfolds, a moment after the page is there.
        expect(steps).to_be_visible()
        expect(steps.locator("details.step")).to_have_count(0)
        if not button.count():
            # A side road: it folds away beside the step that stands out.
            steps.get_by_text("更多办理", exact=True).click()
        button.click()
        dialogue = self.page.get_by_role("dialog", name=label)
        expect(dialogue).to_be_visible()
        return dialogue

    def step(self, label: str, **typed: str) -> None:
        """Take a workflow step with what is typed into its fields, by their names in the form."""
        dialogue = self.start(label)
        for name, text in typed.items():
            dialogue.locator(f"[name={name}]").fill(text)
        self.confirm(label)

    def confirm(self, label: str) -> None:
        """Send the open dialogue, and see that it was done."""
        self.page.get_by_role("dialog", name=label).get_by_role(
            "button", name=f"确认{label}"
        ).click()
        expect(self.page.get_by_role("status").filter(has_text=f"已办理“{label}”")).to_be_visible()

    def choose(self, where: Page | Locator, label: str, typed: str, option: str = "") -> None:
        """Type into a record chooser and click what it offers."""
        # The page's script puts an input in the select's place, a moment after the page is there.
        box = where.get_by_role("combobox", name=label).and_(where.locator("input"))
        box.click()
        box.fill(typed)
        where.get_by_role("option", name=option or typed, exact=True).click()

    def fact(self, label: str) -> str:
        """Return what stands beside a label on a detail page."""
        term = self.page.locator("dt", has_text=re.compile(f"^{re.escape(label)}$"))
        return term.locator("xpath=following-sibling::dd").first.inner_text().strip()

    def picture(self, name: str, *widths: int, whole: bool = True) -> None:
        """Keep a picture at each width, of the whole page or of what a window of that width shows.

        The window is left as it was found: passing through another width would shut a drawer.
        """
        before = self.page.viewport_size
        SCREENSHOTS.mkdir(exist_ok=True)
        for width in widths or (DESK,):
            self.resize(width)
            if whole:
                height = self.page.evaluate("document.documentElement.scrollHeight")
                self.page.set_viewport_size({"width": width, "height": min(height, TALLEST)})
            self.page.screenshot(path=SCREENSHOTS / f"{name}-{width}.png")
        if before is not None:
            self.page.set_viewport_size(before)

    def resize(self, width: int) -> None:
        """Make the window as wide as a desk's or a phone's."""
        self.page.set_viewport_size({"width": width, "height": HEIGHTS[width]})

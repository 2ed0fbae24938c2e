"""The users of the load test, in a process of their own: ``python -m bench.visitors PLAN``.

The plan is JSON in a file; what the users met is written to standard output as JSON. Each logs in
through the form, and goes on after a pause as people do: reads, searches, says something, takes steps.
"""

from __future__ import annotations

import http.client
import json
import random
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_SHOWN = re.compile(r"/tickets/show/(\d+)")
#: What a user does next: (kind, weight).
HABITS = (
    ("list", 26),
    ("ticket", 30),
    ("filter", 10),
    ("search", 12),
    ("workbench", 8),
    ("words", 9),
    ("step", 5),
)
WORDS = ("路灯", "井盖", "停水", "噪声", "消防通道", "油烟", "救助", "校车", "积水", "信号灯")
#: role → (the step that it takes, the status of the tickets that wait for it)
STEPS = {"township": ("approve", "pending_review"), "handler": ("accept", "dispatched")}
#: Answers that are a sentence for the user: somebody was faster, or it is not his to do.
REFUSALS = (403, 409, 422)


class Visitor(threading.Thread):
    """One user: ``seen`` is a line for each request, (kind, seconds, status)."""

    def __init__(self, number: int, plan: dict[str, Any], gate: threading.Barrier) -> None:
        super().__init__(daemon=True)
        self.number, self.plan, self.gate = number, plan, gate
        self.role, self.username = plan["people"][number % len(plan["people"])]
        self.rng = random.Random(number)
        self.cookies: dict[str, str] = {}
        self.seen: list[tuple[str, float, int]] = []
        self.faults: list[str] = []
        #: writes that were acknowledged: (kind, ticket, what)
        self.kept: list[tuple[str, int, str]] = []
        self.tickets: list[int] = []
        self.token = ""
        self.connection = http.client.HTTPConnection("127.0.0.1", plan["port"], timeout=60)

    def run(self) -> None:
        """Log in, wait for the others, and go about until time is up."""
        try:
            self._log_in()
        except Exception as fault:
            self.faults.append(f"log-in of {self.username}: {fault!r}")
        self.gate.wait()
        until = time.monotonic() + self.plan["seconds"]
        while (pause := self._pause()) < until - time.monotonic():
            time.sleep(pause)
            (kind,) = self.rng.choices(*zip(*HABITS, strict=True))
            try:
                getattr(self, f"_{kind}")()
            except Exception as fault:
                self.faults.append(f"{kind} of {self.username}: {fault!r}")
                self.connection.close()

    def _pause(self) -> float:
        """Return how long the user thinks, in seconds: five in the middle."""
        return min(self.rng.expovariate(1 / self.plan["think"]), 4 * self.plan["think"])

    # One request

    def _ask(
        self, kind: str, method: str, path: str, data: dict[str, str] | None = None
    ) -> tuple[int, str]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = urlencode(data) if data is not None else None
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.perf_counter()
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        self.seen.append((kind, time.perf_counter() - began, answer.status))
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _equals, value = line.split(";", 1)[0].partition("=")
            self.cookies[name] = value
        if answer.status >= 400 and not (method == "POST" and answer.status in REFUSALS):
            self.faults.append(f"{kind} {path}: {answer.status}")
        return answer.status, text

    def _log_in(self) -> None:
        _status, page = self._ask("log-in", "GET", "/login/")
        token = _TOKEN.search(page)
        given = {"username": self.username, "password": self.plan["password"]}
        given["csrf_token"] = token[1] if token else ""
        status, _page = self._ask("log-in", "POST", "/login/", given)
        if status != 302:
            self.faults.append(f"log-in of {self.username}: {status}")
        # While everybody else logs in: the pages of the load begin after the gate.
        self._open("log-in", "/tickets/list/?tab=open")

    def _open(self, kind: str, path: str) -> list[int]:
        """Open a page with tickets on it, and remember them."""
        _status, page = self._ask(kind, "GET", path)
        token = _TOKEN.search(page)
        self.token = token[1] if token else self.token
        found = [int(each) for each in dict.fromkeys(_SHOWN.findall(page))]
        self.tickets = found or self.tickets
        return found

    # Habits

    def _list(self) -> None:
        self._open("list", "/tickets/list/")

    def _filter(self) -> None:
        tab = self.rng.choice(("open", "work", "overdue", "closed", "rate"))
        self._open("filter", f"/tickets/list/?tab={tab}")

    def _search(self) -> None:
        self._open("search", f"/tickets/list/?q={quote(self.rng.choice(WORDS))}")

    def _workbench(self) -> None:
        self._ask("workbench", "GET", "/")

    def _ticket(self) -> None:
        if self.tickets:
            self._ask("ticket", "GET", f"/tickets/show/{self.rng.choice(self.tickets)}")

    def _words(self) -> None:
        found = self._open("filter", "/tickets/list/?tab=open")
        if found:
            ticket, text = self.rng.choice(found), f"第{self.number}位第{len(self.seen)}次留言"
            data = {"csrf_token": self.token, "text": text}
            status, _page = self._ask("words", "POST", f"/tickets/comment/{ticket}", data)
            if status == 302:
                self.kept.append(("words", ticket, text))

    def _step(self) -> None:
        if self.role not in STEPS:
            return
        step, waiting = STEPS[self.role]
        found = self._open("filter", f"/tickets/list/?status={waiting}")
        if found:
            ticket, data = self.rng.choice(found), {"csrf_token": self.token}
            status, _page = self._ask("step", "POST", f"/tickets/step/{ticket}/{step}", data)
            if status == 302:
                self.kept.append(("step", ticket, step))


def main(plan_file: str) -> None:
    """Let all users go about at once, and write down what they met."""
    plan = json.loads(Path(plan_file).read_text(encoding="utf-8"))
    gate = threading.Barrier(plan["users"])
    visitors = [Visitor(number, plan, gate) for number in range(plan["users"])]
    for each in visitors:
        each.start()
    for each in visitors:
        each.join()
    json.dump({name: list(_all(visitors, name)) for name in ("seen", "kept", "faults")}, sys.stdout)


def _all(visitors: list[Visitor], name: str) -> Iterator[Any]:
    for each in visitors:
        yield from getattr(each, name)


if __name__ == "__main__":
    main(sys.argv[1])

"""The pages that follow tickets up, over a city's ledger: how long each takes, for whom, in how many statements."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench.city_bench import opened
from bench.databases import Server, engine_of
from bench.lists import Page, log_in
from bench.timing import Result, interleave, statements

#: who → the account; the administrator stands for the city's own leader, who reads all of it.
READERS = {
    "city": "admin",
    "office": "office1",
    "township": "township1-1",
    "community": "community1-1-1",
    "handler": "handler1-1",
}
OFFICES = ("city", "office")
#: what → (address, who opens it)
PAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "home page": ("/", tuple(READERS)),
    "measures": ("/measures/", tuple(READERS)),
    "measures by class": ("/measures/lines?rows=class", tuple(READERS)),
    "measures, class × month": ("/measures/crossing?rows=class&columns=month", tuple(READERS)),
    "scores": ("/scores/", tuple(READERS)),
    "scores of townships": ("/scores/townships/", OFFICES),
    "what comes back": ("/recurring/", ("city", "office", "township", "community")),
    "supervision": ("/supervisions/list/", tuple(READERS)),
    "recurring problems": ("/problems/list/", tuple(READERS)),
    "meetings": ("/meetings/list/", OFFICES),
    "decisions": ("/decisions/list/", ("city", "office", "township", "handler")),
    "appeals": ("/appeals/list/", tuple(READERS)),
    "bulletins": ("/bulletins/list/", tuple(READERS)),
}


def run(where: Server, folder: Path, tickets: int, seed: int, runs: int) -> list[Result]:
    """Measure every page for everybody who opens it; there is no floor, a second is the bar."""
    city = opened(where, folder, tickets, seed)
    clients = {who: log_in(city.app, name) for who, name in READERS.items()}
    pages = [
        Page(who, what, clients[who], url) for what, (url, who_) in PAGES.items() for who in who_
    ]
    calls: dict[str, Callable[[], object]] = {
        f"{page.who} {page.what}": page.open for page in pages
    }
    found = interleave(calls, runs)
    results = []
    for page in pages:
        with statements(engine_of(city.app)) as seen:
            size = len(page.open())
        results.append(
            Result(
                f"follow-up {tickets}",
                where.name,
                page.who,
                page.what,
                found[f"{page.who} {page.what}"],
                statements=len(seen),
                size=size,
            )
        )
    city.close()
    return results

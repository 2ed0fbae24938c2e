"""Load: the product served as ``flask serve`` does, and many users at once from a second process.

Afterwards every write that was acknowledged is looked for in the database, and the chains and clocks
of the tickets that were touched are verified.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bench.city_bench import opened
from bench.databases import Server
from bench.lists import PASSWORD
from bench.timing import Result, Sample
from database import db
from models.account import Account
from models.ledger import Event
from models.ticket_file import TicketComment
from rules.actor import SYSTEM, acting_as
from rules.chain_ends import TicketCheck
from rules.ledger import faults

THINK = 5.0
#: Of how many users in ten: which role.
MIX = ("community",) * 4 + ("handler",) * 3 + ("township",) * 2 + ("office",)
Met = dict[str, list[Any]]


def run(
    where: Server, folder: Path, tickets: int, seed: int, *, users: int, seconds: int
) -> list[Result]:
    """Let users go about on a city's ledger, print what became of it, and return the percentiles."""
    city = opened(where, folder, tickets, seed)
    url = city.app.config["SQLALCHEMY_DATABASE_URI"]
    with city.app.app_context(), acting_as(db.session(), SYSTEM):
        people = _people(users)
        db.session.remove()
    port = _free_port()
    server = _serve(url, folder, port)
    try:
        plan = {
            "port": port,
            "users": users,
            "seconds": seconds,
            "think": THINK,
            "people": people,
            "password": PASSWORD,
        }
        met = _visit(plan)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
    with city.app.app_context(), acting_as(db.session(), SYSTEM):
        lost, wrong = missing(met["kept"]), broken({ticket for _kind, ticket, _what in met["kept"]})
        db.session.remove()
    city.close()
    _tell(met, lost, wrong)
    return _results(where.name, met)


def _people(users: int) -> list[tuple[str, str]]:
    """Return (role, account), as many as there are users, each account once."""
    names = list(db.session.scalars(select(Account.username).order_by(Account.id)))
    of_role = {role: [each for each in names if each.startswith(role)] for role in set(MIX)}
    found: list[tuple[str, str]] = []
    for role in itertools.islice(itertools.cycle(MIX), users * len(MIX)):
        if of_role[role] and len(found) < users:
            found.append((role, of_role[role].pop(0)))
    return found


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def _serve(url: str, folder: Path, port: int) -> subprocess.Popen[bytes]:
    """Start the product over the database, and wait until it answers."""
    settings = {
        "CHUISHAO_DATABASE_URL": url,
        "CHUISHAO_DATA_DIR": str(folder),
        "CHUISHAO_PORT": str(port),
    }
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-m", "flask", "--app", "app", "serve"]
    with (folder / "serve.log").open("wb") as log:
        started = subprocess.Popen(
            command, cwd=root, env=os.environ | settings, stdout=log, stderr=log
        )
    for _turn in range(120):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/login/", timeout=5):
                return started
        except OSError:
            time.sleep(0.5)
    started.terminate()
    raise TimeoutError(f"the product does not answer: see {folder / 'serve.log'}")


def _visit(plan: dict[str, Any]) -> Met:
    """Let the users go about in a process of their own."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(plan, file)
        file.flush()
        command = [sys.executable, "-m", "bench.visitors", file.name]
        root = Path(__file__).resolve().parent.parent
        answer = subprocess.run(command, cwd=root, capture_output=True, check=True)
    met: Met = json.loads(answer.stdout)
    return met


def missing(kept: list[Any]) -> list[str]:
    """Return which of the acknowledged writes are not in the database."""
    lost = []
    for kind, ticket, what in kept:
        if kind == "words":
            test = (TicketComment.ticket_id == ticket, TicketComment.text == what)
            query = select(TicketComment.id).where(*test)
        else:
            query = select(Event.id).where(
                Event.record_type == "ticket", Event.record_id == ticket, Event.action == what
            )
        if db.session.scalars(query.limit(1)).first() is None:
            lost.append(f"{kind} {ticket} {what}")
    return lost


def broken(tickets: set[int]) -> list[str]:
    """Return what the ledger's own check says of some tickets."""
    check, found = TicketCheck(db.session()), []
    for ticket in sorted(tickets):
        steps = select(Event).where(Event.record_type == "ticket", Event.record_id == ticket)
        chain = db.session.scalars(steps.order_by(Event.sequence)).all()
        found += [*faults(chain), *check.add(ticket, chain)]
    return [*found, *check.finish()]


def _tell(met: Met, lost: list[str], wrong: list[str]) -> None:
    refused = sum(status in (403, 409, 422) for _kind, _took, status in met["seen"])
    print(
        f"{len(met['seen'])} requests, {len(met['faults'])} errors, {refused} refused; "
        f"{len(met['kept'])} writes acknowledged, {len(lost)} lost; "
        f"{len(wrong)} faults in the ledger of the tickets touched"
    )
    for line in [*met["faults"], *lost, *wrong][:20]:
        print(f"  {line}")


def _results(backend: str, met: Met) -> list[Result]:
    """Return the percentiles of each kind of request, and of all but logging in."""
    times: dict[str, list[float]] = defaultdict(list)
    for kind, took, _status in met["seen"]:
        times[kind].append(took)
        if kind != "log-in":
            times["all"].append(took)
    found = []
    for kind, taken in sorted(times.items()):
        if len(taken) > 1:
            cuts = statistics.quantiles(taken, n=100, method="inclusive")
            for name, value in (("p50", cuts[49]), ("p95", cuts[94]), ("p99", cuts[98])):
                sample = Sample(value, min(taken), max(taken), 0.0, len(taken))
                found.append(Result("crowd", backend, kind, name, sample))
    return found

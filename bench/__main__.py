"""``python -m bench``: print the benchmarks, each as the median of several runs beside its floor."""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import sqlite3
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import (
    city_bench,
    crowd,
    follow_pages,
    imports_bench,
    lists,
    measures,
    one_letter_bench,
)
from bench.databases import BACKENDS, Server, server
from bench.one_letter import COUNTIES
from bench.timing import Result, table
from models.base import utcnow

BENCHES = ("import", "list", "one-letter", "city", "crowd", "measures", "follow-up")
#: Those that are run unless others are asked for: the city takes its time to build.
USUAL = BENCHES[:3]
FEWEST = 3000


def main() -> None:
    """Run what was asked for."""
    asked = _arguments()
    # FAB warns of every log-in without a page to go on to.
    logging.getLogger("flask_appbuilder").setLevel(logging.ERROR)
    results: list[Result] = []
    with ExitStack() as stack:
        if asked.folder is None:
            temporary = tempfile.TemporaryDirectory(prefix="chuishao-bench-")
            folder = Path(stack.enter_context(temporary))
        else:
            folder = asked.folder.resolve()
        for name in asked.backend:
            with server(name, folder / name) as where:
                results += _measure(where, folder / name, asked)
    print(table(results))
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        report = _about(asked) | {"results": [each.to_json() for each in results]}
        asked.json.write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")


def _measure(where: Server, folder: Path, asked: argparse.Namespace) -> list[Result]:
    found: list[Result] = []
    if "import" in asked.only:
        _say(f"import on {where.name}")
        found += imports_bench.run(where, folder, asked.runs, peer=asked.peer)
    if "list" in asked.only:
        _say(f"ticket pages on {where.name}, {asked.tickets} tickets")
        found += lists.run(where, folder, asked.tickets, asked.seed, asked.runs)
    for county in asked.county if "one-letter" in asked.only else ():
        _say(f"one letter, three lists on {where.name}, {county}")
        found += one_letter_bench.run(where, folder, county, asked.seed, asked.runs)
    if "city" in asked.only:
        _say(f"a city's ledger on {where.name}, {asked.tickets} tickets")
        found += city_bench.run(where, folder, asked.tickets, asked.seed, asked.runs)
    if "follow-up" in asked.only:
        _say(f"pages of following up on {where.name}, {asked.tickets} tickets")
        found += follow_pages.run(where, folder, asked.tickets, asked.seed, asked.runs)
    if "measures" in asked.only:
        _say(f"measures on {where.name}, {asked.tickets} tickets")
        found += measures.run(where, folder, asked.tickets, asked.seed, asked.runs)
    if "crowd" in asked.only:
        _say(f"{asked.users} users on {where.name}, {asked.tickets} tickets, {asked.seconds} s")
        found += crowd.run(
            where, folder, asked.tickets, asked.seed, users=asked.users, seconds=asked.seconds
        )
    return found


def _say(words: str) -> None:
    print(f"… {words}", file=sys.stderr, flush=True)


def _about(asked: argparse.Namespace) -> dict[str, Any]:
    """Return on what was measured."""
    return {
        "at": utcnow().isoformat(timespec="seconds"),
        "tickets": asked.tickets,
        "counties": asked.county,
        "seed": asked.seed,
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--tickets", type=_many, default=100_000, help=f"how many are simulated, at least {FEWEST}"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=15, help="of each call; the median counts")
    parser.add_argument("--only", type=_some(BENCHES), default=list(USUAL), help=",".join(BENCHES))
    parser.add_argument(
        "--county",
        type=_some(tuple(COUNTIES)),
        default=list(COUNTIES),
        help=f"of one-letter: {','.join(COUNTIES)}",
    )
    parser.add_argument(
        "--backend", type=_some(BACKENDS), default=list(BACKENDS), help="sqlite,postgresql"
    )
    parser.add_argument(
        "--peer",
        action="store_true",
        help="measure django-import-export beside the import, in an environment made for it",
    )
    parser.add_argument("--users", type=int, default=200, help="of crowd")
    parser.add_argument("--seconds", type=int, default=60, help="of crowd")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    parser.add_argument(
        "--folder",
        type=Path,
        help="keep the databases here and use them again; empty it after a change of the schema",
    )
    return parser.parse_args()


def _many(words: str) -> int:
    number = int(words)
    if number < FEWEST:
        raise argparse.ArgumentTypeError(f"of fewer than {FEWEST} a community may have none")
    return number


def _some(known: tuple[str, ...]) -> Any:
    def parse(words: str) -> list[str]:
        wanted = words.split(",")
        if unknown := set(wanted) - set(known):
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not one of {', '.join(known)}")
        return [name for name in known if name in wanted]

    return parse


if __name__ == "__main__":
    main()

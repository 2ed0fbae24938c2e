"""The peer of the import: django-import-export, in an environment that is made for it (``--peer``)."""

from __future__ import annotations

import json
import statistics
import subprocess
import venv
from pathlib import Path

from sqlalchemy import make_url

from bench.databases import Server
from bench.timing import Sample

_PEERS = Path(__file__).with_name("peers")
_RUNS = 3
_DATABASE = "imports_peer"


def environment(folder: Path) -> Path:
    """Return the Python of the peer's environment; makes the environment if it is not there."""
    place = folder / "peer-environment"
    python = place / "bin" / "python"
    done = place / "complete"
    if not done.exists():
        venv.create(place, with_pip=True, clear=True)
        needed = str(_PEERS / "requirements.txt")
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "-r", needed], check=True)
        done.touch()
    return python


def measure(where: Server, folder: Path, workbook: Path) -> Sample:
    """Let the peer import the workbook a few times on the same kind of database."""
    where.create(_DATABASE)
    url = make_url(where.url(_DATABASE))
    told = str(url.database)
    if where.name != "sqlite":
        host = url.host or str(url.query.get("host", ""))
        told = f"{host}:{url.database}:{url.username}"
    ran = subprocess.run(
        [
            str(environment(folder.parent)),
            str(_PEERS / "peer.py"),
            told,
            str(workbook),
            str(_RUNS),
        ],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    taken = [json.loads(line) for line in ran.stdout.splitlines()]
    walls = [wall for _worked, wall in taken]
    worked = statistics.median(worked for worked, _wall in taken)
    return Sample(statistics.median(walls), min(walls), max(walls), worked, len(taken))

"""A demo county of its own, served for as long as the pictures take."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PORTS = range(8120, 8130)


def free_port() -> int:
    """Return the first port of ours that nobody listens on."""
    for port in PORTS:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise SystemExit(f"端口 {PORTS.start}–{PORTS.stop - 1} 都被占用，请先停掉占用它们的程序。")


@contextmanager
def served(folder: Path, password: str) -> Iterator[str]:
    """Build the demo county in the folder and serve it; yields its address."""
    port = free_port()
    settings = {name: text for name, text in os.environ.items() if not name.startswith("CHUISHAO_")}
    settings |= {
        "CHUISHAO_DATA_DIR": str(folder),
        "CHUISHAO_PORT": str(port),
        "CHUISHAO_DEMO_PASSWORD": password,
    }
    flask = [sys.executable, "-m", "flask", "--app", "app"]
    for words in (["db", "upgrade"], ["sync-roles"], ["demo"]):
        subprocess.run([*flask, *words], cwd=ROOT, env=settings, check=True, capture_output=True)  # noqa: S603 - our own commands
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(  # noqa: S603 - our own server
        [*flask, "serve"], cwd=ROOT, env=settings, stdout=quiet, stderr=quiet
    )
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def wait_for(port: int, seconds: float = 30) -> None:
    """Return when somebody listens on the port; ``SystemExit`` if nobody does in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("示范县的服务没有启动，请先运行 make run 看它报什么错。")

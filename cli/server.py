"""``flask --app app serve``: the product on 127.0.0.1, by waitress."""

from __future__ import annotations

from typing import Any

import click
import waitress
from flask import current_app
from flask.cli import with_appcontext

from cli import sweep, worker
from cli.demo import describe_accounts

#: Behind HTTPS a proxy on this machine speaks for the browser: without its word on the scheme,
#: redirects would lead to http, where browsers refuse to follow a form.
BEHIND_PROXY: dict[str, Any] = {
    "trusted_proxy": "127.0.0.1",
    "trusted_proxy_headers": {"x-forwarded-proto", "x-forwarded-for"},
    "clear_untrusted_proxy_headers": True,
}


#: Browsers keep their connections: with waitress's hundred, the hundred and first user waits in vain.
CONNECTIONS: dict[str, Any] = {"connection_limit": 1000, "asyncore_use_poll": True}


@click.command("serve")
@with_appcontext
def serve() -> None:
    """Serve on 127.0.0.1 at CHUISHAO_PORT until stopped, with a worker; sweep now and every hour."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    port = app.config["PORT"]
    click.echo(f"\n  吹哨报到已启动：http://127.0.0.1:{port}/\n")
    for line in describe_accounts():
        click.echo(f"  {line}")
    click.echo("\n  按 Ctrl+C 停止。")
    sweep.start_clock(app)
    proxy = BEHIND_PROXY if app.config["SESSION_COOKIE_SECURE"] else {}
    beside = worker.Beside()
    beside.start()
    try:
        settings = CONNECTIONS | proxy
        waitress.serve(app, host="127.0.0.1", port=port, threads=8, ident="chuishao", **settings)
    finally:
        beside.stop()

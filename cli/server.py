"""``flask --app app serve``: the product on 127.0.0.1, by waitress."""

from __future__ import annotations

import click
import waitress
from flask import current_app
from flask.cli import with_appcontext

from cli.demo import describe_accounts


@click.command("serve")
@with_appcontext
def serve() -> None:
    """Serve on 127.0.0.1 at CHUISHAO_PORT until stopped."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    port = app.config["PORT"]
    click.echo(f"\n  吹哨报到已启动：http://127.0.0.1:{port}/\n")
    for line in describe_accounts():
        click.echo(f"  {line}")
    click.echo("\n  按 Ctrl+C 停止。")
    waitress.serve(app, host="127.0.0.1", port=port, threads=8, ident="chuishao")

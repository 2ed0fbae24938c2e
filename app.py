"""吹哨报到: the application. ``create_app`` reads like a table of contents, and is nothing else."""

from __future__ import annotations

from flask import Flask
from flask_appbuilder import AppBuilder
from flask_wtf import CSRFProtect

import cli
import config
import database
import jobs
from views import assets, errors, layout, register_views
from views.flask_app import App


def create_app(settings: config.Config | None = None) -> Flask:
    """Return the application for the environment that ``CHUISHAO_ENV`` names, or for ``settings``."""
    app = App(__name__)
    app.config.from_object(settings or config.current_config())
    CSRFProtect(app)
    database.init_app(app)
    with app.app_context():
        appbuilder = AppBuilder(app, database.db.session)
        register_views(appbuilder)
    layout.init_app(app)
    assets.init_app(app)
    errors.init_app(app)
    jobs.init_app(app)
    cli.init_app(app)
    return app

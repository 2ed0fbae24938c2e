"""Settings: one class an environment; every setting that differs comes from an environment variable."""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent


class MissingSetting(Exception):
    """A setting without which the product must not start is missing."""


class Config:
    """What every environment shares.

    Read from the environment: ``CHUISHAO_DATABASE_URL`` (default: SQLite in the data directory),
    ``CHUISHAO_DATA_DIR`` (default ``./var``), ``CHUISHAO_PORT`` (8080), ``CHUISHAO_SECRET_KEY``
    (generated and kept in the data directory on first run), ``CHUISHAO_ENV`` (``development`` or
    ``production``), ``CHUISHAO_DEMO_PASSWORD``, ``CHUISHAO_HTTPS`` (``1`` behind HTTPS); for notices that
    leave (docs/deploy.md) ``CHUISHAO_SMTP_HOST`` and its kin, ``CHUISHAO_ROBOT_HOSTS``, ``CHUISHAO_SITE_URL``.
    """

    ENVIRONMENT = "development"

    APP_NAME = "吹哨报到"
    FAB_CREATE_DB = False
    FAB_UPDATE_PERMS = False
    FAB_ADD_SECURITY_API = False
    FAB_ADD_OPENAPI_VIEWS = False
    FAB_ADD_MENU_API = False
    FAB_BASE_TEMPLATE = "base.html"
    FAB_INDEX_VIEW = "views.workbench.WorkbenchView"
    FAB_SECURITY_MANAGER_CLASS = "views.security.ChuishaoSecurityManager"
    AUTH_ROLE_ADMIN = "system_administrator"
    AUTH_ROLE_PUBLIC = "resident"
    FAB_PASSWORD_COMPLEXITY_ENABLED = True

    BABEL_DEFAULT_LOCALE = "zh"
    BABEL_DEFAULT_TIMEZONE = "Asia/Shanghai"
    BABEL_TRANSLATION_DIRECTORIES = str(ROOT / "translations")
    LANGUAGES = {
        "zh": {"flag": "cn", "name": "中文"},
        "en": {"flag": "gb", "name": "English"},
    }

    WTF_CSRF_TIME_LIMIT = None
    SESSION_COOKIE_NAME = "chuishao"
    SESSION_COOKIE_HTTPONLY = True
    SESSION_COOKIE_SAMESITE = "Lax"
    PERMANENT_SESSION_LIFETIME = timedelta(hours=12)
    RATELIMIT_ENABLED = False
    MAX_CONTENT_LENGTH = 100 * 1024 * 1024
    MAX_FORM_MEMORY_SIZE = 2 * 1024 * 1024
    SEND_FILE_MAX_AGE_DEFAULT = None
    #: Failed log-ins before an account is locked, and for how long.
    LOCK_AFTER = 5
    LOCK_FOR = timedelta(minutes=15)

    def __init__(self) -> None:
        self.DATA_DIR = Path(os.environ.get("CHUISHAO_DATA_DIR", ROOT / "var")).resolve()
        self.DATA_DIR.mkdir(parents=True, exist_ok=True)
        self.SQLALCHEMY_DATABASE_URI = os.environ.get(
            "CHUISHAO_DATABASE_URL", f"sqlite:///{self.DATA_DIR / 'chuishao.db'}"
        )
        # Each page of each role compiles its statements once: the default of 500 would forget them.
        # Whether a pooled connection still lives is looked after in ``database``.
        # Errors do not repeat what was to be written: the log is no place for addresses and numbers.
        self.SQLALCHEMY_ENGINE_OPTIONS: dict[str, Any] = {
            "query_cache_size": 4000,
            "hide_parameters": True,
        }
        self.PORT = int(os.environ.get("CHUISHAO_PORT", "8080"))
        self.DEMO_PASSWORD = os.environ.get("CHUISHAO_DEMO_PASSWORD")
        self.SESSION_COOKIE_SECURE = os.environ.get("CHUISHAO_HTTPS") == "1"
        self.SECRET_KEY = self.secret_key()
        self.SMTP = {
            "host": os.environ.get("CHUISHAO_SMTP_HOST", ""),
            "port": os.environ.get("CHUISHAO_SMTP_PORT", ""),
            "user": os.environ.get("CHUISHAO_SMTP_USER", ""),
            "password": os.environ.get("CHUISHAO_SMTP_PASSWORD", ""),
            "from": os.environ.get("CHUISHAO_SMTP_FROM", ""),
            "security": os.environ.get("CHUISHAO_SMTP_SECURITY", ""),
        }
        self.ROBOT_HOSTS = os.environ.get("CHUISHAO_ROBOT_HOSTS", "").split()
        self.SITE_URL = os.environ.get("CHUISHAO_SITE_URL", "").rstrip("/")

    def secret_key(self) -> str:
        """Return the key that signs sessions: from the environment, else kept in the data directory."""
        given = os.environ.get("CHUISHAO_SECRET_KEY")
        if given:
            return given
        return _kept_secret(self.DATA_DIR / "secret_key")


class Production(Config):
    """The server of a county: refuses to start without a secret key of its own."""

    ENVIRONMENT = "production"

    def secret_key(self) -> str:
        """Return the key from the environment, or refuse."""
        given = os.environ.get("CHUISHAO_SECRET_KEY", "")
        if len(given) < 32:
            raise MissingSetting(
                "生产环境必须设置环境变量 CHUISHAO_SECRET_KEY（至少 32 个字符），请设置后再启动。"
            )
        return given


class Testing(Config):
    """The tests: quick password hashes, errors raised, CSRF on where a test asks for it."""

    ENVIRONMENT = "testing"
    TESTING = True
    WTF_CSRF_ENABLED = False
    FAB_PASSWORD_HASH_METHOD = "pbkdf2:sha256:1"  # noqa: S105 - a method, not a password

    def secret_key(self) -> str:
        """Return a fixed key: nothing that the tests sign outlives them."""
        return "testing-key-of-no-worth-at-all-0123456789"


def _kept_secret(path: Path) -> str:
    """Return the secret kept in a file, making it on first use; two starters agree on one."""
    try:
        with path.open("x", encoding="ascii") as new:
            path.chmod(0o600)
            new.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text(encoding="ascii")


CONFIGS: dict[str, type[Config]] = {
    "development": Config,
    "production": Production,
    "testing": Testing,
}


def current_config() -> Config:
    """Return the settings of the environment that ``CHUISHAO_ENV`` names."""
    name = os.environ.get("CHUISHAO_ENV", "development")
    if name not in CONFIGS:
        raise MissingSetting(f"CHUISHAO_ENV 应为 {'、'.join(CONFIGS)} 之一，现为“{name}”。")
    return CONFIGS[name]()

"""FAB's security manager, mended: policy in memory, lock-out, sessions that end when they should."""

from __future__ import annotations

from flask import current_app, flash, g, redirect, request, session, url_for
from flask_appbuilder.baseviews import expose
from flask_appbuilder.security.decorators import no_cache
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_appbuilder.security.views import AuthDBView
from flask_babel import gettext as _
from flask_login import UserMixin, current_user, logout_user
from werkzeug.wrappers import Response

from models.account import Account
from models.base import utcnow
from presets.roles import Role
from rules.actor import NOBODY, SYSTEM, Actor, Identity, acting_as, identified, set_actor
from rules.wording import local
from views.permissions import allowed


class LoginView(AuthDBView):
    """Logging in, and out by POST only: a link in a mail must not end anybody's session."""

    login_template = "login.html"

    @expose("/logout/", methods=["POST"])
    @no_cache
    def logout(self) -> Response:
        """End this account's sessions everywhere: cookies that were copied stop working too."""
        if current_user.is_authenticated:
            database = self.appbuilder.session
            with acting_as(database(), SYSTEM):
                account = database.get(Account, current_user.id)
                account.session_generation += 1
                database.commit()
        logout_user()
        session.clear()
        flash(_("您已退出登录。"), "info")
        return redirect(url_for("LoginView.login"))


class Visitor(UserMixin):
    """Whoever is logged in, as flask-login and FAB ask of him; ``actor`` is what the product asks."""

    def __init__(self, identity: Identity) -> None:
        self.actor = identity.actor
        self.id = identity.actor.user_id
        self._session_name = identity.session_name

    def get_id(self) -> str:
        """Return what his session is called."""
        return self._session_name


class ChuishaoSecurityManager(SecurityManager):
    """Accounts belong to organisations; what they may do is read from ``rules.policy``."""

    user_model = Account
    authdbview = LoginView

    def register_views(self) -> None:
        """Register log-in only: FAB's pages for users and roles know nothing of scope."""
        self.auth_view = self.appbuilder.add_view_no_menu(self.authdbview())

    def load_user(self, pk: str) -> Visitor | None:
        """Return whom a session cookie stands for, unless it has ended since."""
        number = str(pk).split(".", 1)[0]
        if not number.isdigit():
            return None
        found = identified(self.appbuilder.session(), int(number))
        if found is None or not found.active or found.session_name != pk:
            return None
        return Visitor(found)

    def auth_user_db(self, username: str, password: str) -> Account | None:
        """Check a password under the system's name; a locked account is not even looked at."""
        with acting_as(self.appbuilder.session(), SYSTEM):
            account = None
            if username:
                # FAB takes the e-mail address for a name as well.
                account = self.find_user(username=username) or self.find_user(email=username)
            if account is not None and account.locked_until and account.locked_until > utcnow():
                flash(
                    _("密码多次输错，账号已锁定到 %(when)s。", when=local(account.locked_until)),
                    "danger",
                )
                return None
            found: Account | None = super().auth_user_db(username, password)
            return found

    def on_user_login_failed(self, user: Account) -> None:
        """Lock an account after too many failures in a row."""
        if (user.fail_login_count or 0) >= current_app.config["LOCK_AFTER"]:
            user.locked_until = utcnow() + current_app.config["LOCK_FOR"]
            user.fail_login_count = 0
            self.appbuilder.session.commit()

    def on_user_login(self, user: Account) -> None:
        """A successful log-in lifts an old lock."""
        if user.locked_until is not None:
            user.locked_until = None
            self.appbuilder.session.commit()

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """Answer from the policy in memory: no statement a look-up (FAB needs two dozen a page)."""
        actor = current_actor()
        return actor is not NOBODY and allowed(actor.roles, permission_name, view_name)

    def get_user_menu_access(self, menu_names: list[str] | None = None) -> set[str]:
        """FAB's own menu is not shown; the navigation is built from the policy."""
        return set()

    @staticmethod
    def before_request() -> None:
        """Resolve the actor once a request and hand it to the session."""
        g.user = current_user
        if request.endpoint == "static" or (request.endpoint or "").endswith(".static"):
            return
        database = current_app.extensions["appbuilder"].session
        visitor = current_user._get_current_object()
        actor = visitor.actor if isinstance(visitor, Visitor) else NOBODY
        g.actor = actor
        set_actor(database(), actor)


def current_actor() -> Actor:
    """Return who is asking; ``NOBODY`` before log-in."""
    actor: Actor = g.get("actor", NOBODY)
    return actor


def role_names() -> list[str]:
    """Return FAB's role names that the policy knows."""
    return [role.value for role in Role]

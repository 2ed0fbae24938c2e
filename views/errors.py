"""Errors as people read them: a Chinese sentence, the right status, and no stack trace."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import (
    Flask,
    abort,
    current_app,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from rules.errors import Refused
from views.security import current_actor

SENTENCES = {
    400: ("请求有误", "页面提交的内容不完整，请返回后重试。"),
    401: ("请先登录", "登录后才能查看这个页面。"),
    403: ("没有权限", "您的角色不能打开这个页面或办理这一步。需要权限请联系系统管理员。"),
    404: ("没有找到", "页面不存在，或者这条记录不在您的权限范围内。"),
    405: ("请求方式不对", "这个地址不能这样打开，请从页面上的按钮进入。"),
    413: ("文件太大", "上传的内容超过 100 MB，请压缩或分开上传。"),
    500: ("系统出错了", "系统遇到问题，已记录下来。您的数据没有改变，请稍后再试。"),
}


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(Refused, refused)
    app.register_error_handler(CSRFError, csrf)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, unexpected)
    app.before_request(refuse_null)
    app.before_request(keep_what_was_written)


def refuse_null() -> None:
    """Refuse the character that PostgreSQL cannot store and no keyboard makes."""
    texts = [request.path, *request.args, *request.form]
    texts += [text for values in request.args.listvalues() for text in values]
    texts += [text for values in request.form.listvalues() for text in values]
    if any("\x00" in text for text in texts):
        abort(400)


def keep_what_was_written() -> Any:
    """Give back to whoever was signed out meanwhile what he wrote: a redirect would lose it."""
    if request.method != "POST" or current_user.is_authenticated or not written():
        return None
    if _asks_for_data() or request.endpoint in (None, "LoginView.login"):
        return None
    return answer(401, _("登录已失效"), _("登录已失效，没有保存。请重新登录，再填写一次。"))


def written() -> list[str]:
    """Return the texts of a form that a person has written: not its numbers, codes and tokens."""
    texts = [
        text.strip()
        for name, values in request.form.lists()
        if "password" not in name
        for text in values
    ]
    return [
        text
        for text in dict.fromkeys(texts)
        if any(not sign.isascii() or sign.isspace() for sign in text)
    ]


def refused(error: Refused) -> Any:
    """Show a refusal's own sentence."""
    current_app.extensions["appbuilder"].session.rollback()
    return answer(error.status, _("不能办理"), error.message)


def csrf(error: CSRFError) -> Any:
    """The form is too old, or was not ours."""
    return answer(400, _("页面已过期"), _("页面停留太久或登录已改变，请刷新后重新提交。"))


def http_error(error: HTTPException) -> Any:
    """Show an HTTP error as a sentence; redirects pass."""
    code = error.code or 500
    if code < 400 or error.response is not None:
        return error
    heading, message = SENTENCES.get(code, SENTENCES[400 if code < 500 else 500])
    return answer(code, _(heading), _(message))


def unexpected(error: Exception) -> Any:
    """Log the trace, show a sentence."""
    if current_app.config.get("PROPAGATE_EXCEPTIONS"):
        raise error
    current_app.logger.exception("unexpected error at %s", request.path)
    current_app.extensions["appbuilder"].session.rollback()
    heading, message = SENTENCES[500]
    return answer(500, _(heading), _(message))


def answer(code: int, heading: str, message: str) -> Any:
    """Return the sentence as a page, or as JSON to a script."""
    if _asks_for_data():
        return jsonify(message=message), code
    signed_out = current_actor().user_id is None
    lost = written() if code in (400, 401) else []
    if code == 401 and signed_out and not lost:
        flash(message, "warning")
        return redirect(url_for("LoginView.login", next=request.url))
    back_url = _came_from()
    page = render_template(
        "error.html",
        code=code,
        heading=heading,
        message=message,
        written=lost,
        back_url=back_url,
        login_url=url_for("LoginView.login", next=back_url) if signed_out and lost else None,
    )
    return page, code


def _asks_for_data() -> bool:
    return request.accept_mimetypes.best == "application/json" or request.is_json


def _came_from() -> str:
    """Return the page of ours that this one was asked for from; else the workbench."""
    came = urlsplit(request.referrer or "")
    ours = came.netloc == request.host and not came.path.startswith("//")
    if ours and came.path != request.path:
        return f"{came.path}?{came.query}" if came.query else came.path
    return url_for("WorkbenchView.index")

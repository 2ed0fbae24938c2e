"""Photos of tickets: the field that takes them on a phone, and the routes that send them."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import astuple
from typing import Any

from flask import abort, current_app, send_file, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext as _
from itsdangerous import BadData, URLSafeTimedSerializer
from markupsafe import Markup
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response
from wtforms import Field

from models.ticket_file import TicketPhoto
from rules.attachments import path_of
from rules.errors import Invalid
from rules.photos import LARGEST, MOST, Picture, prepare
from views.context import actor, data_dir, session
from views.listing import LARGEST_ID

#: How long a form with photos that were sent already may lie open before it is sent again.
_KEPT_FOR = 30 * 24 * 3600


def _signer() -> URLSafeTimedSerializer:
    """Sign for one person: nobody else's form may name the photo."""
    salt = f"ticket-photo-{actor().user_id}"
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt=salt)


def token_of(picture: Picture) -> str:
    """Return a text that names a prepared photo in a form, and that only the server can make."""
    return str(_signer().dumps(astuple(picture)))


def picture_of(token: str) -> Picture | None:
    """Return the photo that a form's text names; ``None`` if it was not signed for this person."""
    try:
        return Picture(*_signer().loads(token, max_age=_KEPT_FOR))
    except (BadData, TypeError):
        return None


class PhotosWidget:
    """Two plain file inputs, camera and album, and the photos sent before as boxes to untick.

    ``static/js/photos.js`` shrinks what is chosen and shows it; without scripts it works as it is.
    """

    input_type = "file"

    def __call__(self, field: PhotosField, **attributes: Any) -> Markup:
        described = Markup("").join(
            Markup(' {}="{}"').format(name, attributes[name])
            for name in ("aria-describedby", "aria-invalid")
            if name in attributes
        )
        words = {
            "shrinking": _("正在处理照片…"),
            "count": _("共 {n} 张照片，这次要传 {size}。"),
            "toomany": _(
                "照片最多 %(most)s 张，多出的 {n} 张没有收下。",
                most=MOST,
            ),
            "photo": _("第 {n} 张照片"),
            "remove": _("删去第 {n} 张照片"),
            "keep": _("保留"),
        }
        return Markup(
            '<div class="photos" data-photos data-most="{most}"{words}>'
            '<ul class="photo-previews">{kept}</ul>'
            '<p class="photo-note" role="status"></p>'
            '<div class="photo-inputs">'
            '<label class="btn btn-default photo-camera">'
            '<i class="fa-solid fa-camera" aria-hidden="true"></i><span>{take}</span>'
            '<input type="file" name="{name}" accept="image/*" capture="environment"></label>'
            '<label class="btn btn-default photo-album">'
            '<i class="fa-solid fa-images" aria-hidden="true"></i><span>{choose}</span>'
            '<input type="file" name="{name}" id="{id}" accept="image/*" multiple{described}></label>'
            "</div></div>"
        ).format(
            most=MOST,
            words=Markup("").join(
                Markup(' data-{}="{}"').format(name, text) for name, text in words.items()
            ),
            kept=Markup("").join(self._kept(field, each) for each in field.data or []),
            take=_("拍照"),
            choose=_("选照片"),
            name=field.name,
            id=attributes.get("id", field.id),
            described=described,
        )

    def _kept(self, field: PhotosField, picture: Picture) -> Markup:
        token = token_of(picture)
        return Markup(
            '<li class="photo-preview"><img src="{url}" alt=""><label class="photo-keep">'
            '<input type="checkbox" name="{name}" value="{token}" checked>{keep}</label></li>'
        ).format(
            url=url_for("TicketView.prepared", token=token),
            name=field.name,
            token=token,
            keep=_("保留"),
        )


class PhotosField(Field):
    """Takes photos; ``data`` is the list of those that could be prepared, also when others failed.

    What is posted is files, and the texts of photos that an earlier, refused posting of the form
    brought: they need not be sent a second time.
    """

    widget = PhotosWidget()
    wide = True
    data: list[Picture] | None

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Prepare each file; ``ValueError`` names those that are none, or too many."""
        found: dict[str, Picture] = {}
        problems: list[str] = []
        for text in [each for each in valuelist if isinstance(each, str) and each]:
            picture = picture_of(text)
            if picture is None:
                problems.append(_("先前上传的一张照片已失效，请重新选择。"))
            else:
                found[picture.file_hash] = picture
        for picture in self._prepared(valuelist, MOST - len(found), problems):
            found[picture.file_hash] = picture
        self.data = list(found.values())[:MOST]
        if problems:
            raise ValueError("".join(problems))

    def _prepared(self, valuelist: list[Any], room: int, problems: list[str]) -> Iterable[Picture]:
        files = [each for each in valuelist if isinstance(each, FileStorage) and each.filename]
        for file in files[: max(room, 0)]:
            try:
                content = file.stream.read(LARGEST + 1)
                yield prepare(content, file.filename or "", data_dir())
            except Invalid as refusal:
                problems.append(refusal.message)
        if over := files[max(room, 0) :]:
            names = _("、").join(f"“{each.filename}”" for each in over[:5])
            problems.append(
                _(
                    "照片最多 %(most)s 张，多出的 %(n)s 张没有收下：%(names)s。",
                    most=MOST,
                    n=len(over),
                    names=names,
                )
            )


def pictures_of(field: Any) -> list[Picture]:
    """Return the photos of a ``PhotosField``, in the order in which they were chosen."""
    return list(field.data or [])


def pictures_in(photos: Iterable[TicketPhoto]) -> list[Picture]:
    """Return the photos that a ticket has as a form shows them."""
    return [
        Picture(each.file_hash, each.thumb_hash, each.width, each.height, each.size)
        for each in photos
    ]


class TicketPhotos(BaseView):
    """The routes that send a ticket's photos: to whoever may read the ticket, and nobody else."""

    @expose("/photo/<int:pk>")
    @has_access
    def photo(self, pk: int) -> Response:
        """Send a photo of a ticket in scope."""
        return _sent(_found(pk).file_hash)

    @expose("/thumb/<int:pk>")
    @has_access
    def thumb(self, pk: int) -> Response:
        """Send the thumbnail of a photo of a ticket in scope."""
        return _sent(_found(pk).thumb_hash)

    @expose("/prepared/<token>")
    @has_access
    def prepared(self, token: str) -> Response:
        """Send the thumbnail of a photo that this person has sent with a form not yet saved."""
        picture = picture_of(token)
        if picture is None:
            abort(404)
        return _sent(picture.thumb_hash)


def _found(pk: int) -> TicketPhoto:
    found = session().get(TicketPhoto, pk) if pk <= LARGEST_ID else None
    if found is None:
        abort(404)
    return found


def _sent(digest: str) -> Response:
    """Send a kept JPEG; the browser asks again each time, so that the gate is asked each time."""
    path = path_of(digest, data_dir())
    if not path.is_file():
        abort(404)
    file = io.BytesIO(path.read_bytes())  # a megabyte at most
    answer = send_file(file, mimetype="image/jpeg", etag=digest, conditional=True)
    answer.cache_control.clear()
    answer.cache_control.private = True
    answer.cache_control.no_cache = True
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer

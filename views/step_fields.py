"""Form fields that workflow steps ask for besides plain text: an instant, stars, photos."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from markupsafe import Markup
from wtforms import DateTimeLocalField, RadioField, ValidationError

from rules.calendar import SHANGHAI, as_utc
from rules.photos import Picture
from views.forms import RecordSelectField
from views.photos import token_of

#: How a browser writes a local time: with seconds only if there are any.
_WRITTEN = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
MOST_STARS = 5


class StepSelectField(RecordSelectField):
    """Chooses among the records that a step may name; whose step it is, the form's ``meta`` tells.

    So the form's class is made once. ``meta.asked`` is what ``address_of`` and ``choose_of`` are given.
    """

    def __init__(
        self,
        label: str,
        *,
        address_of: Callable[[Any], str],
        choose_of: Callable[[Any, int], Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(label, source="", choose=self._choose, **kwargs)
        self.address_of, self.choose_of = address_of, choose_of

    def address(self) -> str:
        """Return the address that answers the box."""
        return self.address_of(self.meta.asked)

    def _choose(self, number: int) -> Any:
        return self.choose_of(self.meta.asked, number)


class MomentField(DateTimeLocalField):
    """Asks for an instant in Shanghai's local time; ``data`` is aware and in UTC."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(label, format=_WRITTEN, **kwargs)

    def process_data(self, value: Any) -> None:
        """Take an aware instant as it is; it is shown as people in Shanghai write it."""
        self.data = as_utc(value) if value is not None else None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read a local time; ``ValueError`` with a sentence for anything else."""
        self.data = None
        if not valuelist or not valuelist[0].strip():
            return
        for form in _WRITTEN:
            try:
                typed = dt.datetime.strptime(valuelist[0].strip(), form).replace(tzinfo=SHANGHAI)
                self.data = as_utc(typed)
            except (ValueError, OverflowError):
                continue
            return
        raise ValueError(
            _("“%(label)s”应是日期和时间，如 2026-11-21 14:05。", label=self.label.text)
        )

    def _value(self) -> str:
        if self.raw_data:
            return " ".join(self.raw_data)
        if self.data is None:
            return ""
        return f"{self.data.astimezone(SHANGHAI):%Y-%m-%dT%H:%M}"


class StarsField(RadioField):
    """One to five stars as radio buttons; ``data`` is their number, or None if none were given."""

    def __init__(self, label: str, *, required: bool, **kwargs: Any) -> None:
        self.pairs = [(str(count), _said(count)) for count in range(MOST_STARS, 0, -1)]
        if not required:
            self.pairs.append(("", _("没有评")))
        super().__init__(label, choices=self.pairs, coerce=_number, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the number; what is no number of stars is refused by the choice."""
        self.data = _number(valuelist[0]) if valuelist else None

    def pre_validate(self, form: Any) -> None:
        """Refuse what is not among one to five."""
        if self.data is not None and self.data not in range(1, MOST_STARS + 1):
            raise ValidationError(_("请选择一至五星。"))

    def iter_choices(self) -> Any:
        """Mark the number that was given."""
        for value, label in self.pairs:
            yield value, label, _number(value) == self.data, {}


def _number(value: Any) -> int | None:
    text = str(value if value is not None else "").strip()
    if not text:
        return None
    # Anything but a digit is out of range, and refused as such.
    return int(text) if text.isdecimal() and len(text) < 4 else 0


def _said(count: int) -> Markup:
    """Return stars for the eye and their number for the ear."""
    return Markup('<span class="stars" aria-hidden="true">{}</span><span>{}</span>').format(
        "★" * count + "☆" * (MOST_STARS - count), _("%(n)s 星", n=count)
    )


class Photographed:
    """Demands at least one photo that could be read; what is wrong with others is said as well."""

    field_flags = {"required": True}

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self, form: Any, field: Any) -> None:
        """Refuse a field without photos; one that was refused already says why."""
        if not field.data and not field.errors:
            raise ValidationError(self.message)


def thumbnails(pictures: Iterable[Picture]) -> Markup:
    """Return prepared photos as small pictures that only the person who sent them can see."""
    return Markup("").join(
        Markup('<img class="photo-thumb" src="{}" alt="{}">').format(
            url_for("TicketView.prepared", token=token_of(each)), _("您刚才上传的照片")
        )
        for each in pictures
    )

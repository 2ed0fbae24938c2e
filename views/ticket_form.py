"""Raising a whistle: the form, what may be chosen in it, and what is judged before it is saved."""

from __future__ import annotations

from typing import Any

from flask import flash, get_flashed_messages, jsonify, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from sqlalchemy import Select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response
from wtforms import HiddenField, RadioField
from wtforms.validators import InputRequired, Optional

from models.address import AddressEntry
from models.duty import DutyItem, DutyList, DutyListStatus
from models.mechanism import WhistleClass
from models.organization import Organization, OrganizationKind
from models.ticket import Ticket, TicketStatus
from models.ticket_file import PhotoMoment
from rules import mechanisms, photos, positions, workflow
from rules.eligibility import judge, keep, usable
from rules.errors import Conflict, Invalid, Refused
from rules.once import new_key, sent_before
from rules.parties import sync
from rules.policy import Action
from rules.scope import reachable
from rules.workflows.ticket_effects import DISPATCHABLE
from views.addresses import known_places, place_options
from views.context import actor, own_area, session
from views.flow import FlowView
from views.forms import RecordForm, RecordSelectField, chooser
from views.photos import PhotosField, pictures_in, pictures_of, token_of
from views.presentation import Clash, FormGroup, Link
from views.records import FormGroups
from views.rendering import label_of

#: Steps that the form can take at once, by its buttons.
AT_ONCE = ("raise", "hold_locally")
#: What a phone shows without unfolding anything; the rest stands under 更多.
FIRST = [
    ("问题", ["title", "detail", "pictures", "place", "address"]),
    ("分类", ["whistle_class", "lead", "emergency"]),
]
MORE = [
    ("清单依据", ["duty_item", "local_tried"]),
    ("来源与性质", ["theme", "channel", "nature"]),
    ("吹哨单位与联系人", ["organization", "contact_name", "contact_phone"]),
    ("位置", ["latitude", "longitude"]),
]


class ClassField(RadioField):
    """Chooses a whistle class; ``direct`` are those that go to a department without review."""

    def __init__(self, label: str, *, classes: list[WhistleClass], **kwargs: Any) -> None:
        choices = [(each.id, f"{each.name}——{each.description}") for each in classes]
        super().__init__(label, choices=choices, coerce=int, **kwargs)
        self.direct = [each.id for each in classes if each.direct_dispatch]
        ordinary = [each.id for each in classes if each.code == "ordinary"]
        #: What a new whistle is unless one says otherwise.
        self.usual = next(iter(ordinary or [each.id for each in classes][-1:]), None)
        #: Whether the place may deal with it itself before it calls anybody.
        self.local_first = any(each.mechanism.grid_route for each in classes[:1])


class TicketForm(FlowView):
    """The form by which a whistle is blown, or kept as a draft."""

    model = Ticket
    form_template = "ticket_form.html"
    form_groups = [
        (title, [name for name in names if name not in ("pictures", "place")])
        for title, names in [*FIRST, *MORE]
    ]

    # Routes

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> Any:
        """Show the empty form, or make one ticket of the posted one, however often it comes."""
        if request.method == "GET":
            return super().add()
        try:
            self._refuse_changed_account()
            there = self._sent_before()
        except Refused as refusal:
            return self._refused_key(refusal.message, refusal.status)
        if there is not None:
            return self._there_already(there)
        return _as_asked(super().add())

    @expose("/places")
    @has_access
    def places(self) -> Response:
        """Answer the select box of the address book: entries in scope, with where they lie."""
        return place_options(request.args.get("q", ""))

    @expose("/ready")
    @has_access
    def ready(self) -> Response:
        """Tell a page that has been offline who is logged in, with a token to post with."""
        return jsonify(account=actor().user_id, csrf_token=generate_csrf())

    # One form, one ticket

    def _sent_before(self) -> Ticket | None:
        key = request.form.get("client_key", "")
        return sent_before(session(), key, actor()) if key else None

    def _refuse_changed_account(self) -> None:
        """A form that lay open while somebody else logged in is not sent under his name unseen."""
        filled_in_by = request.form.get("client_account", "")
        if filled_in_by and filled_in_by != str(actor().user_id):
            raise Conflict(_("填写时登录的是另一个账号，没有提交。请核对内容，再提交一次。"))

    def _there_already(self, ticket: Ticket) -> Any:
        """Lead to the ticket that this form has made; another matter under its key is asked about."""
        title = " ".join(request.form.get("title", "").split())
        if not _wants_json() and title != " ".join(ticket.title.split()):
            message = _(
                "这张表单已经提交过一次（%(ticket)s）。如果现在是另一件事，请再提交一次；不是就不必再交。",
                ticket=str(ticket),
            )
            return self._refused_key(message, 409)
        flash(_("这张哨单先前已经收到，没有重复。") + self.saved_text(ticket), "info")
        return _as_asked(redirect(self.url("show", pk=ticket.id)))

    def _refused_key(self, message: str, status: int) -> Any:
        """Show the form with all that was typed, and with a key of its own for the next try."""
        record = self.model()
        self.fill(record)
        form = self.form(record)
        form["client_key"].data = new_key()
        flash(message, "warning")
        return self.form_page(form, None, status)

    def _again(self, form: RecordForm, record: Any, created: bool, status: int) -> Any:
        """Of two postings at once, the slower one finds the ticket that the other has made."""
        there = self._sent_before() if created else None
        if there is not None:
            get_flashed_messages()  # what the database said of the second row is no fault of anybody's
            return self._there_already(there)
        return super()._again(form, record, created, status)

    # What may be chosen

    def choices(self, field: str) -> Select[Any]:
        """Offer the places of the actor's own area, and the published items of their lists."""
        found = super().choices(field)
        if field == "organization":
            found = found.where(
                Organization.kind.in_(
                    (OrganizationKind.TOWNSHIP, OrganizationKind.COMMUNITY, OrganizationKind.GRID)
                ),
                Organization.active,
            )
            if not self.may("can_add"):
                # Only a filter then, by names that all may read; a party has no area to offer.
                return found
            return found.where(reachable(actor(), "ticket", Organization.id, Action.ADD))
        if field == "lead":
            return found.where(Organization.kind.in_(DISPATCHABLE), Organization.active)
        if field == "duty_item":
            return (
                found.join(DutyItem.duty_list)
                .where(DutyList.status == DutyListStatus.PUBLISHED)
                .options(joinedload(DutyItem.duty_list))
            )
        return found

    def fill(self, record: Any) -> None:
        """A whistle is blown for one's own place unless one says otherwise."""
        record.organization = own_area()

    def groups_for(self, record: Any) -> FormGroups:
        """Columns, and what is no column: photos, the address book, the key of a new whistle."""
        hidden = [] if record.id else [("", ["client_key"])]
        return [*FIRST, *MORE, *hidden]

    def extra_fields(self) -> dict[str, Any]:
        """The classes are those of the place's mechanism."""
        place = actor().area_id
        return {
            "whistle_class": ClassField(
                label_of(Ticket, "whistle_class"),
                classes=mechanisms.classes_for(session(), place) if place else [],
                validators=[InputRequired(_("请选择哨种。"))],
            ),
            "lead": RecordSelectField(
                _("派往部门"),
                source=self.url("options", field="lead"),
                choose=chooser(session(), self.choices("lead"), Organization),
                description=_("只有直派的哨种需要；不填则按清单派往对应部门。"),
                validators=[Optional()],
            ),
            "pictures": PhotosField(_("照片")),
            "place": RecordSelectField(
                _("地址簿"),
                source=self.url("places"),
                choose=chooser(session(), known_places(), AddressEntry),
                description=_("选一个常用地点，就不用打字。"),
                validators=[Optional()],
            ),
            "client_key": HiddenField(),
        }

    def extras_of(self, record: Any) -> dict[str, Any]:
        """Show the ticket's class, and the photos that a draft has already."""
        if record.id is None:
            return {"client_key": new_key()}
        before = [each for each in record.photos if each.moment is PhotoMoment.BEFORE]
        return {"whistle_class": record.whistle_class_id, "pictures": pictures_in(before)}

    def form(self, record: Any) -> RecordForm:
        """New whistles are ordinary unless chosen otherwise."""
        form = super().form(record)
        chosen: Any = form["whistle_class"]
        if not form.is_submitted() and not chosen.data:
            chosen.data = chosen.usual
        return form

    # Saving

    def before_save(self, record: Any, form: RecordForm) -> None:
        """Judge the whistle by the duty lists, and keep verdict and reason with the draft."""
        database = session()
        record.whistle_class = database.get(WhistleClass, form["whistle_class"].data)
        mechanism = mechanisms.mechanism_for(database, record.organization.id)
        if record.whistle_class is None or record.whistle_class.mechanism_id != mechanism.id:
            message = _("所选哨种不属于吹哨单位所在地区的机制，请重新选择。")
            raise Invalid(message, whistle_class=message)
        item = record.duty_item
        if item is not None and not usable(database, record.organization, item):
            message = _(
                "“%(item)s”不在吹哨单位所在乡镇（街道）、县（市、区）已发布的清单里，请重新选择。",
                item=item.name,
            )
            raise Invalid(message, duty_item=message)
        _locate(record, form["place"].data)
        if "client_key" in form:
            record.client_key = form["client_key"].data or None
        found = judge(
            database,
            record.organization,
            item,
            emergency=bool(record.emergency),
            local_tried=bool(record.local_tried),
        )
        keep(record, found)
        sync(database, record)

    def after_save(self, record: Any, form: RecordForm, created: bool) -> None:
        """Attach the photos, then blow the whistle at once if that button was pressed."""
        wanted = pictures_of(form["pictures"])
        hashes = {each.file_hash for each in wanted}
        for photo in [] if created else list(record.photos):
            if photo.moment is PhotoMoment.BEFORE and photo.file_hash not in hashes:
                record.photos.remove(photo)
        session().flush()
        photos.attach(session(), record, wanted, PhotoMoment.BEFORE, actor())
        action = request.form.get("submit_action")
        if action in AT_ONCE:
            chosen = form["lead"].data
            data = {"lead": chosen.id} if chosen and action == "raise" else {}
            workflow.apply(session(), record, action, actor(), data)

    def saved_text(self, record: Any) -> str:
        """Say whether the whistle has been blown, and what happens next."""
        if record.status is TicketStatus.DRAFT:
            return _("已存为草稿，还没有吹哨。")
        if record.number is None:
            return _("已保存，现在%(status)s。", status=_(record.status.title))
        return _(
            "已吹哨，编号%(number)s，现在%(status)s。",
            number=record.number,
            status=_(record.status.title),
        )

    def editable(self, record: Any) -> str | None:
        """What was blown stays as it was blown."""
        if record.status is not TicketStatus.DRAFT:
            return _("哨单“%(number)s”已吹哨，不能再修改。", number=record.number)
        return None

    # The page

    def form_page(
        self,
        form: RecordForm,
        record: Any | None,
        status: int = 200,
        clashes: list[Clash] | None = None,
        **more: Any,
    ) -> Any:
        """Offer to blow the whistle at once, and show beside the form whether it may be blown."""
        if _wants_json():
            return _problems(form, status)
        rest = _groups(MORE, form)
        return super().form_page(
            form,
            record,
            status,
            clashes,
            first=_groups(FIRST, form),
            rest=rest,
            rest_open=any(form[name].errors for group in rest for name in group.fields),
            aside_url=self.url("eligibility", format="html"),
            aside_fields=["emergency", "duty_item", "organization", "local_tried"],
            matches_url=self.url("matches"),
            similar_url=self.url("similar"),
            extra_submits=self._submits(form),
            submit_label=_("存为草稿"),
            **more,
        )

    def _submits(self, form: RecordForm) -> list[Link]:
        """Return the buttons that take a step at once: those that the mechanism and the role allow."""
        found = [Link(_("吹哨"), "raise", "fa-bullhorn")]
        chosen: Any = form["whistle_class"]
        table = workflow.workflow_of(Ticket)
        hold = table.step("hold_locally") if table else None
        if hold and chosen.local_first and any(actor().has(role) for role, _relation in hold.who):
            found.append(Link(_("先自行处置"), "hold_locally", "fa-hand"))
        return found


def _groups(named: list[tuple[str, list[str]]], form: RecordForm) -> list[FormGroup]:
    return [FormGroup(_(title), [each for each in names if each in form]) for title, names in named]


def _locate(record: Any, entry: AddressEntry | None) -> None:
    """Fill in what the chosen entry of the address book says, where nothing better was given."""
    if entry is not None:
        record.address = record.address or entry.name
        if record.latitude is None and record.longitude is None:
            record.latitude, record.longitude = entry.latitude, entry.longitude
    record.latitude, record.longitude = positions.checked(record.latitude, record.longitude)


def _wants_json() -> bool:
    return request.accept_mimetypes.best == "application/json"


def _as_asked(answer: Any) -> Any:
    """Return a redirect as JSON to a script, which then goes there itself."""
    if _wants_json() and isinstance(answer, Response) and answer.status_code == 302:
        return jsonify(url=answer.location)
    return answer


def _problems(form: RecordForm, status: int) -> Any:
    """Return what is wrong, field by field, and the photos that need not be sent again."""
    said = get_flashed_messages()
    fields = {
        field.name: "".join(str(each) for each in field.errors) for field in form if field.errors
    }
    message = "".join(map(str, said)) or _("没有保存，请修改以下内容：")
    kept = [
        {"token": token_of(each), "url": url_for("TicketView.prepared", token=token_of(each))}
        for each in pictures_of(form["pictures"])
    ]
    key = form["client_key"].data if "client_key" in form else None
    return jsonify(message=message, fields=fields, pictures=kept, client_key=key), status

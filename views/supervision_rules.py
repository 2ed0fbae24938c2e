"""The supervision rule of a county: what its sweep looks for, the ladder, the quiet hours (domain 8)."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, exists, select
from sqlalchemy.orm import joinedload
from wtforms import IntegerField
from wtforms.validators import Optional

from models.organization import REALMS, Organization
from models.supervision import SupervisionKind, SupervisionRule
from presets.supervision import USUAL, Rung
from rules import supervision_rules as rules
from rules.errors import Invalid
from rules.policy import Action
from rules.scope import reachable
from rules.supervision_rules import KINDS
from views import forms
from views.context import actor, session
from views.presentation import MenuEntry
from views.records import Options, RecordView

#: Amounts of a rung, by the name of their field behind the kind's.
AMOUNTS = ("hours", "days")


class SupervisionRuleView(RecordView):
    """One rule for a county; where there is none, the usual one holds."""

    model = SupervisionRule
    route_base = "/supervision-rules"
    menu = (MenuEntry("跟踪问效", "督办规则", "fa-stairs", 35),)
    list_columns = ["organization", "near_hours", "ladder", "again", "quiet"]
    labels = {"again": "反复上报", "quiet": "免打扰时段"}
    form_groups = [
        ("适用范围", ["organization", "near_hours"]),
        *((kind.title, [f"{kind.value}_{each}" for each in AMOUNTS]) for kind in KINDS),
        ("反复上报", ["again_times", "again_days"]),
        ("免打扰", ["quiet_from", "quiet_until"]),
    ]
    show_groups = [
        ("适用范围", ["organization", "near_hours", "again"]),
        ("督办升级", ["ladder"]),
        ("免打扰", ["quiet"]),
    ]
    chosen_once = ["organization"]
    empty_text = (
        "还没有自己的督办规则，现在按通用规则办理：期限不足 24 小时提示；超期即督办（3 天），超期 72 小时"
        "挂牌督办（5 天），超期 168 小时约谈（7 天）；90 天内同一事项上报 3 次列入督办；22:00 至 07:00 免打扰。"
    )

    def choices(self, field: str) -> Select[Any]:
        """A rule is made for a county or a city that has none."""
        has = exists().where(SupervisionRule.organization_id == Organization.id)
        return select(Organization).where(
            Organization.kind.in_(REALMS),
            Organization.active,
            reachable(actor(), "supervision_rule", Organization.id, Action.ADD),
            ~has,
        )

    def fill(self, record: Any) -> None:
        """Start with the usual rule, for the actor's own county."""
        mine = self.choices("organization").where(Organization.id == actor().area_id)
        forms.prefill(record, "organization", session().scalars(mine).first())
        for name in ("near_hours", "again_times", "again_days", "quiet_from", "quiet_until"):
            setattr(record, name, getattr(USUAL, name))
        record.ladder = rules.stored(USUAL.ladder)

    def extra_fields(self) -> dict[str, Any]:
        """Each kind of order has its rung: from how many hours on, and how many days it leaves."""
        found: dict[str, Any] = {}
        for kind in KINDS:
            title = _(kind.title)
            found[f"{kind.value}_hours"] = IntegerField(
                _("超过期限（小时）"),
                description=_("从超期多少小时起；留空则没有“%(kind)s”这一级。", kind=title),
                validators=[Optional()],
            )
            found[f"{kind.value}_days"] = IntegerField(
                _("整改期限（天）"),
                description=_("下达“%(kind)s”后给多少天整改。", kind=title),
                validators=[Optional()],
            )
        return found

    def extras_of(self, record: Any) -> dict[str, Any]:
        """Show the ladder as it stands; rungs that it does not have are empty."""
        return {
            f"{rung.kind.value}_{each}": getattr(rung, each)
            for rung in rules.rungs(record.ladder or [])
            for each in AMOUNTS
        }

    def before_save(self, record: Any, form: forms.RecordForm) -> None:
        """Put the rungs together, and hold the rule to what makes sense."""
        ladder = _ladder(form)
        # The same ladder is no change.
        if record.ladder != rules.stored(ladder):
            record.ladder = rules.stored(ladder)
        try:
            rules.check(record)
        except Invalid as refusal:
            raise Invalid(refusal.message, **_at_fields(ladder, refusal.fields)) from None

    def detail_loads(self) -> Options:
        """The page names the county."""
        return [joinedload(SupervisionRule.organization)]

    # Cells

    def cell_ladder(self, record: Any) -> str:
        """Say the ladder in one line."""
        return _("；").join(map(_rung_text, rules.rungs(record.ladder)))

    def detail_ladder(self, record: Any) -> str:
        """Say the ladder in one line."""
        return self.cell_ladder(record)

    def change_ladder(self, stored: Any) -> str:
        """Say in words what an edit has made of the ladder."""
        return _("；").join(map(_rung_text, rules.rungs(stored or [])))

    def cell_again(self, record: Any) -> str:
        """Say how often in how many days."""
        return _("%(days)s 天内 %(n)s 次", days=record.again_days, n=record.again_times)

    def detail_again(self, record: Any) -> str:
        """Say how often in how many days."""
        return self.cell_again(record)

    def cell_quiet(self, record: Any) -> str:
        """Say from when until when."""
        return f"{record.quiet_from}–{record.quiet_until}"

    def detail_quiet(self, record: Any) -> str:
        """Say from when until when."""
        return self.cell_quiet(record)


def _rung_text(rung: Rung) -> str:
    return _(
        "超期 %(hours)s 小时%(kind)s，%(days)s 天整改",
        hours=rung.hours,
        kind=_(rung.kind.title),
        days=rung.days,
    )


def _ladder(form: forms.RecordForm) -> list[Rung]:
    """Return the rungs that are filled in; raise ``Invalid`` for half a rung."""
    found, missing = [], {}
    for kind in KINDS:
        hours, days = (form[f"{kind.value}_{each}"].data for each in AMOUNTS)
        if hours is None and days is None:
            continue
        for each, value in zip(AMOUNTS, (hours, days), strict=True):
            if value is None:
                missing[f"{kind.value}_{each}"] = _("这一级的小时和天数要都填，或者都不填。")
        if hours is not None and days is not None:
            found.append(Rung(hours, kind, days))
    if missing:
        raise Invalid(" ".join(missing.values()), **missing)
    return found


def _at_fields(ladder: list[Rung], faults: dict[str, str]) -> dict[str, str]:
    """Return the sentences at the form's fields: a rung's stands at its kind's."""
    placed = {}
    for place, sentence in faults.items():
        parts = place.split("-")
        if len(parts) == 3:
            amount = parts[2] if parts[2] in AMOUNTS else "hours"
            placed[f"{ladder[int(parts[1])].kind.value}_{amount}"] = sentence
        else:
            first = f"{SupervisionKind.ORDINARY.value}_hours"
            placed[first if place == "ladder" else place] = sentence
    return placed

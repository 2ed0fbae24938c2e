"""Who may do what to which record type, and how far: one table (domain section 7).

Read a line as: the *role* may do these *actions* to this *record type* within this *scope*. What is
not written is not allowed. FAB's roles and permissions are synced from here, the gate turns the
scope into SQL, and the page 角色与权限 prints it. Residents have no account: they follow one
ticket by its number and code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from models.base import Titled
from presets.roles import Role


class Scope(Titled):
    """How far a permission reaches."""

    EVERYTHING = "everything", "全部"
    AREA = "area", "本地区及以下"
    LINE = "line", "本级及上级"
    OWN = "own", "本单位"
    PARTY = "party", "本单位主办、协办的"
    SIDE = "side", "本单位为一方的"
    SHARED = "shared", "签约对方共享的"
    SELF = "self", "本人"


class Action(Titled):
    """What may be done to a record. ``act`` is any workflow step; the workflow table narrows it."""

    READ = "read", "查看"
    ADD = "add", "新增"
    EDIT = "edit", "编辑"
    DELETE = "delete", "删除"
    ACT = "act", "流转"
    IMPORT = "import", "导入"


R, A, E, D, ACT, IMPORT = (
    Action.READ,
    Action.ADD,
    Action.EDIT,
    Action.DELETE,
    Action.ACT,
    Action.IMPORT,
)
WRITE = (R, A, E, D)

#: The four ledgers of domain section 4 that go with the agreements.
LEDGERS = ("resource", "need", "service_project", "check_in")

#: What figures are summed from: tickets as their departments had them, and the sums of months.
FACTS = ("ticket_fact", "fact_month", "grade_month")

#: What follows a ticket: its figures, and what the office makes of them (domain section 8).
FOLLOW_UP = (
    *FACTS,
    "supervision",
    "recurring_problem",
    "coordination_meeting",
    "meeting_decision",
    "rating_appeal",
    "bulletin",
)

#: Those who bring workbooks in, each for what the table below lets them.
IMPORTERS = (
    Role.SYSTEM_ADMINISTRATOR,
    Role.ORGANIZATION_DEPARTMENT,
    Role.DUTY_LIST_OFFICER,
    Role.TOWNSHIP_REVIEWER,
    Role.COMMUNITY_STAFF,
    Role.DEPARTMENT_HANDLER,
    Role.UNIT_LIAISON,
)

#: (role, record type, actions, scope)
POLICY: tuple[tuple[Role, str, tuple[Action, ...], Scope], ...] = (
    (Role.SYSTEM_ADMINISTRATOR, "organization", (*WRITE, IMPORT), Scope.EVERYTHING),
    (Role.SYSTEM_ADMINISTRATOR, "account", WRITE, Scope.EVERYTHING),
    (Role.SYSTEM_ADMINISTRATOR, "mechanism", (R, A, E), Scope.EVERYTHING),
    (Role.SYSTEM_ADMINISTRATOR, "whistle_class", WRITE, Scope.EVERYTHING),
    (Role.SYSTEM_ADMINISTRATOR, "rating_dimension", WRITE, Scope.EVERYTHING),
    (Role.SYSTEM_ADMINISTRATOR, "review_step", WRITE, Scope.EVERYTHING),
    (Role.SYSTEM_ADMINISTRATOR, "address_entry", (*WRITE, IMPORT), Scope.EVERYTHING),
    (Role.SYSTEM_ADMINISTRATOR, "calendar_override", (*WRITE, IMPORT), Scope.EVERYTHING),
    (Role.SYSTEM_ADMINISTRATOR, "agreement", (*WRITE, ACT, IMPORT), Scope.EVERYTHING),
    (Role.SYSTEM_ADMINISTRATOR, "letter_template", WRITE, Scope.EVERYTHING),
    *(
        (Role.SYSTEM_ADMINISTRATOR, each, (*WRITE, ACT, IMPORT), Scope.EVERYTHING)
        for each in LEDGERS
    ),
    (Role.SYSTEM_ADMINISTRATOR, "duty_list", (*WRITE, ACT, IMPORT), Scope.EVERYTHING),
    (Role.SYSTEM_ADMINISTRATOR, "ticket", (R,), Scope.EVERYTHING),
    *((Role.SYSTEM_ADMINISTRATOR, each, (R,), Scope.EVERYTHING) for each in FOLLOW_UP),
    (Role.SYSTEM_ADMINISTRATOR, "supervision_rule", WRITE, Scope.EVERYTHING),
    (Role.SYSTEM_ADMINISTRATOR, "bulletin_template", WRITE, Scope.EVERYTHING),
    (Role.SYSTEM_ADMINISTRATOR, "notice_robot", WRITE, Scope.EVERYTHING),
    (Role.SYSTEM_ADMINISTRATOR, "delivery", (R, E), Scope.EVERYTHING),
    (Role.SYSTEM_ADMINISTRATOR, "import_batch", (R, A, E), Scope.EVERYTHING),
    (Role.SYSTEM_ADMINISTRATOR, "audit_entry", (R,), Scope.EVERYTHING),
    (Role.SYSTEM_ADMINISTRATOR, "event", (R,), Scope.EVERYTHING),
    #
    (Role.DISPATCHER, "ticket", (R, ACT), Scope.AREA),
    *((Role.DISPATCHER, each, (R,), Scope.AREA) for each in FACTS),
    (Role.DISPATCHER, "supervision", (R, A, E, ACT), Scope.AREA),
    (Role.DISPATCHER, "supervision_rule", (R, A, E), Scope.AREA),
    (Role.DISPATCHER, "recurring_problem", (R, A, E, ACT), Scope.AREA),
    (Role.DISPATCHER, "coordination_meeting", (*WRITE, ACT), Scope.AREA),
    (Role.DISPATCHER, "meeting_decision", (*WRITE, ACT), Scope.AREA),
    (Role.DISPATCHER, "rating_appeal", (R, ACT), Scope.AREA),
    (Role.DISPATCHER, "bulletin", (*WRITE, ACT), Scope.AREA),
    # Those of the city above as well.
    (Role.DISPATCHER, "bulletin", (R,), Scope.LINE),
    (Role.DISPATCHER, "bulletin_template", WRITE, Scope.AREA),
    (Role.DISPATCHER, "notice_robot", WRITE, Scope.AREA),
    (Role.DISPATCHER, "duty_list", (R,), Scope.AREA),
    (Role.DISPATCHER, "address_entry", (R,), Scope.AREA),
    (Role.DISPATCHER, "agreement", (R,), Scope.AREA),
    *((Role.DISPATCHER, each, (R,), Scope.AREA) for each in LEDGERS),
    #
    (Role.RETURN_REVIEWER, "ticket", (R, ACT), Scope.AREA),
    #
    (Role.ORGANIZATION_DEPARTMENT, "agreement", (*WRITE, ACT, IMPORT), Scope.AREA),
    (Role.ORGANIZATION_DEPARTMENT, "letter_template", WRITE, Scope.AREA),
    *((Role.ORGANIZATION_DEPARTMENT, each, (*WRITE, ACT, IMPORT), Scope.AREA) for each in LEDGERS),
    (Role.ORGANIZATION_DEPARTMENT, "import_batch", (R, A, E), Scope.AREA),
    #
    (Role.DUTY_LIST_OFFICER, "duty_list", (*WRITE, ACT, IMPORT), Scope.AREA),
    (Role.DUTY_LIST_OFFICER, "organization", (A, E), Scope.AREA),
    (Role.DUTY_LIST_OFFICER, "import_batch", (R, A, E), Scope.AREA),
    #
    (Role.TOWNSHIP_REVIEWER, "ticket", (R, A, E, ACT), Scope.AREA),
    *(
        (Role.TOWNSHIP_REVIEWER, each, (R,), Scope.AREA)
        for each in (*FACTS, "supervision", "recurring_problem", "rating_appeal")
    ),
    (Role.TOWNSHIP_REVIEWER, "recurring_problem", (R, ACT), Scope.PARTY),
    (Role.TOWNSHIP_REVIEWER, "meeting_decision", (R, ACT), Scope.PARTY),
    (Role.TOWNSHIP_REVIEWER, "bulletin", (R,), Scope.LINE),
    (Role.TOWNSHIP_REVIEWER, "address_entry", (*WRITE, IMPORT), Scope.AREA),
    (Role.TOWNSHIP_REVIEWER, "duty_list", (*WRITE, ACT, IMPORT), Scope.AREA),
    (Role.TOWNSHIP_REVIEWER, "duty_list", (R,), Scope.LINE),
    (Role.TOWNSHIP_REVIEWER, "import_batch", (R, A, E), Scope.AREA),
    (Role.TOWNSHIP_REVIEWER, "agreement", (R,), Scope.AREA),
    (Role.TOWNSHIP_REVIEWER, "resource", (R,), Scope.SHARED),
    (Role.TOWNSHIP_REVIEWER, "need", (*WRITE, ACT, IMPORT), Scope.AREA),
    (Role.TOWNSHIP_REVIEWER, "service_project", (R, A, E, ACT), Scope.SIDE),
    (Role.TOWNSHIP_REVIEWER, "check_in", (R, A, E, ACT), Scope.SIDE),
    #
    (Role.COMMUNITY_STAFF, "ticket", (R, A, E, ACT), Scope.AREA),
    *(
        (Role.COMMUNITY_STAFF, each, (R,), Scope.AREA)
        for each in (*FACTS, "supervision", "recurring_problem", "rating_appeal")
    ),
    (Role.COMMUNITY_STAFF, "bulletin", (R,), Scope.LINE),
    (Role.COMMUNITY_STAFF, "address_entry", (*WRITE, IMPORT), Scope.AREA),
    (Role.COMMUNITY_STAFF, "duty_list", (R,), Scope.LINE),
    (Role.COMMUNITY_STAFF, "agreement", (R,), Scope.AREA),
    (Role.COMMUNITY_STAFF, "resource", (R,), Scope.SHARED),
    (Role.COMMUNITY_STAFF, "need", (*WRITE, ACT, IMPORT), Scope.AREA),
    (Role.COMMUNITY_STAFF, "service_project", (R, A, E, ACT), Scope.SIDE),
    (Role.COMMUNITY_STAFF, "check_in", (R, A, E, ACT), Scope.SIDE),
    (Role.COMMUNITY_STAFF, "import_batch", (R, A, E), Scope.AREA),
    #
    (Role.DEPARTMENT_HANDLER, "ticket", (R, ACT), Scope.PARTY),
    # What a department gave back stays in its own figures, though the ticket is no longer shown to it.
    *((Role.DEPARTMENT_HANDLER, each, (R,), Scope.PARTY) for each in FACTS),
    (Role.DEPARTMENT_HANDLER, "supervision", (R, ACT), Scope.PARTY),
    (Role.DEPARTMENT_HANDLER, "recurring_problem", (R, ACT), Scope.PARTY),
    (Role.DEPARTMENT_HANDLER, "meeting_decision", (R, ACT), Scope.PARTY),
    (Role.DEPARTMENT_HANDLER, "rating_appeal", (R, A, ACT), Scope.PARTY),
    (Role.DEPARTMENT_HANDLER, "bulletin", (R,), Scope.LINE),
    *(
        line
        for role in (Role.DEPARTMENT_HANDLER, Role.UNIT_LIAISON)
        for line in (
            (role, "agreement", (R,), Scope.OWN),
            (role, "resource", (*WRITE, ACT, IMPORT), Scope.OWN),
            (role, "need", (R, ACT), Scope.SHARED),
            (role, "service_project", (R, A, E, ACT), Scope.SIDE),
            (role, "check_in", (R, A, E, ACT), Scope.SIDE),
            (role, "import_batch", (R, A, E), Scope.OWN),
        )
    ),
    #
    (Role.INSPECTOR, "ticket", (R,), Scope.AREA),
    *((Role.INSPECTOR, each, (R,), Scope.AREA) for each in FOLLOW_UP),
    (Role.INSPECTOR, "bulletin", (R,), Scope.LINE),
    (Role.INSPECTOR, "supervision", (A, E, ACT), Scope.AREA),
    (Role.INSPECTOR, "supervision_rule", (R,), Scope.AREA),
    (Role.INSPECTOR, "duty_list", (R,), Scope.AREA),
    (Role.INSPECTOR, "agreement", (R,), Scope.AREA),
    *((Role.INSPECTOR, each, (R,), Scope.AREA) for each in LEDGERS),
    #
    (Role.LEADER, "ticket", (R,), Scope.AREA),
    *((Role.LEADER, each, (R,), Scope.AREA) for each in FOLLOW_UP),
    (Role.LEADER, "bulletin", (R,), Scope.LINE),
    (Role.LEADER, "duty_list", (R,), Scope.AREA),
    (Role.LEADER, "agreement", (R,), Scope.AREA),
    *((Role.LEADER, each, (R,), Scope.AREA) for each in LEDGERS),
    #
    (Role.AUDITOR, "audit_entry", (R,), Scope.AREA),
    # A step is told by its event, and by no line of the audit beside it.
    (Role.AUDITOR, "event", (R,), Scope.AREA),
    #
    *(
        line
        for role in IMPORTERS
        for line in (
            (role, "import_job", (R, A, E, D), Scope.SELF),
            (role, "import_layout", (R, A, E), Scope.OWN),
        )
    ),
)

#: What everybody who is logged in may do, whatever the role.
EVERYBODY: tuple[tuple[str, tuple[Action, ...], Scope], ...] = (
    ("account", (R,), Scope.SELF),
    ("notice", (R, E), Scope.SELF),
    ("notice_preference", (R, A, E), Scope.SELF),
    ("saved_view", WRITE, Scope.SELF),
    ("export_job", WRITE, Scope.SELF),
    ("organization", (R,), Scope.EVERYTHING),
    ("mechanism", (R,), Scope.EVERYTHING),
)


@dataclass(frozen=True)
class Beyond:
    """Figures that count tickets which their reader may not open: whose, by record type and scope.

    ``help`` says which they are.
    """

    record_type: str
    scope: Scope
    help: str


#: Whoever reads such records within such a scope reads these figures. All others count what he may open.
BEYOND: tuple[Beyond, ...] = (
    Beyond(
        "bulletin",
        Scope.LINE,
        help="签发的通报写明全县（市、区）各承办单位、各乡镇的数字和名次，包括看不到的哨单",
    ),
    Beyond(
        "ticket_fact",
        Scope.PARTY,
        help="本部门退回、移交的哨单仍计入本部门的指标，虽然已经看不到",
    ),
)


@cache
def beyond(record_type: str, scope: Scope) -> str:
    """Return what is counted beyond what the reader may open, as the policy grants it; "" if nothing."""
    found = [each.help for each in BEYOND if (each.record_type, each.scope) == (record_type, scope)]
    return found[0] if found else ""


@cache
def scopes(roles: frozenset[Role], record_type: str, action: Action) -> frozenset[Scope]:
    """Return how far people with these roles may do the action to the record type; empty: not."""
    granted = {
        scope
        for role, kind, actions, scope in POLICY
        if role in roles and kind == record_type and action in actions
    }
    granted |= {
        scope for kind, actions, scope in EVERYBODY if kind == record_type and action in actions
    }
    return frozenset(granted)


def allows(roles: Iterable[Role], record_type: str, action: Action) -> bool:
    """Tell whether the roles may do the action to any record of the type at all."""
    return bool(scopes(frozenset(roles), record_type, action))

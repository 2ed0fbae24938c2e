"""The policy against a table written by hand from domain section 7, and who an actor is."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from models.registry import record_types, type_name
from presets.roles import Role as R
from rules import workflow
from rules.actor import NOBODY, SYSTEM, actor_of
from rules.policy import BEYOND, EVERYBODY, POLICY, Action, Scope, allows, beyond, scopes
from tests.factories.world import ACCOUNTS, World

S = Scope
#: Letters as in the policy: Read, Add, Edit, Delete, Act (workflow steps), Import.
LETTERS = {
    "R": Action.READ,
    "A": Action.ADD,
    "E": Action.EDIT,
    "D": Action.DELETE,
    "S": Action.ACT,
    "I": Action.IMPORT,
}
#: The resources, needs, services and check-ins of an area, read only.
LEDGERS_READ = {
    kind: [("R", S.AREA)] for kind in ("resource", "need", "service_project", "check_in")
}
#: A unit's side of the agreements: its resources, claims, services and check-ins.
OF_A_UNIT: dict[str, list[tuple[str, Scope]]] = {
    "agreement": [("R", S.OWN)],
    "resource": [("RAEDSI", S.OWN)],
    "need": [("RS", S.SHARED)],
    "service_project": [("RAES", S.SIDE)],
    "check_in": [("RAES", S.SIDE)],
    "import_batch": [("RAE", S.OWN)],
}
#: What figures are summed from, read by whoever reads figures.
FACTS = ("ticket_fact", "fact_month", "grade_month")
#: What follows the tickets of an area, read only (domain section 8).
FOLLOW_UP_READ = {
    kind: [("R", S.AREA)]
    for kind in (
        *FACTS,
        "supervision",
        "recurring_problem",
        "coordination_meeting",
        "meeting_decision",
        "rating_appeal",
        "bulletin",
    )
}
#: role → record type → [(what, how far)]
BY_HAND: dict[R, dict[str, list[tuple[str, Scope]]]] = {
    R.SYSTEM_ADMINISTRATOR: {
        "organization": [("RAEDI", S.EVERYTHING)],
        "account": [("RAED", S.EVERYTHING)],
        "mechanism": [("RAE", S.EVERYTHING)],
        "whistle_class": [("RAED", S.EVERYTHING)],
        "rating_dimension": [("RAED", S.EVERYTHING)],
        "review_step": [("RAED", S.EVERYTHING)],
        "address_entry": [("RAEDI", S.EVERYTHING)],
        "calendar_override": [("RAEDI", S.EVERYTHING)],
        "agreement": [("RAEDSI", S.EVERYTHING)],
        "letter_template": [("RAED", S.EVERYTHING)],
        "resource": [("RAEDSI", S.EVERYTHING)],
        "need": [("RAEDSI", S.EVERYTHING)],
        "service_project": [("RAEDSI", S.EVERYTHING)],
        "check_in": [("RAEDSI", S.EVERYTHING)],
        "duty_list": [("RAEDSI", S.EVERYTHING)],
        "ticket": [("R", S.EVERYTHING)],
        **{kind: [("R", S.EVERYTHING)] for kind in FOLLOW_UP_READ},
        "supervision_rule": [("RAED", S.EVERYTHING)],
        "bulletin_template": [("RAED", S.EVERYTHING)],
        "notice_robot": [("RAED", S.EVERYTHING)],
        "delivery": [("RE", S.EVERYTHING)],
        "import_batch": [("RAE", S.EVERYTHING)],
        "audit_entry": [("R", S.EVERYTHING)],
        "event": [("R", S.EVERYTHING)],
    },
    R.DISPATCHER: {
        "ticket": [("RS", S.AREA)],
        **{kind: [("R", S.AREA)] for kind in FACTS},
        "supervision": [("RAES", S.AREA)],
        "supervision_rule": [("RAE", S.AREA)],
        "recurring_problem": [("RAES", S.AREA)],
        "coordination_meeting": [("RAEDS", S.AREA)],
        "meeting_decision": [("RAEDS", S.AREA)],
        "rating_appeal": [("RS", S.AREA)],
        "bulletin": [("RAEDS", S.AREA), ("R", S.LINE)],
        "bulletin_template": [("RAED", S.AREA)],
        "notice_robot": [("RAED", S.AREA)],
        "address_entry": [("R", S.AREA)],
        "duty_list": [("R", S.AREA)],
        "agreement": [("R", S.AREA)],
        **LEDGERS_READ,
    },
    R.RETURN_REVIEWER: {"ticket": [("RS", S.AREA)]},
    R.ORGANIZATION_DEPARTMENT: {
        "agreement": [("RAEDSI", S.AREA)],
        "letter_template": [("RAED", S.AREA)],
        "resource": [("RAEDSI", S.AREA)],
        "need": [("RAEDSI", S.AREA)],
        "service_project": [("RAEDSI", S.AREA)],
        "check_in": [("RAEDSI", S.AREA)],
        "import_batch": [("RAE", S.AREA)],
    },
    R.DUTY_LIST_OFFICER: {
        "duty_list": [("RAEDSI", S.AREA)],
        # Names that lists name and nobody goes by become departments and aliases.
        "organization": [("AE", S.AREA)],
        "import_batch": [("RAE", S.AREA)],
    },
    R.TOWNSHIP_REVIEWER: {
        "ticket": [("RAES", S.AREA)],
        **{kind: [("R", S.AREA)] for kind in FACTS},
        "supervision": [("R", S.AREA)],
        "recurring_problem": [("R", S.AREA), ("RS", S.PARTY)],
        "rating_appeal": [("R", S.AREA)],
        "meeting_decision": [("RS", S.PARTY)],
        "bulletin": [("R", S.LINE)],
        "address_entry": [("RAEDI", S.AREA)],
        "duty_list": [("RAEDSI", S.AREA), ("R", S.LINE)],
        "import_batch": [("RAE", S.AREA)],
        "agreement": [("R", S.AREA)],
        "resource": [("R", S.SHARED)],
        "need": [("RAEDSI", S.AREA)],
        "service_project": [("RAES", S.SIDE)],
        "check_in": [("RAES", S.SIDE)],
    },
    R.COMMUNITY_STAFF: {
        "ticket": [("RAES", S.AREA)],
        **{kind: [("R", S.AREA)] for kind in FACTS},
        "supervision": [("R", S.AREA)],
        "recurring_problem": [("R", S.AREA)],
        "rating_appeal": [("R", S.AREA)],
        "bulletin": [("R", S.LINE)],
        "address_entry": [("RAEDI", S.AREA)],
        "duty_list": [("R", S.LINE)],
        "agreement": [("R", S.AREA)],
        "resource": [("R", S.SHARED)],
        "need": [("RAEDSI", S.AREA)],
        "service_project": [("RAES", S.SIDE)],
        "check_in": [("RAES", S.SIDE)],
        "import_batch": [("RAE", S.AREA)],
    },
    R.DEPARTMENT_HANDLER: {
        "ticket": [("RS", S.PARTY)],
        **{kind: [("R", S.PARTY)] for kind in FACTS},
        "supervision": [("RS", S.PARTY)],
        "recurring_problem": [("RS", S.PARTY)],
        "meeting_decision": [("RS", S.PARTY)],
        "rating_appeal": [("RAS", S.PARTY)],
        "bulletin": [("R", S.LINE)],
        **OF_A_UNIT,
    },
    R.UNIT_LIAISON: OF_A_UNIT,
    R.INSPECTOR: {
        "ticket": [("R", S.AREA)],
        **FOLLOW_UP_READ,
        "bulletin": [("R", S.AREA), ("R", S.LINE)],
        "supervision": [("RAES", S.AREA)],
        "supervision_rule": [("R", S.AREA)],
        "duty_list": [("R", S.AREA)],
        "agreement": [("R", S.AREA)],
        **LEDGERS_READ,
    },
    R.LEADER: {
        "ticket": [("R", S.AREA)],
        **FOLLOW_UP_READ,
        "bulletin": [("R", S.AREA), ("R", S.LINE)],
        "duty_list": [("R", S.AREA)],
        "agreement": [("R", S.AREA)],
        **LEDGERS_READ,
    },
    R.AUDITOR: {"audit_entry": [("R", S.AREA)], "event": [("R", S.AREA)]},
}
for _role in (
    R.SYSTEM_ADMINISTRATOR,
    R.ORGANIZATION_DEPARTMENT,
    R.DUTY_LIST_OFFICER,
    R.TOWNSHIP_REVIEWER,
    R.COMMUNITY_STAFF,
    R.DEPARTMENT_HANDLER,
    R.UNIT_LIAISON,
):
    BY_HAND[_role] |= {"import_job": [("RAED", S.SELF)], "import_layout": [("RAE", S.OWN)]}
#: What goes with any account at all: oneself, one's notices, the names of places and mechanisms.
ANYBODY = {
    "account": ("R", S.SELF),
    "notice": ("RE", S.SELF),
    "notice_preference": ("RAE", S.SELF),
    "saved_view": ("RAED", S.SELF),
    "export_job": ("RAED", S.SELF),
    "organization": ("R", S.EVERYTHING),
    "mechanism": ("R", S.EVERYTHING),
}


@pytest.mark.parametrize("role", list(R))
def test_each_role_may_do_what_the_domain_says_and_no_more(role: R) -> None:
    for record_type in record_types():
        for letter, action in LETTERS.items():
            expected = {
                scope for letters, scope in BY_HAND[role].get(record_type, []) if letter in letters
            }
            letters, scope = ANYBODY.get(record_type, ("", S.SELF))
            if letter in letters:
                expected.add(scope)
            found = scopes(frozenset({role}), record_type, action)
            assert found == expected, (record_type, action)
            assert allows([role], record_type, action) is bool(expected)


def test_the_policy_speaks_of_roles_and_record_types_that_exist() -> None:
    assert {role for role, *_rest in POLICY} == set(R)
    assert {kind for _role, kind, *_rest in POLICY} <= set(record_types())
    assert {kind for kind, *_rest in EVERYBODY} <= set(record_types())


def test_inspectors_leaders_and_auditors_only_read() -> None:
    """But for what is their own, and the supervision that an inspector is there for."""
    for role in (R.INSPECTOR, R.LEADER, R.AUDITOR):
        own = {"supervision"} if role is R.INSPECTOR else set()
        for record_type in set(record_types()) - set(ANYBODY) - own:
            for action in set(Action) - {Action.READ}:
                assert not allows([role], record_type, action)


def test_several_roles_reach_as_far_as_all_of_them() -> None:
    both = frozenset({R.COMMUNITY_STAFF, R.DEPARTMENT_HANDLER})
    assert scopes(both, "ticket", Action.READ) == {S.AREA, S.PARTY}
    assert scopes(both, "ticket", Action.ADD) == {S.AREA}
    assert scopes(frozenset(), "ticket", Action.READ) == frozenset()


def test_whoever_takes_a_step_may_act_on_the_record() -> None:
    """A step in the workflow table that the gate would refuse would show a button that fails."""
    for model, table in workflow.workflows().items():
        acting = {role for step in table.steps for role, _relation in step.who}
        allowed = {role for role in R if allows([role], type_name(model), Action.ACT)}
        assert acting == allowed, model


# Who an actor is


def test_figures_beyond_what_the_reader_may_open_are_granted_by_the_table() -> None:
    """Whose figures count more than his own tickets is written down; all others count those alone."""
    granted = {(each.record_type, each.scope) for each in BEYOND}
    assert granted == {("bulletin", S.LINE), ("ticket_fact", S.PARTY)}
    assert all(beyond(*each) for each in granted)
    for role, kind, actions, scope in POLICY:
        if kind in ("ticket_fact", "bulletin") and Action.READ in actions:
            tickets = scopes(frozenset({role}), "ticket", Action.READ)
            assert (kind, scope) in granted or scope in tickets, (role, kind, scope)


@pytest.mark.parametrize(
    ("account", "place", "area"),
    [
        ("community", "A11", "A11"),
        ("township", "A1", "A1"),
        ("office", "A-CSB", "A"),
        ("handler", "A-D1", "A"),
        ("unit", "A-U1", "A"),
        ("party", "A", "A"),
        ("officeb", "B-CSB", "B"),
    ],
)
def test_an_actors_area_is_the_nearest_territory(
    one_world: World, account: str, place: str, area: str
) -> None:
    actor = one_world.actor(account)
    assert actor.organization_id == one_world.place(place).id
    assert actor.area_id == one_world.place(area).id
    assert actor.roles == {ACCOUNTS[account][1]}
    assert actor.organization_name == one_world.place(place).name
    assert not actor.system


def test_a_branch_acts_in_the_township_that_it_is_stationed_in(
    one_session: Session, one_world: World
) -> None:
    account = one_world.account("handler")
    account.organization = one_world.place("A1-PCS")
    one_session.flush()
    assert actor_of(one_session, account).area_id == one_world.place("A1").id


def test_an_account_of_no_place_and_no_role_is_somebody_who_reaches_nothing(
    one_session: Session, one_world: World
) -> None:
    account = one_world.account("handler")
    account.organization, account.roles = None, []
    one_session.flush()
    actor = actor_of(one_session, account)
    assert (actor.organization_id, actor.area_id, actor.organization_name) == (None, None, "")
    assert (actor.user_id, actor.roles, actor.role_titles) == (account.id, frozenset(), [])


def test_a_role_that_the_policy_does_not_know_counts_for_nothing(
    one_session: Session, one_world: World
) -> None:
    account = one_world.account("handler")
    account.roles[0].name = "Public"
    one_session.flush()
    assert actor_of(one_session, account).roles == frozenset()


def test_role_titles_come_in_the_domains_order(one_world: World) -> None:
    actor = one_world.actor("handler")
    assert actor.role_titles == ["接哨员"]
    assert actor.has(R.DISPATCHER, R.DEPARTMENT_HANDLER)
    assert not actor.has(R.DISPATCHER)
    assert (NOBODY.system, SYSTEM.system, SYSTEM.name) == (False, True, "系统")

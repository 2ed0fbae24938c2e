"""What models and views must state of themselves, held against the mapped classes and the views."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask_appbuilder import BaseView, Model
from flask_appbuilder import baseviews as fab
from flask_appbuilder.api import BaseApi
from flask_appbuilder.views import ModelView
from sqlalchemy import inspect

import models.registry
from models.base import Record, Titled
from models.ledger import AuditEntry
from models.scoping import Anchored, Ledger, Parties, Reference, Through
from rules.policy import POLICY, Action
from rules.workflow import workflows
from tests.conftest import Backend
from tests.conventions.source import python_files
from views import permissions
from views.records import RecordView

CHINESE = re.compile(r"[\u4e00-\u9fff]")
#: FAB's own views that stay registered; none of them shows a record.
FABS = {"UtilView", "LocaleView", "LoginView"}


@pytest.fixture(scope="module")
def app(sqlite_backend: Backend) -> Flask:
    return sqlite_backend.app


def ours() -> list[type[Any]]:
    """Return the mapped classes that are not FAB's."""
    found = [mapper.class_ for mapper in Model.registry.mappers]
    return [each for each in found if not each.__module__.startswith("flask_appbuilder")]


def views(app: Flask) -> list[BaseView]:
    """Return the registered views that are not FAB's."""
    found = app.extensions["appbuilder"].baseviews
    return [each for each in found if type(each).__name__ not in FABS]


def record_views(app: Flask) -> list[RecordView]:
    """Return the registered views of records."""
    return [each for each in views(app) if isinstance(each, RecordView)]


def test_every_record_type_states_its_scope_and_its_name() -> None:
    assert len(ours()) > 15
    for each in ours():
        assert isinstance(each.__scope__, Anchored | Through | Parties | Ledger | Reference), each
        assert "__scope__" in vars(each), f"{each.__name__} inherits its scope"
        assert CHINESE.search(each.__label__), each
        assert isinstance(each.__audited__, bool)
    names = [each.__label__ for each in ours()]
    assert len(set(names)) == len(names), "two record types with one name"
    assert set(models.registry.record_types().values()) == set(ours())


def test_scopes_name_columns_and_parents_that_are_there() -> None:
    kinds = models.registry.record_types()
    for each in ours():
        rule, columns = each.__scope__, inspect(each).columns
        if isinstance(rule, Anchored):
            assert rule.columns or rule.user_column
            shared = rule.sharing
            named = (shared.column, *shared.holders) if shared else ()
            for name in (*rule.columns, rule.user_column or "id", *named):
                assert name in columns, f"{each.__name__}.{name}"
            if shared and shared.statuses:
                known = {member.value for member in columns["status"].type.enum_class}
                assert set(shared.statuses) < known, each
            if shared and shared.offers:
                table, key, organization = shared.offers
                assert {key, organization} <= set(inspect(kinds[table]).columns.keys())
        elif isinstance(rule, Through):
            assert rule.column in columns
            assert rule.parent in kinds
            (key,) = columns[rule.column].foreign_keys
            assert key.column.table is kinds[rule.parent].__table__
        elif isinstance(rule, Parties):
            assert rule.raiser_column in columns


def test_records_are_locked_by_version_and_dated() -> None:
    for each in ours():
        if issubclass(each, Record):
            assert inspect(each).version_id_col is not None, each
            assert {"created_at", "updated_at"} <= set(inspect(each).columns.keys())


def test_records_with_pages_have_names(app: Flask) -> None:
    for view in record_views(app):
        if view.model is not AuditEntry:  # titled by the record that it is about
            assert "__str__" in vars(view.model), view.model


def test_the_policy_speaks_of_record_types_that_exist() -> None:
    kinds = models.registry.record_types()
    for role, kind, actions, _scope in POLICY:
        assert kind in kinds, f"{role.value}: {kind}"
        assert actions


def test_enums_carry_their_words() -> None:
    tones = {"muted", "info", "progress", "success", "warning", "danger"}
    found = 0
    for each in ours():
        for column in inspect(each).columns:
            members = getattr(column.type, "enum_class", None)
            for member in members or ():
                found += 1
                assert isinstance(member, Titled)
                assert CHINESE.search(member.title) or member.title.isdigit(), member
                assert member.tone in tones
    assert found > 60


def test_no_view_is_built_on_fab_s_own_crud(app: Flask) -> None:
    crud = (ModelView, fab.BaseCRUDView, fab.BaseModelView, BaseApi)
    for view in app.extensions["appbuilder"].baseviews:
        assert not isinstance(view, crud), view
    for each in python_files("views"):
        for name, line in each.imports():
            wrong = re.search(
                r"\b(ModelView|BaseCRUDView|BaseModelView|ModelRestApi|SQLAInterface)$", name
            )
            assert not wrong, f"{each.path}:{line}"


def test_every_permission_says_what_it_asks_of_the_policy(app: Flask) -> None:
    for view in views(app):
        declared = permissions.demands_of(view.class_permission_name)
        missing = set(view.base_permissions) - set(declared)
        assert not missing, f"{type(view).__name__}: nobody could ever use {missing}"
        for demand in declared.values():
            assert demand is None or demand[0] in models.registry.record_types()


def test_what_needs_no_role_is_known(app: Flask) -> None:
    """Being logged in is enough for these alone."""
    free = {
        f"{type(view).__name__}.{name}"
        for view in views(app)
        for name, demand in permissions.demands_of(view.class_permission_name).items()
        if demand is None and name in view.base_permissions
    }
    assert free == {"WorkbenchView.can_index", "MyPasswordView.can_change"}


def test_every_route_that_writes_asks_for_more_than_reading(app: Flask) -> None:
    writing = (
        "can_add",
        "can_edit",
        "can_delete",
        "can_step",
        "can_undo",
        "can_apply",
        "can_upload",
    )
    for view in views(app):
        for name, demand in permissions.demands_of(view.class_permission_name).items():
            if name in writing and name in view.base_permissions:
                assert demand is not None
                assert demand[1] is not Action.READ, f"{type(view).__name__}.{name}"


def named(view: RecordView) -> Iterator[str]:
    """Yield every name that a view shows in a list, a form, a page, a filter or a search."""
    yield from view.list_columns
    for _title, group in [*view.form_groups, *(view.show_groups or [])]:
        yield from group
    yield from view.filter_columns
    yield from (name.split(".")[0] for name in view.search_columns)


def test_everything_shown_has_a_chinese_label(app: Flask) -> None:
    with app.test_request_context():
        for view in record_views(app):
            for name in named(view):
                if name in view.extra_fields():
                    label = str(view.extra_fields()[name].args[0])
                else:
                    label = view.label(name)
                assert CHINESE.search(label), f"{type(view).__name__}.{name}: {label}"
            for title, _group in [*view.form_groups, *(view.show_groups or [])]:
                assert CHINESE.search(title), type(view).__name__
            for _name, title, _test in view.tabs:
                assert CHINESE.search(title)


def test_lists_are_sorted_by_columns_that_are_never_empty(app: Flask) -> None:
    """A page's cursor is a value: a column that may be empty has none to go on from."""
    for view in record_views(app):
        columns = inspect(view.model).columns
        for name in {*view.order_columns, view.default_order.column}:
            assert not columns[name].nullable, f"{type(view).__name__}.{name}"


def test_searches_and_filters_name_what_is_there(app: Flask) -> None:
    for view in record_views(app):
        mapper = inspect(view.model)
        for name in view.search_columns:
            relation, _dot, column = name.rpartition(".")
            target = mapper.relationships[relation].mapper if relation else mapper
            assert target.columns[column].type.python_type is str, f"{type(view).__name__}.{name}"
        for name in view.filter_columns:
            assert name in mapper.columns or name in mapper.relationships


def test_every_workflow_has_a_page_on_which_to_take_its_steps(app: Flask) -> None:
    by_model = {view.model: view for view in record_views(app)}
    for model in workflows():
        assert "can_step" in by_model[model].base_permissions, model


def test_nobody_reads_the_web_session_s_roles_from_fab() -> None:
    """The policy in memory answers; FAB's permission tables are a copy for its own tools."""
    for each in python_files("views"):
        assert "is_admin" not in each.text, each.path
        assert "AUTH_ROLE" not in each.text, each.path

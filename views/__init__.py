"""Pages: the generated record pages, one short declaration per record type, a few hand-made ones."""

from __future__ import annotations

from flask_appbuilder import AppBuilder


def register_views(appbuilder: AppBuilder) -> None:
    """Register every view; the navigation stands in ``views.layout``."""
    from views.accounts import AccountView, MyPasswordView
    from views.administration import AuditView, CalendarOverrideView, MechanismView, PolicyView
    from views.agreements import AgreementView
    from views.duty_lists import DutyItemView, DutyListView
    from views.import_batches import ImportBatchView
    from views.imports import DutyItemImportView, OrganizationImportView
    from views.organizations import OrganizationView
    from views.tickets import TicketView

    for view in (
        TicketView,
        AgreementView,
        DutyListView,
        DutyItemView,
        OrganizationView,
        OrganizationImportView,
        DutyItemImportView,
        ImportBatchView,
        AccountView,
        MyPasswordView,
        MechanismView,
        CalendarOverrideView,
        PolicyView,
        AuditView,
    ):
        appbuilder.add_view_no_menu(view)

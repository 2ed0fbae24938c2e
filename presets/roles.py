"""The roles of domain section 7. What each may do to what is in ``rules.policy``."""

from __future__ import annotations

from models.base import Titled


class Role(Titled):
    """A role; its value is the name of FAB's role of the same meaning."""

    SYSTEM_ADMINISTRATOR = "system_administrator", "系统管理员"
    DISPATCHER = "dispatcher", "吹哨办"
    RETURN_REVIEWER = "return_reviewer", "退单审核员"
    ORGANIZATION_DEPARTMENT = "organization_department", "组织部门"
    DUTY_LIST_OFFICER = "duty_list_officer", "清单管理员"
    TOWNSHIP_REVIEWER = "township_reviewer", "街乡审核"
    COMMUNITY_STAFF = "community_staff", "社区（网格）吹哨员"
    DEPARTMENT_HANDLER = "department_handler", "接哨员"
    UNIT_LIAISON = "unit_liaison", "驻区单位联络员"
    INSPECTOR = "inspector", "督查"
    LEADER = "leader", "领导"
    AUDITOR = "auditor", "审计员"

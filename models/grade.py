"""How content somebody is: the four grades in which whistles, needs and services are rated."""

from __future__ import annotations

from models.base import Titled


class Grade(Titled):
    """The four grades of a rating (domain section 8)."""

    VERY_SATISFIED = "very_satisfied", "非常满意", "success"
    SATISFIED = "satisfied", "满意", "success"
    FAIR = "fair", "基本满意", "warning"
    DISSATISFIED = "dissatisfied", "不满意", "danger"

"""Who may do what with what follows tickets: figures, orders, problems, meetings, bulletins.

By hand, like ``expectations``, which takes these lines in.
"""

from __future__ import annotations

Lines = dict[str, dict[str, str]]


def _led(letter: str) -> dict[str, str]:
    """Who sees the record of that letter beside t11, t12 and tb: the area, and who has it in hand."""
    two, first, second, other = (f"{letter}11 {letter}12", *(letter + k for k in ("11", "12", "b")))
    return {
        "admin": f"{two} {other}",
        "office inspector leader township": two,
        "community handler double": first,
        "community2": second,
        "officeb townshipb communityb handlerb": other,
        "township2 handler2": "",
    }


def _county(letter: str, *readers: str) -> dict[str, str]:
    """Who sees the record of that letter of each county: its office, administrators, those named."""
    return {
        "admin": f"{letter}A {letter}B",
        " ".join(("office", *readers)): f"{letter}A",
        "officeb": f"{letter}B",
    }


READ: Lines = {
    "supervision": _led("U"),
    "recurring_problem": _led("P"),
    "rating_appeal": _led("E"),
    "supervision_rule": _county("R", "inspector"),
    "coordination_meeting": _county("M", "inspector", "leader"),
    "meeting_decision": {
        **_county("D", "inspector", "leader", "handler", "double"),
        "handlerb": "DB",
        "township township2 townshipb handler2": "",
    },
    "bulletin": {
        "admin": "NA OA NB OB",
        "office inspector leader": "NA OA",
        "township township2 community community2 handler handler2 double": "NA",
        "officeb": "NB OB",
        "townshipb communityb handlerb": "NB",
    },
    "bulletin_template": _county("T"),
    "notice_robot": _county("W"),
    "delivery": {"admin": "QA QB"},
    "event": {"admin": "VA VB", "auditor": "VA", "auditorb": "VB"},
}
#: Point of an agenda → the meeting on whose page it stands.
HANGING = {"IA": "MA", "IB": "MB"}
_OFFICE = {"office inspector": "U11 U12", "officeb": "Ub"}
ADD = {
    "supervision": "office inspector officeb",
    "recurring_problem": "office officeb",
    "supervision_rule": "admin office officeb",
    "coordination_meeting": "office officeb",
    "meeting_decision": "office officeb",
    "bulletin": "office officeb",
    "bulletin_template": "admin office officeb",
    "notice_robot": "admin office officeb",
}
EDIT: Lines = {
    "supervision": _OFFICE,
    "recurring_problem": {"office": "P11 P12", "officeb": "Pb"},
    "supervision_rule": _county("R"),
    "coordination_meeting": {"office": "MA", "officeb": "MB"},
    "meeting_decision": {"office": "DA", "officeb": "DB"},
    "bulletin": {"office": "NA OA", "officeb": "NB OB"},
    "bulletin_template": _county("T"),
    "notice_robot": _county("W"),
}
DELETE: Lines = {
    "supervision_rule": {"admin": "RA RB"},
    "coordination_meeting": EDIT["coordination_meeting"],
    "meeting_decision": EDIT["meeting_decision"],
    "bulletin": EDIT["bulletin"],
    "bulletin_template": EDIT["bulletin_template"],
    "notice_robot": EDIT["notice_robot"],
}
#: Record type → step, input, who takes it on what, and what its state forbids it on.
STEPS: dict[str, tuple[str, dict[str, str], dict[str, str], str]] = {
    "supervision": ("dismiss", {"note": "已经解决"}, _OFFICE, ""),
    "recurring_problem": (
        "drop",
        {"note": "不再发生"},
        {"office": "P11 P12", "officeb": "Pb"},
        "",
    ),
    "coordination_meeting": ("cancel", {"note": "改期"}, EDIT["coordination_meeting"], ""),
    "meeting_decision": ("drop", {"note": "不必了"}, EDIT["meeting_decision"], ""),
    # They are being written: there is nothing to issue yet.
    "bulletin": ("issue", {}, EDIT["bulletin"], "NA OA NB OB"),
    "rating_appeal": ("uphold", {"note": "评价属实"}, {"office": "E11 E12", "officeb": "Eb"}, ""),
}
#: Who reads the figures of an area, and who those of his own department.
FIGURES = (
    "admin office inspector leader township township2 community community2 handler handler2 "
    "double officeb townshipb communityb handlerb"
)
#: Who ranks departments, rather than seeing his own card.
RANKING = "admin office inspector leader officeb"

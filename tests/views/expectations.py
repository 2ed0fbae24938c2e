"""Domain section 7 written out for the stage: who may see and write which of its records.

Written by hand, not derived from ``rules.policy``: that is what it is held against. Names of
records tell their place: 11 and 12 are communities of township A1, 21 one of A2, b stands for the
other county; ``gx`` binds a community of A to a unit of B.
"""

from __future__ import annotations

from tests.views import expectations_follow as follow
from tests.views import expectations_tickets as tickets

Table = dict[str, dict[str, frozenset[str]]]


def names(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


def _table(lines: dict[str, dict[str, str]]) -> Table:
    return {
        kind: {
            account: names(records)
            for accounts, records in rows.items()
            for account in accounts.split()
        }
        for kind, rows in lines.items()
    }


EVERYBODY = tickets.ACCOUNTS


def _sides(letter: str) -> dict[str, str]:
    """Who sees the records of that letter that tie a community to a unit."""
    two, first, second, other = (f"{letter}11 {letter}12", *(letter + k for k in ("11", "12", "b")))
    return {
        "admin": f"{two} {other}",
        "office party inspector leader township": two,
        "community unit": first,
        "community2 unit2": second,
        "officeb partyb townshipb communityb unitb": other,
        "township2 handler handler2 handlerb double": "",
    }


def _kept(letter: str) -> dict[str, str]:
    """Who keeps them: either side, and the organisation department."""
    readers = ("office", "inspector", "leader", "officeb")
    return {
        " ".join(name for name in accounts.split() if name not in readers): records
        for accounts, records in _sides(letter).items()
    }


#: Record type → account → what it sees. An account that is not named does not get the pages at all.
READ = _table(
    {
        "ticket": {
            "admin": "d11 t11 t12 t21 tb",
            "office returns inspector leader": "d11 t11 t12 t21",
            "township": "d11 t11 t12",
            "township2": "t21",
            "community": "d11 t11",
            "community2": "t12",
            "handler double": "t11",
            "handler2": "t11 t21",
            "officeb townshipb communityb handlerb": "tb",
        },
        "agreement": {
            "admin": "g11 e11 g12 g21 gb gx",
            "office party inspector leader": "g11 e11 g12 g21 gx",
            "township": "g11 e11 g12 gx",
            "township2": "g21",
            "community": "g11 e11 gx",
            "community2": "g12",
            "unit": "g11 g21",
            "unit2": "e11 g12",
            "officeb partyb": "gb gx",
            "townshipb communityb": "gb",
            "unitb": "gb gx",
            # A department may be a party to agreements as well.
            "handler handler2 handlerb double": "",
        },
        "duty_list": {
            "admin": "p1 l1 l2 lc lb",
            "office duty inspector leader": "p1 l1 l2 lc",
            "township community community2": "p1 l1 lc",
            "township2": "l2 lc",
            "officeb dutyb townshipb communityb": "lb",
        },
        "duty_item": {
            "admin": "ip1 i1 i2 ic ib",
            "office duty inspector leader": "ip1 i1 i2 ic",
            "township community community2": "ip1 i1 ic",
            "township2": "i2 ic",
            "officeb dutyb townshipb communityb": "ib",
        },
        "import_batch": {
            "admin": "b1 b2 bA bB bO",
            "duty party": "b1 b2 bA",
            "township": "b1",
            "township2": "b2",
            "dutyb partyb townshipb": "bB",
            # They import their own needs and resources, and have no batch yet.
            "community community2 communityb unit unit2 unitb handler handler2 handlerb double": "",
        },
        "import_job": {
            "duty": "jd",
            "township": "jt",
            "dutyb": "jb",
            "admin party partyb township2 townshipb community community2 communityb": "",
            "unit unit2 unitb handler handler2 handlerb double": "",
        },
        "resource": {
            "admin": "r1 r1d r2 rb",
            "office party inspector leader": "r1 r1d r2",
            # Partners of their communities: gx binds A11 to B-U1 as well.
            "township": "r1 r2 rb",
            "community": "r1 rb",
            "community2": "r2",
            "unit": "r1 r1d",
            "unit2": "r2",
            "officeb partyb townshipb communityb unitb": "rb",
            "township2 handler handler2 handlerb double": "",
        },
        "need": {
            "admin": "n11 n11d n12 n21 nb",
            "office party inspector leader": "n11 n11d n12 n21",
            "township": "n11 n11d n12",
            "township2": "n21",
            "community": "n11 n11d",
            "community2": "n12",
            "unit": "n11",
            "unit2": "n12",
            "unitb": "n11 nb",
            "officeb partyb townshipb communityb": "nb",
            "handler handler2 handlerb double": "",
        },
        "service_project": _sides("s"),
        "service_session": _sides("v"),
        "check_in": _sides("k"),
        "check_in_activity": _sides("w"),
        "letter_template": {"admin": "LA LB", "party": "LA", "partyb": "LB"},
        "notice": {
            "community": "y11",
            "unit": "yu",
            "communityb": "yb",
            " ".join(set(EVERYBODY.split()) - {"community", "unit", "communityb"}): "",
        },
        "audit_entry": {"admin": "xA xB", "auditor": "xA", "auditorb": "xB"},
        "account": {"admin": "acA acB"},
        "calendar_override": {"admin": "c1"},
        "mechanism": {EVERYBODY: "mA mB"},
        "organization": {EVERYBODY: "oA11 oB11"},
    }
    | tickets.READ
    | follow.READ
)

#: Marks that an account may meet in pages about other records: the auditor's log names what it is
#: about, and whoever reads a record reads its own changes (xA is one of e11, xB one of gb).
MENTIONS = _table(
    {
        "audit_entry": {
            "auditor": "d11 t11 t12 t21 g11 e11 g12 g21 p1 l1 l2 lc",
            "auditorb": "tb gb lb",
            "office party inspector leader township community unit2": "xA VA",
            "officeb partyb townshipb communityb unitb": "xB VB",
        }
    }
)["audit_entry"]

UNITS = "unit unit2 unitb handler handler2 handlerb double"

#: Record type → accounts that may make one.
ADD = {
    kind: names(accounts)
    for kind, accounts in {
        "ticket": "township township2 community community2 townshipb communityb",
        "agreement": "admin party partyb",
        "duty_list": "admin duty township township2 dutyb townshipb",
        "duty_item": "admin duty township township2 dutyb townshipb",
        "organization": "admin duty dutyb",
        "account": "admin",
        "calendar_override": "admin",
        "resource": f"admin party partyb {UNITS}",
        "letter_template": "admin party partyb",
        "need": "admin party partyb township township2 townshipb community community2 communityb",
        **dict.fromkeys(
            ("service_project", "service_session", "check_in", "check_in_activity"),
            f"admin party partyb {UNITS} township township2 townshipb "
            "community community2 communityb",
        ),
        **tickets.ADD,
        **follow.ADD,
    }.items()
}

#: Record type → account → what it may change while it stands open.
EDIT = _table(
    {
        "ticket": {
            "township": "d11 t11 t12",
            "community": "d11 t11",
            "township2": "t21",
            "community2": "t12",
            "townshipb communityb": "tb",
        },
        "agreement": {
            "admin": "g11 e11 g12 g21 gb gx",
            "party": "g11 e11 g12 g21",
            "partyb": "gb",
        },
        "duty_list": {
            "admin": "p1 l1 l2 lc lb",
            "duty": "p1 l1 l2 lc",
            "township": "p1 l1",
            "township2": "l2",
            "dutyb townshipb": "lb",
        },
        "duty_item": {
            "admin": "ip1 i1 i2 ic ib",
            "duty": "ip1 i1 i2 ic",
            "township": "ip1 i1",
            "township2": "i2",
            "dutyb townshipb": "ib",
        },
        "organization": {"admin": "oA11 oB11", "duty": "oA11", "dutyb": "oB11"},
        "account": {"admin": "acA acB"},
        "calendar_override": {"admin": "c1"},
        "mechanism": {"admin": "mA mB"},
        "resource": {
            "admin": "r1 r1d r2 rb",
            "party": "r1 r1d r2",
            "unit": "r1 r1d",
            "unit2": "r2",
            "partyb unitb": "rb",
            "handler handler2 handlerb double": "",
        },
        "need": {
            "admin": "n11 n11d n12 n21 nb",
            "party": "n11 n11d n12 n21",
            "township": "n11 n11d n12",
            "township2": "n21",
            "community": "n11 n11d",
            "community2": "n12",
            "partyb townshipb communityb": "nb",
        },
        "letter_template": {"admin": "LA LB", "party": "LA", "partyb": "LB"},
        "service_project": _kept("s"),
        "service_session": _kept("v"),
        "check_in": _kept("k"),
        "check_in_activity": _kept("w"),
    }
    | tickets.EDIT
    | follow.EDIT
)
DELETE = {
    kind: EDIT[kind]
    for kind in (
        "agreement",
        "duty_list",
        "duty_item",
        "organization",
        "account",
        "calendar_override",
        "resource",
        "need",
        "service_session",
        "check_in_activity",
        "letter_template",
    )
} | {
    kind: {name: EDIT[kind][name] for name in ("admin", "party", "partyb")}
    for kind in ("service_project", "check_in")
}
DELETE["organization"] = {"admin": EDIT["organization"]["admin"]}
DELETE["import_job"] = READ["import_job"]
DELETE |= _table(tickets.DELETE) | _table(follow.DELETE)
#: Signed, published or blown, or being written: nobody changes these.
LOCKED = names("t11 t12 t21 tb g11 g12 gb gx p1 lc ip1 ic n11 n12 n21 nb NA OA NB OB")
#: Other records refer to these, or they were decided: they cannot be deleted.
DEPENDED = names("oA11 oB11 DA DB")

#: Record type → the step tried on each record: its action, its input, who may take it on what,
#: and on which of those the state forbids it.
STEPS: dict[str, tuple[str, dict[str, str], dict[str, frozenset[str]], frozenset[str]]] = {
    "ticket": (
        "withdraw",
        {"note": "不需要了"},
        _table(
            {
                "ticket": {
                    "township": "d11 t11 t12",
                    "community": "d11 t11",
                    "township2": "t21",
                    "community2": "t12",
                    "townshipb communityb": "tb",
                }
            }
        )["ticket"],
        names("t11 t12 t21 tb"),
    ),
    "agreement": (
        "terminate",
        {"note": "单位迁走"},
        EDIT["agreement"],
        names("e11 g21"),
    ),
    "duty_list": ("publish", {}, EDIT["duty_list"], names("p1 lc")),
    "resource": ("suspend", {"note": "检修"}, EDIT["resource"], names("r1d")),
    "need": ("cancel", {"note": "已解决"}, EDIT["need"], frozenset()),
    "service_project": (
        "cancel",
        {"note": "不办了"},
        {name: rows for name, rows in EDIT["service_project"].items() if name not in UNITS.split()},
        frozenset(),
    ),
    "check_in": ("end", {"note": "调离"}, EDIT["check_in"], frozenset()),
    **{
        kind: (action, data, _table({kind: who})[kind], names(locked))
        for kind, (action, data, who, locked) in follow.STEPS.items()
    },
}

#: Kind of import → accounts that may import.
IMPORT = {
    "OrganizationImportView": frozenset({"admin"}),
    "DutyItemImportView": names("admin duty dutyb township township2 townshipb"),
    "AgreementImportView": names("admin party partyb"),
    "ResourceImportView": names(f"admin party partyb {UNITS}"),
    "NeedImportView": ADD["need"],
    "ServiceProjectImportView": names("admin party partyb"),
    "CheckInImportView": names("admin party partyb"),
    "ServiceSessionImportView": names("admin party partyb"),
    "CheckInActivityImportView": names("admin party partyb"),
    "CalendarOverrideImportView": frozenset({"admin"}),
    "AddressEntryImportView": ADD["address_entry"],
}
#: Record type → whose import page gives its template.
TEMPLATES = {
    "agreement": "AgreementImportView",
    "resource": "ResourceImportView",
    "need": "NeedImportView",
    "service_project": "ServiceProjectImportView",
    "check_in": "CheckInImportView",
    "service_session": "ServiceSessionImportView",
    "check_in_activity": "CheckInActivityImportView",
    "calendar_override": "CalendarOverrideImportView",
    "address_entry": "AddressEntryImportView",
    "organization": "OrganizationImportView",
    "duty_list": "DutyItemImportView",
    "duty_item": "DutyItemImportView",
}
#: Scan → the agreement that it belongs to: whoever reads or keeps the one reads or keeps the other.
SCANS = {"a11": "g11", "a12": "g12", "ab": "gb"}
#: Scan → those who open it: the parties and the organisation department, for numbers stand on it.
READ_SCANS = {
    "a11": names("unit community party"),
    "a12": names("unit2 community2 party"),
    "ab": names("unitb communityb partyb"),
}
#: Whose figures of units are whole, and whose of communities: partners see parts only.
UNIT_FIGURES = names(f"admin office party inspector leader officeb partyb {UNITS}")
COMMUNITY_FIGURES = names(
    "admin office party inspector leader township township2 community community2 "
    "officeb partyb townshipb communityb"
)
#: Who compares the duty lists of townships: whoever looks after an area; a township sees its own.
COMPARING = names("admin office officeb duty dutyb inspector leader township township2 townshipb")
#: Those who look after an area, not just after a side of agreements.
AREA = names(
    "admin office party inspector leader township township2 community community2 "
    "officeb partyb townshipb communityb"
)


def visible(account: str) -> frozenset[str]:
    """Return the records of which the account may see anything."""
    found = {name for rows in READ.values() for name in rows.get(account, ())}
    hanging = SCANS | tickets.HANGING | follow.HANGING
    found |= {each for each, holder in hanging.items() if holder in found}
    return frozenset(found | MENTIONS.get(account, frozenset()))

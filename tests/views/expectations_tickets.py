"""Who may do what with what hangs from tickets, and with what people keep for themselves.

By hand, like ``expectations``, which takes these lines in.
"""

from __future__ import annotations

Lines = dict[str, dict[str, str]]

ACCOUNTS = (
    "admin office returns party duty township township2 community community2 handler handler2 "
    "unit unit2 inspector leader auditor officeb partyb townshipb communityb handlerb dutyb unitb "
    "auditorb double blank"
)
_OTHERS = " ".join(set(ACCOUNTS.split()) - {"community", "communityb"})
_ADDRESSES = {
    "admin": "h11 h12 hb",
    "township": "h11 h12",
    "township2": "",
    "community": "h11",
    "community2": "h12",
    "townshipb communityb": "hb",
}
READ: Lines = {
    "address_entry": _ADDRESSES | {"office": "h11 h12", "officeb": "hb"},
    # Everybody has lists of his own, whatever his role; these two have kept one.
    "saved_view": {"community": "u11", "communityb": "ub", _OTHERS: ""},
    "export_job": {"community": "z11", "communityb": "zb", _OTHERS: ""},
}
ADD = {
    "address_entry": "admin township township2 community community2 townshipb communityb",
    "mechanism": "admin",
}
EDIT: Lines = {"address_entry": _ADDRESSES, "saved_view": READ["saved_view"]}
DELETE: Lines = {
    "address_entry": _ADDRESSES,
    "saved_view": READ["saved_view"],
    "export_job": READ["export_job"],
}
#: Photo or word → the ticket that it hangs from: whoever reads the one reads the other.
HANGING = {"f11": "t11", "f12": "t12", "fb": "tb", "q11": "t11", "q12": "t12", "qb": "tb"}
#: Who takes steps on tickets, and so speaks with the others.
SPEAKERS = (
    "office returns township township2 community community2 handler handler2 double "
    "officeb townshipb communityb handlerb"
)

"""From a view's routes to the policy: which permission of which view means which action on what."""

from __future__ import annotations

from collections.abc import Mapping

from presets.roles import Role
from rules.policy import Action, Scope, allows, scopes

#: What a permission asks of the policy: (record type, action), and within which scopes if not any
#: will do; None: being logged in is enough.
Demand = tuple[str, Action] | tuple[str, Action, frozenset[Scope]] | None

_demands: dict[str, dict[str, Demand]] = {}


def declare(view_name: str, demands: Mapping[str, Demand]) -> None:
    """State what each permission of a view means; a permission not stated is granted to nobody."""
    _demands.setdefault(view_name, {}).update(demands)


def demands_of(view_name: str) -> Mapping[str, Demand]:
    """Return what the permissions of a view mean."""
    return _demands.get(view_name, {})


def allowed(roles: frozenset[Role], permission: str, view_name: str) -> bool:
    """Tell whether people with these roles hold a permission on a view."""
    demands = _demands.get(view_name, {})
    if permission not in demands:
        return False
    demand = demands[permission]
    if demand is None or len(demand) == 2:
        return demand is None or allows(roles, *demand)
    kind, action, enough = demand
    return not scopes(roles, kind, action).isdisjoint(enough)

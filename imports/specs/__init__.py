"""The specs by the name under which they are imported: ``organizations`` and ``duty-items``."""

from __future__ import annotations

from imports.specs.base import Column, Field, Kind, Spec
from imports.specs.duty_items import BASIC, CATALOGUE, COORDINATING, RECLAIMED
from imports.specs.organizations import ORGANIZATIONS

SPECS: dict[str, tuple[Spec, ...]] = {
    "organizations": (ORGANIZATIONS,),
    "duty-items": (BASIC, COORDINATING, RECLAIMED, CATALOGUE),
}

__all__ = ["SPECS", "Column", "Field", "Kind", "Spec"]

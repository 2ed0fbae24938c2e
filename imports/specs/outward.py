"""What a kind of list says of itself to templates and exports, however it is imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import joinedload

from imports.specs.base import Field, Kind, Spec
from models.registry import type_name
from rules.actor import Actor
from rules.personal import value_for


@dataclass(frozen=True)
class Shown:
    """A column that is only exported: its label, and the way to its value, dotted over relations."""

    name: str
    label: str


@dataclass(frozen=True)
class Out:
    """A column of a sheet: its name in the declaration, its heading, and the field it fills."""

    name: str
    label: str
    field: Field | None


@dataclass(frozen=True, eq=False)
class SheetSpec(Spec):
    """A list whose sheets we write too: the one declaration of its template and its export.

    ``order`` are all columns by name, ``shown`` those that are exported only. ``ways`` lead from a
    record to a value that is no attribute of it; ``loading`` names the loader options that they
    need. ``examples`` stand in the template's notes, field by field; ``rows`` are whole rows that
    stand below them. ``notes`` are further sentences there. ``imported``: there is a template and an
    import, not only an export. ``retirable``: what a file lacks may go, if the person asks for it.
    ``titled``: a row above the headings holds the list's title.
    """

    model: type[Any] = field(kw_only=True)
    order: tuple[str, ...] = field(kw_only=True)
    shown: tuple[Shown, ...] = ()
    ways: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    loading: Callable[[], Sequence[Any]] = tuple
    examples: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[Mapping[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    imported: bool = True
    retirable: bool = False
    titled: bool = False

    @property
    def record_type(self) -> str:
        """The record type's name in the policy."""
        return type_name(self.model)

    @property
    def policy_type(self) -> str:
        """The record type whose permissions an import needs: a child's is its parent's."""
        return self.record_type

    def outs(self, *, shown: bool) -> list[Out]:
        """Return the columns in order, with or without those that are only exported.

        A field is headed as the sheet's own column for it, else by its label.
        """
        fields = {each.name: each for each in self.fields}
        labels = {each.name: each.label for each in reversed(self.columns_alone())}
        labels |= {each.name: each.label for each in self.shown}
        return [
            Out(name, labels.get(name) or fields[name].label, fields.get(name))
            for name in self.order
            if shown or name in fields
        ]

    @property
    def heading_row(self) -> int:
        """The row of a sheet's headings."""
        return 2 if self.titled else 1

    @property
    def apart(self) -> frozenset[str]:
        """The columns whose values are no attributes and need loading of their own."""
        return frozenset(self.ways)

    def columns_alone(self) -> list[Shown]:
        """Return the columns that fill one field each, by that field."""
        alone = [each for each in self.columns if len(each.fields) == 1]
        return [Shown(each.fields[0], each.label) for each in alone]

    def loads(self) -> list[Any]:
        """Return loader options for every relation that a column leads over."""
        loads = list(self.loading())
        for name in self.order:
            if name in self.apart:
                continue
            way_to, model = None, self.model
            for part in name.split("."):
                if part not in inspect(model).relationships:
                    break
                attribute = getattr(model, part)
                way_to = joinedload(attribute) if way_to is None else way_to.joinedload(attribute)
                model = attribute.property.mapper.class_
            if way_to is not None:
                loads.append(way_to)
        return loads

    def value(self, actor: Actor, record: Any, name: str) -> Any:
        """Return what a column holds of a record, as the actor reads it."""
        if name in self.ways:
            return self.ways[name](record)
        *way, last = name.split(".")
        for part in way:
            record = getattr(record, part)
        return None if record is None else value_for(actor, record, last)

    def rules(self) -> list[str]:
        """Return what the template's notes say of the list as a whole."""
        key = "、".join(self.field(name).label for name in self.key)
        unless = "，除非导入时选择移除" if self.retirable else ""
        lines = [
            f"按“{key}”对应：已有的更新，没有的新增；文件里没有的不会删除{unless}。"
            "有一处错误，整个文件都不导入。"
        ]
        if any(each.name == "status" for each in self.shown):
            lines.append("“状态”不能导入：新增的从第一个状态开始，以后在页面上逐步办理。")
        shown = [each.label for each in self.shown if each.name != "status"]
        if shown:
            lines.append(f"导出的文件还有“{'、'.join(shown)}”等列，只供查看，导入时不看。")
        if any(each.personal for each in self.fields):
            lines.append("中间几位是 **** 的电话是隐去的，再导入时号码保持不变。")
        return [*lines, *self.notes]

    def example(self, wanted: Field) -> str:
        """Return what a cell of the field might hold."""
        if wanted.name in self.examples:
            return self.examples[wanted.name]
        if wanted.kind in (Kind.ENUM, Kind.CHOICE):
            return next(iter(wanted.choices))
        if wanted.personal:
            return "13800000000"
        return _SAMPLES.get(wanted.kind, "")


_SAMPLES = {
    Kind.DATE: "2026-01-01",
    Kind.TIME: "09:00",
    Kind.INTEGER: "1",
    Kind.DECIMAL: "1.5",
    Kind.FLAG: "否",
}

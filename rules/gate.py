"""The criteria of the gate as one option of a statement, with a cache key that is worked out once."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Integer, bindparam
from sqlalchemy.orm import LoaderCriteriaOption
from sqlalchemy.orm.interfaces import CriteriaOption

#: The whole cache key of criteria → the number that stands for it.
_NUMBERS: dict[Any, int] = {}
_NEXT = itertools.count()


class Criteria:
    """What the gate asks of every record type, made once for all who share it (``rules.stand_ins``)."""

    def __init__(self, criteria: Iterable[tuple[type[Any], ColumnElement[bool]]]) -> None:
        self.options = [
            LoaderCriteriaOption(model, inside, include_aliases=True) for model, inside in criteria
        ]
        self._key: tuple[int, list[BindParameter[Any]]] | None = None

    def key(self, kind: type[Any]) -> tuple[int, list[BindParameter[Any]]]:
        """Return the number that stands for the criteria in a cache key, and their parameters.

        Every statement carries the criteria of all record types, and their keys took two thirds of
        its time. What they are made of is their own, so that their key can be numbered apart from
        the statement's: the same number stands for the same SQL, whatever the values in it.
        """
        if self._key is None:
            # Made apart and put in place whole: several threads may come by at once.
            params: list[BindParameter[Any]] = []
            apart = kind()
            whole = tuple(each._gen_cache_key(apart, params) for each in self.options)
            self._key = _NUMBERS.setdefault(whole, next(_NEXT)), params
        return self._key


class Gate(CriteriaOption):
    """The criteria of all record types as one option of a statement, with one actor's ids.

    Guards joined eager loads as well, yet is not kept by the objects that are loaded. SQLAlchemy
    joins eagerly within a criterion only if it propagates; but then every object would carry the
    criterion of whoever loaded it into its refreshes and lazy loads, whoever the session acts for by
    then. So the statement gets an option that does not propagate, and that hands the compiler
    criteria that do.
    """

    propagate_to_loaders = False

    def __init__(self, criteria: Criteria, ids: Mapping[str, int]) -> None:
        self._criteria = criteria
        self._ids = {key: bindparam(key, number, type_=Integer) for key, number in ids.items()}
        self._key: tuple[str, int] | None = None
        self._params: list[BindParameter[Any]] = []

    def _gen_cache_key(self, anon_map: Any, bindparams: list[BindParameter[Any]]) -> Any:
        """Return the part of a statement's cache key that this is.

        SQLAlchemy takes values from the parameters that go with a key, by their place among them:
        where the criteria have a stand-in's id, it finds the actor's.
        """
        if self._key is None:
            number, params = self._criteria.key(type(anon_map))
            self._params = [self._ids.get(each.key, each) for each in params]
            self._key = ("gate", number)
        bindparams.extend(self._params)
        return self._key

    def process_compile_state(self, compile_state: Any) -> None:
        """Put the criteria where the compiler looks for them."""
        self.get_global_criteria(compile_state.global_attributes)

    def process_compile_state_replaced_entities(
        self, compile_state: Any, mapper_entities: Any
    ) -> None:
        """Hold for ``with_only_columns`` too."""
        self.process_compile_state(compile_state)

    def get_global_criteria(self, attributes: dict[Any, Any]) -> None:
        """Put the criteria where the compiler looks for them."""
        for each in self._criteria.options:
            each.get_global_criteria(attributes)

"""Fills a county with one letter and three lists by bulk inserts (domain section 4, sizes of section 8).

The same seed over the same database, up to the same day, gives the same rows. Records stand where
their workflow could have left them; each carries one step, with which it was entered as it stands.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.building import Size
from bench.matters import SPOTS
from bench.promises import ASKED, GOODS, GRADES, NEEDS, PEOPLE, POSTS, SERVICES, WORKS
from bench.rows import Row, Rows
from models.agreement import Agreement, AgreementKind, AgreementStatus
from models.check_in import CheckIn, CheckInActivity, CheckInStatus
from models.need import Need, NeedSource, NeedStatus, Urgency
from models.organization import Organization, OrganizationKind
from models.resource import Category, Resource, ResourceOffer, ResourceStatus
from models.service import (
    ServiceNeed,
    ServiceProject,
    ServiceResource,
    ServiceSession,
    ServiceStatus,
)
from rules.errors import Invalid

_KINDS = (OrganizationKind.UNIT, OrganizationKind.DEPARTMENT)
#: How far a service has come when the needs that it answers stand there.
_SERVICE_AT = {
    NeedStatus.CLAIMED: ServiceStatus.PLANNED,
    NeedStatus.IN_HAND: ServiceStatus.UNDER_WAY,
    NeedStatus.DONE: ServiceStatus.COMPLETED,
    NeedStatus.RATED: ServiceStatus.RATED,
}
_HELD = (NeedStatus.CLAIMED, NeedStatus.IN_HAND, NeedStatus.DONE, NeedStatus.RATED)


@dataclass(frozen=True)
class County:
    """How much there is in a simulated county."""

    size: Size
    members: int
    needs: int
    services: int
    resources_each: float


#: Published sizes (domain section 8); needs and services are those of the benchmark.
COUNTIES = {
    "wuzhong": County(Size(1, 8, 12, units=980, most=93), 12_800, 20_000, 3_000, 3.0),
    "dawukou": County(Size(1, 6, 11, units=52, most=65), 1_200, 4_000, 600, 4.0),
}


class OneLetter(Rows):
    """Writes the lists of one county. The session must act for the system; never commits.

    Raises ``Invalid`` where there is no community or no unit.
    """

    def __init__(self, session: Session, county: County, seed: int, until: dt.date) -> None:
        super().__init__(session, seed, until)
        self.county = county
        places = select(Organization.id, Organization.kind).where(Organization.active)
        kinds = session.execute(places.order_by(Organization.id)).all()
        self.communities = [id for id, kind in kinds if kind is OrganizationKind.COMMUNITY]
        self.units = [id for id, kind in kinds if kind in _KINDS]
        if not self.communities or not self.units:
            raise Invalid("库里没有村（社区）或驻区单位，请先导入机构。")
        #: unit → the communities of its agreements in force, and the other way round
        self.partners: dict[int, list[int]] = defaultdict(list)
        self.partners_of: dict[int, list[int]] = defaultdict(list)

    def run(self) -> Counter[str]:
        """Write everything and return how many rows each table was given."""
        self._agreements()
        self._resources()
        self._check_ins()
        self._needs()
        self._services()
        return self.write()

    # The letter

    def _agreements(self) -> None:
        """Give nineteen units of twenty some communities; one community in thirty gets none."""
        open_to = self.communities[: max(1, len(self.communities) - len(self.communities) // 30)]
        # With fewer units than communities, each takes on more of them.
        usual = max(1, round(len(open_to) / len(self.units)))
        turn = itertools.cycle(open_to)
        for unit in self.units:
            if self.rng.random() < 0.05:
                continue
            wanted = min(len(open_to), usual + self.rng.choices((0, 1, 2), (65, 25, 10))[0])
            chosen: list[int] = []
            while len(chosen) < wanted:
                community = next(turn)
                if community not in chosen:
                    chosen.append(community)
            for community in chosen:
                self._agreement(community, unit)

    def _agreement(self, community: int, unit: int) -> None:
        status = self._among(
            {
                AgreementStatus.IN_FORCE: 78,
                AgreementStatus.RENEWED: 9,
                AgreementStatus.EXPIRED: 6,
                AgreementStatus.DRAFT: 4,
                AgreementStatus.TERMINATED: 3,
            }
        )
        left = self.rng.randint(1, 700)
        if status in (AgreementStatus.RENEWED, AgreementStatus.EXPIRED):
            left = -self.rng.randint(1, 300)
        elif status is AgreementStatus.IN_FORCE and self.rng.random() < 0.02:
            left = -self.rng.randint(1, 40)
        first = self._letter(community, unit, status, left, None)
        if status is AgreementStatus.RENEWED:
            self._letter(community, unit, AgreementStatus.IN_FORCE, left + 730, first)
            status = AgreementStatus.IN_FORCE
        if status is AgreementStatus.IN_FORCE:
            self.partners[unit].append(community)
            self.partners_of[community].append(unit)

    def _letter(
        self, community: int, unit: int, status: AgreementStatus, left: int, renews: int | None
    ) -> int:
        until = self.until + dt.timedelta(days=left)
        since = until - dt.timedelta(days=730)
        number = self.last.get(Agreement, 0) + 1
        return self._add(
            Agreement,
            since,
            number=f"模拟共建〔{since.year}〕{number}号",
            community_id=community,
            unit_id=unit,
            kind=self._among(dict(zip(AgreementKind, (70, 22, 8), strict=True))),
            status=status,
            signed_on=since,
            valid_from=since,
            valid_until=until,
            objectives="共同服务居民，办好民生实事。",
            unit_liaison=self._person(),
            unit_phone=self._phone(),
            renews_id=renews,
        )

    # The lists

    def _resources(self) -> None:
        self.resources: dict[tuple[int, Category], int] = {}
        kinds = [(category, *each) for category, goods in GOODS.items() for each in goods]
        for unit in self.units:
            wanted = min(len(kinds), int(self.rng.random() * 2 * self.county.resources_each + 0.5))
            for category, name, measure in self.rng.sample(kinds, wanted):
                status = self._among(dict(zip(ResourceStatus, (6, 84, 10), strict=True)))
                number = self._add(
                    Resource,
                    self._day(),
                    owner_id=unit,
                    name=name,
                    category=category,
                    status=status,
                    quantity=self.rng.randint(1, 5),
                    measure=measure,
                    contact=self._person(),
                    phone=self._phone(),
                )
                if status is ResourceStatus.AVAILABLE:
                    self.resources[unit, category] = number
                partners = self.partners[unit]
                if partners and self.rng.random() < 0.15:
                    self._add(
                        ResourceOffer,
                        self.until,
                        resource_id=number,
                        organization_id=self.rng.choice(partners),
                    )

    def _check_ins(self) -> None:
        """Let members report to their unit's communities; two of a name get a number."""
        self.members: dict[tuple[int, int], list[int]] = defaultdict(list)
        seen: Counter[tuple[int, int, str]] = Counter()
        weights = list(itertools.accumulate(self.rng.paretovariate(1.5) for _ in self.units))
        states = dict(zip(CheckInStatus, (5, 62, 12, 15, 2, 4), strict=True))
        for _number in range(self.county.members):
            (unit,) = self.rng.choices(self.units, cum_weights=weights)
            community = self.rng.choice(self.partners[unit] or self.communities)
            name, status, day = self._person(), self._among(states), self._day()
            seen[unit, community, name] += 1
            again = seen[unit, community, name]
            member = self._add(
                CheckIn,
                day,
                member=name if again == 1 else f"{name}{again}",
                unit_id=unit,
                community_id=community,
                status=status,
                post=self.rng.choice(POSTS),
                phone=self._phone(),
                reported_on=None if status is CheckInStatus.REGISTERED else day,
                grade=self._among(GRADES) if status is CheckInStatus.APPRAISED else None,
            )
            if status in (CheckInStatus.REGISTERED, CheckInStatus.DECLINED):
                continue
            self.members[unit, community].append(member)
            self._activities(member, day)

    def _activities(self, member: int, day: dt.date) -> None:
        for _each in range(self.rng.choice((0, 1, 2, 3, 4, 5, 6))):
            held = day + dt.timedelta(days=self.rng.randint(0, max(0, (self.until - day).days)))
            self._add(
                CheckInActivity,
                held,
                check_in_id=member,
                held_on=held,
                hours=self.rng.randint(1, 12) / 2,
                content=self.rng.choice(WORKS),
            )

    def _needs(self) -> None:
        #: (community, unit, status) → needs that a service may answer
        self.held: dict[tuple[int, int, NeedStatus], list[tuple[int, Category, dt.date]]]
        self.held = defaultdict(list)
        weights = list(itertools.accumulate(self.rng.uniform(0.4, 1.6) for _ in self.communities))
        for number in range(self.county.needs):
            (community,) = self.rng.choices(self.communities, cum_weights=weights)
            self._need(community, number)

    def _need(self, community: int, number: int) -> None:
        rng, partners = self.rng, self.partners_of[community]
        status: NeedStatus = self._among(NEEDS)
        if not partners and status in _HELD:
            status = NeedStatus.PUBLISHED
        # What is settled is older than what is still open.
        settled = status in (NeedStatus.RATED, NeedStatus.CANCELLED)
        made = self._day() if settled else self._day(120)
        category, wish = rng.choice(list(Category)), rng.random() < 0.3
        title = f"{rng.choice(SPOTS)}{rng.choice(ASKED[category][wish])}（{number + 1}）"
        row = self._way(community, status, made, wish)
        need = self._add(
            Need,
            made,
            community_id=community,
            title=title,
            category=category,
            is_wish=wish,
            urgency=Urgency.URGENT if rng.random() < 0.08 else Urgency.NORMAL,
            source=rng.choice(list(NeedSource)),
            status=status,
            detail=f"{title}，居民反映较多，希望尽快解决。",
            beneficiaries=rng.choice(PEOPLE),
            beneficiary_count=rng.randint(1, 300),
            contact=self._person(),
            phone=self._phone(),
            **row,
        )
        if status in _HELD and row["check_in_id"] is None:
            key = (community, row["claimed_by_id"], status)
            self.held[key].append((need, category, row["claimed_on"]))

    def _way(self, community: int, status: NeedStatus, made: dt.date, wish: bool) -> Row:
        """Return what a need has gathered on its way to a state."""
        step = max(0, (self.until - made).days)
        published = made + dt.timedelta(days=min(step, self.rng.randint(0, 6)))
        claimed = min(self.until, published + dt.timedelta(days=self.rng.randint(0, 12)))
        done = min(self.until, claimed + dt.timedelta(days=self.rng.randint(2, 45)))
        row: Row = dict.fromkeys(
            ("claimed_by_id", "check_in_id", "claimed_on", "due_on", "done_on", "result", "grade")
        )
        row["published_on"] = None if status is NeedStatus.GATHERED else published
        if status in _HELD:
            unit = self.rng.choice(self.partners_of[community])
            row |= {"claimed_by_id": unit, "claimed_on": claimed}
            row["due_on"] = claimed + dt.timedelta(days=30)
            members = self.members[unit, community]
            if wish and members and self.rng.random() < 0.5:
                row["check_in_id"] = self.rng.choice(members)
        if status in (NeedStatus.DONE, NeedStatus.RATED):
            row |= {"done_on": done, "result": "已办结，居民表示满意。"}
        if status is NeedStatus.RATED:
            row["grade"] = self._among(GRADES)
        return row

    # What brings them together

    def _services(self) -> None:
        """Make projects of one to three needs of a community that one unit holds."""
        groups = list(self._groups())
        self.rng.shuffle(groups)
        for key, needs in groups[: self.county.services]:
            self._service(*key, needs)

    def _groups(
        self,
    ) -> Iterator[tuple[tuple[int, int, NeedStatus], list[tuple[int, Category, dt.date]]]]:
        for key, needs in self.held.items():
            waiting = list(needs)
            while waiting:
                taken = self.rng.choice((1, 1, 2, 3))
                yield key, waiting[:taken]
                waiting = waiting[taken:]

    def _service(
        self,
        community: int,
        unit: int,
        status: NeedStatus,
        needs: list[tuple[int, Category, dt.date]],
    ) -> None:
        rng, (_first, category, begun) = self.rng, needs[0]
        state, length = _SERVICE_AT[status], rng.choice((1, 14, 30, 60))
        ended = min(self.until, begun + dt.timedelta(days=length))
        over = state in (ServiceStatus.COMPLETED, ServiceStatus.RATED)
        number = self._add(
            ServiceProject,
            begun,
            title=f"{SERVICES[category]}（{self.last.get(ServiceProject, 0) + 1}）",
            category=category,
            provider_id=unit,
            community_id=community,
            status=state,
            planned_from=begun,
            planned_until=begun + dt.timedelta(days=length),
            actual_from=None if state is ServiceStatus.PLANNED else begun,
            actual_until=ended if over else None,
            funds=rng.choice((None, 500, 1200, 3000, 8000)),
            people_served=rng.randint(5, 400) if over and rng.random() < 0.7 else None,
            outcome="居民反响良好。" if over else None,
            grade=self._among(GRADES) if state is ServiceStatus.RATED else None,
        )
        for need, _category, _day in needs:
            self._add(ServiceNeed, begun, service_id=number, need_id=need)
        if resource := self.resources.get((unit, category)):
            self._add(ServiceResource, begun, service_id=number, resource_id=resource)
        started = state is not ServiceStatus.PLANNED
        self._sessions(number, begun, begun + dt.timedelta(days=length), started)

    def _sessions(self, service: int, first: dt.date, last: dt.date, started: bool) -> None:
        for turn in range(self.rng.randint(1, 8)):
            held = first + dt.timedelta(days=turn * max(1, (last - first).days // 8))
            begins = self.rng.randint(8, 16)
            self._add(
                ServiceSession,
                held,
                service_id=service,
                held_on=held,
                starts_at=dt.time(begins, self.rng.choice((0, 30))),
                ends_at=dt.time(begins + self.rng.randint(1, 3), 30),
                place="社区活动室",
                expected=self.rng.randint(10, 60),
                attended=self.rng.randint(3, 80) if started and held <= self.until else None,
            )

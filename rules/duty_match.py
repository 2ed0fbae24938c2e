"""Finding the duty item that is meant: everyday words in, items of the place's own lists out (domain 5).

Two things speak for an item. Pairs of characters that its name has in common with what was said, the
rarer the better (the weighting of BM25, over the lists at hand); and official words that are meant by
everyday ones (``presets.everyday_words``). Decision record 0018 has the hit rates.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from models.duty import DutyItem, DutyItemDepartment, DutyList, DutyListStatus, DutyListType
from models.organization import Organization, OrganizationLine
from models.ticket import Verdict
from rules.duty_index import Prepared, frequencies, prepared
from rules.duty_words import Heard, hear
from rules.eligibility import Judgement, judge, surroundings

#: What a meaning weighs whose first piece stands in the name, and how much each later piece less.
MEANT, LATER, LEAST = 10.0, 0.18, 0.45
#: Another meaning in the same item adds less than the first.
FURTHER = 0.35
#: Common pairs can add up to no more than this.
MOST_SAID = 12.0
#: Pairs in the explaining cells count for little: they speak of many things.
TOLD = 0.2
#: Names of papers, where no paper was asked for.
PAPER = 0.35
#: Names of the authority's own rounds, beside a twin that speaks of repairs.
ROUND = 0.97
#: By list: the township's own come before a catalogue, and what may be blown before what may not.
BY_KIND = {
    DutyListType.COORDINATING: 1.0,
    DutyListType.RECLAIMED: 0.95,
    DutyListType.BASIC: 0.95,
    DutyListType.CATALOGUE: 0.85,
}
#: Less than this is chance; and less than this share of the best is not worth a look.
LEAST_SCORE, LEAST_SHARE = 4.0, 0.3
#: Two names are of one matter if they begin alike for so many characters.
ALIKE = 4
#: With which names begin that have nothing else in common.
_LEAD = re.compile("^(?:开展|做好|推进|落实|加强|指导|规范|组织|办理|管理|对|农村|城市)+")


@dataclass(frozen=True)
class Match:
    """An item that may be meant, with what the duty lists say of a whistle by it.

    ``departments``: lead first. ``deadline`` are the list's own words for the time limit, if any.
    """

    item: DutyItem
    list_type: DutyListType
    departments: list[Organization]
    verdict: Verdict
    reason: str
    score: float
    deadline: str | None = None
    may_blow: bool = True


@dataclass(frozen=True)
class _Candidate:
    item_id: int
    name: str
    score: float


def match(
    session: Session,
    organization: Organization,
    text: str,
    limit: int = 5,
    *,
    emergency: bool | None = None,
    local_tried: bool = False,
) -> list[Match]:
    """Return the items that a text may mean, best first, over the published lists of the place.

    Its own township's, county's and city's lists, as far as the session's actor may read them.
    ``emergency``: said to be sudden danger, or not; None judges by the words. Seven statements at
    most, however many items there are, and one more when a list is read for the first time.
    """
    heard = hear(text)
    lists = prepared(session, lists_at(session, organization))
    chosen = _spread(_scored(lists, heard), limit)
    if not chosen:
        return []
    urgent = heard.urgent is not None if emergency is None else emergency
    around = surroundings(session, organization)
    items = _items(session, [each.item_id for each in chosen])
    found = []
    for each in chosen:
        item = items.get(each.item_id)
        if item is None:
            continue
        verdict = judge(
            session,
            organization,
            item,
            emergency=urgent,
            local_tried=local_tried,
            around=around,
        )
        found.append(_match(item, verdict, each.score))
    return found


def sounds_urgent(text: str) -> str | None:
    """Return the word by which a text sounds like sudden danger to life or property, if any."""
    return hear(text).urgent


def lists_at(session: Session, organization: Organization) -> list[DutyList]:
    """Return the published lists that a place uses and the actor may read; one statement."""
    query = (
        select(DutyList)
        .join(OrganizationLine, OrganizationLine.ancestor_id == DutyList.organization_id)
        .where(
            OrganizationLine.organization_id == organization.id,
            DutyList.status == DutyListStatus.PUBLISHED,
        )
        .order_by(DutyList.id)
    )
    return list(session.scalars(query).unique())


def _match(item: DutyItem, judgement: Judgement, score: float) -> Match:
    return Match(
        item=item,
        list_type=item.duty_list.list_type,
        departments=[link.organization for link in item.departments],
        verdict=judgement.verdict,
        reason=judgement.reason,
        score=score,
        deadline=item.time_limit,
        may_blow=judgement.may_blow,
    )


def _items(session: Session, numbers: Iterable[int]) -> dict[int, DutyItem]:
    query = (
        select(DutyItem)
        .where(DutyItem.id.in_(list(numbers)))
        .options(
            joinedload(DutyItem.duty_list).joinedload(DutyList.organization),
            selectinload(DutyItem.departments).joinedload(DutyItemDepartment.organization),
        )
    )
    return {each.id: each for each in session.scalars(query).unique()}


def _scored(lists: list[Prepared], heard: Heard) -> list[_Candidate]:
    counted, total = frequencies(lists, heard.grams)
    rare = {
        gram: math.log(1 + (total - count + 0.5) / (count + 0.5)) for gram, count in counted.items()
    }
    found = []
    for each in lists:
        for at, score in _scores(each, heard, rare).items():
            found.append(_Candidate(each.ids[at], each.names[at], score))
    return sorted(found, key=lambda each: (-each.score, each.item_id))


def _scores(one: Prepared, heard: Heard, rare: dict[str, float]) -> dict[int, float]:
    said: dict[int, float] = defaultdict(float)
    for gram, weight in rare.items():
        for at in one.named.get(gram, ()):
            said[at] += weight
        for at in one.told.get(gram, ()):
            said[at] += weight * TOLD
    meant: dict[int, list[float]] = defaultdict(list)
    for meaning in heard.meanings:
        for at, rank in one.meant.get(meaning.row, ()):
            meant[at].append(max(1 - LATER * rank, LEAST) * MEANT * meaning.strength)
    scores = {}
    for at in {*said, *meant}:
        weights = sorted(meant.get(at, ()), reverse=True)
        score = _together(weights) + MOST_SAID * (1 - math.exp(-said.get(at, 0.0) / MOST_SAID))
        # A short name that has the word is about it; a long one may only mention it.
        score *= BY_KIND[one.kind] / (1 + one.lengths[at] / 120)
        score *= PAPER if at in one.papers and not heard.papers else 1
        scores[at] = score * ROUND if at in one.rounds else score
    return scores


def _together(weights: list[float]) -> float:
    return weights[0] + FURTHER * sum(weights[1:]) if weights else 0.0


def _spread(found: list[_Candidate], limit: int) -> list[_Candidate]:
    """Return the best few, not all of one matter: it stands there twice at most, others once.

    Lists name a matter several times over (its supervision, its repair; a licence's issue, change
    and loss), and five of a kind would leave no room for what was really meant.
    """
    if not found or found[0].score < LEAST_SCORE:
        return []
    least = max(found[0].score * LEAST_SHARE, LEAST_SCORE)
    groups: list[str] = []
    taken: list[_Candidate] = []
    spare: list[_Candidate] = []
    counts: dict[str, int] = defaultdict(int)
    for each in found[: limit * 20]:
        if each.score < least:
            break
        group = next((name for name in groups if _alike(name, each.name)), None)
        if group is None:
            groups.append(group := each.name)
        counts[group] += 1
        if counts[group] <= (2 if group == groups[0] else 1):
            taken.append(each)
        else:
            spare.append(each)
    room = max(limit - len(taken), 0)
    kept = {each.item_id for each in [*taken[:limit], *spare[:room]]}
    return [each for each in found[: limit * 20] if each.item_id in kept][:limit]


def _alike(one: str, other: str) -> bool:
    return _LEAD.sub("", one)[:ALIKE] == _LEAD.sub("", other)[:ALIKE]

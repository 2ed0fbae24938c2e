"""The pages of a county's supervision rule: one a county, its ladder in rows, refused where it must be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from models.supervision import SupervisionRule
from presets.supervision import USUAL
from rules.supervision_rules import stored
from tests.factories.world import World

SeenBy = Callable[[str], FlaskClient]


@pytest.fixture
def world(one_session: Session) -> World:
    return World(one_session)


def rule_data(world: World, **values: str) -> dict[str, str]:
    return {
        "organization": str(world.place("A").id),
        "near_hours": "12",
        "ordinary_hours": "0",
        "ordinary_days": "2",
        "listed_hours": "48",
        "listed_days": "3",
        "interview_hours": "",
        "interview_days": "",
        "again_times": "4",
        "again_days": "60",
        "quiet_from": "21:00",
        "quiet_until": "08:00",
    } | values


def test_a_county_sets_its_rule_once(
    world: World, one_session: Session, as_seen_by: SeenBy
) -> None:
    client = as_seen_by("office")
    assert "甲县" in client.get("/supervision-rules/add").text
    assert client.post("/supervision-rules/add", data=rule_data(world)).status_code == 302
    assert client.post("/supervision-rules/add", data=rule_data(world)).status_code == 422
    (rule,) = one_session.query(SupervisionRule).all()
    assert rule.ladder == [
        {"hours": 0, "kind": "ordinary", "days": 2},
        {"hours": 48, "kind": "listed", "days": 3},
    ]
    assert (rule.near_hours, rule.again_times, rule.again_days) == (12, 4, 60)
    page = client.get(f"/supervision-rules/show/{rule.id}").text
    assert "超期 48 小时挂牌督办，3 天整改" in page
    assert "60 天内 4 次" in page


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"listed_days": ""}, "listed_days"),
        ({"listed_hours": ""}, "listed_hours"),
        ({"listed_hours": "0"}, "listed_hours"),
        ({"ordinary_days": "0"}, "ordinary_days"),
        ({"near_hours": "0"}, "near_hours"),
        ({"near_hours": ""}, "near_hours"),
        ({"again_times": "1"}, "again_times"),
        ({"quiet_from": "25:00"}, "quiet_from"),
        ({"quiet_until": "晚上"}, "quiet_until"),
        ({f"{kind}_{each}": "" for kind in ("ordinary", "listed") for each in ("hours", "days")}, "ordinary_hours"),
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused_at_its_field(
    world: World, one_session: Session, as_seen_by: SeenBy, values: dict[str, str], field: str
) -> None:
    answer = as_seen_by("office").post("/supervision-rules/add", data=rule_data(world, **values))
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert one_session.query(SupervisionRule).count() == 0


def test_who_sets_rules(world: World, one_session: Session, as_seen_by: SeenBy) -> None:
    for county in ("A", "B"):
        place = world.place(county)
        one_session.add(SupervisionRule(organization=place, ladder=stored(USUAL.ladder)))
    one_session.flush()
    rules = {each.organization.code: each.id for each in one_session.query(SupervisionRule)}
    for who, own, other in (("office", 200, 404), ("inspector", 403, 403), ("leader", 403, 403)):
        client = as_seen_by(who)
        assert client.get(f"/supervision-rules/edit/{rules['A']}").status_code == own, who
        assert client.get(f"/supervision-rules/edit/{rules['B']}").status_code == other, who
    assert as_seen_by("inspector").get(f"/supervision-rules/show/{rules['A']}").status_code == 200
    assert as_seen_by("admin").get(f"/supervision-rules/edit/{rules['B']}").status_code == 200


def test_a_changed_ladder_is_told_in_words(
    world: World, one_session: Session, as_seen_by: SeenBy
) -> None:
    rule = SupervisionRule(organization=world.place("A"), ladder=stored(USUAL.ladder))
    one_session.add(rule)
    one_session.flush()
    client = as_seen_by("office")
    data = rule_data(world, version=str(rule.version))
    assert client.post(f"/supervision-rules/edit/{rule.id}", data=data).status_code == 302
    page = client.get(f"/supervision-rules/show/{rule.id}").text
    assert "超期 168 小时约谈，7 天整改" in page

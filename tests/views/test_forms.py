"""Forms that are refused: a sentence at the field, and nothing of what was typed is lost."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from models.agreement import Agreement
from rules.actor import SYSTEM, acting_as
from tests.factories.world import World
from tests.views.pages import HtmlForm, errors_of, record_form, step_forms
from tests.views.stage import Stage, Watch, mark

#: (account, form, what an empty form must say)
EMPTY = [
    ("party", "/agreements/add", ["协议编号", "甲方", "乙方", "生效日期", "到期日期"]),
    ("community", "/tickets/add", ["标题", "情况说明"]),
    ("duty", "/duty-lists/add", ["所属地区"]),
    ("duty", "/duty-items/add", ["所属清单", "事项名称"]),
    ("admin", "/organizations/add", ["机构代码", "机构名称"]),
    ("admin", "/accounts/add", ["账号", "姓名"]),
    ("admin", "/calendar/add", ["日期"]),
]
SENTENCE = r"请(?:填写|选择)[^。]*{label}[^。]*。"


def said_at(html: str, name: str) -> str:
    """Return what the page says is wrong with one field."""
    found = re.search(rf'id="{name}-error">(.*?)</p>', html, re.S)
    return unescape(re.sub(r"<[^>]+>", "", found[1])).strip() if found else ""


@pytest.mark.parametrize(("account", "path", "labels"), EMPTY)
def test_what_is_required(
    stage: Stage, watch: Watch, account: str, path: str, labels: list[str]
) -> None:
    client = stage.client(account)
    client.get(path)
    watch.written()
    answer = client.post(path, data={})
    assert answer.status_code == 422
    said = errors_of(answer.text)
    for label in labels:
        assert re.search(SENTENCE.format(label=label), said), f"{label}: {said}"
    assert "aria-invalid" in answer.text
    assert 'role="alert"' in answer.text
    assert not watch.written()


#: (account, form, field, greatest length)
LENGTHS = [
    ("party", "/agreements/add", "number", 64),
    ("party", "/agreements/add", "unit_phone", 40),
    ("party", "/agreements/add", "objectives", 5000),
    ("community", "/tickets/add", "title", 200),
    ("community", "/tickets/add", "detail", 5000),
    ("duty", "/duty-lists/add", "title", 200),
    ("duty", "/duty-items/add", "name", 300),
    ("admin", "/organizations/add", "name", 100),
    ("admin", "/organizations/add", "remarks", 500),
    ("admin", "/accounts/add", "username", 64),
    ("admin", "/calendar/add", "note", 100),
]


@pytest.mark.parametrize(("account", "path", "field", "most"), LENGTHS)
def test_what_is_too_long(
    stage: Stage, watch: Watch, account: str, path: str, field: str, most: int
) -> None:
    client = stage.client(account)
    watch.written()
    text = "字" * (most + 1)
    answer = client.post(path, data={field: text})
    assert answer.status_code == 422
    assert f"最多 {most} 字" in said_at(answer.text, field)
    assert record_form(answer.text).data()[field] == [text]
    fits = client.post(path, data={field: "字" * most})
    assert said_at(fits.text, field) == ""
    assert not watch.written()


@pytest.fixture
def ids(stage: Stage) -> dict[str, int]:
    with stage.session() as session, acting_as(session, SYSTEM):
        world = World(session)
        return {code: world.place(code).id for code in ("A11", "A12", "A-U1", "A-U2", "A-D1")}


def agreement(ids: dict[str, int], **changes: Any) -> dict[str, Any]:
    """Return a good agreement's fields, with some changed."""
    return {
        "number": "示党共建〔2026〕1号",
        "kind": "co_building",
        "community": ids["A12"],
        "unit": ids["A-U1"],
        "signed_on": "2026-01-01",
        "valid_from": "2026-02-01",
        "valid_until": "2027-02-01",
        "objectives": "第一行\n第二行",
        "unit_liaison": "<b>张三</b>",
    } | changes


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"valid_until": "2026-02-01"}, "valid_until", "到期日期应晚于生效日期"),
        ({"valid_until": "2025-12-31"}, "valid_until", "到期日期应晚于生效日期"),
        ({"signed_on": "2027-02-02"}, "signed_on", "签订日期不应晚于到期日期"),
        ({"valid_from": "2026-02-30"}, "valid_from", "日期"),
        ({"valid_from": "明天"}, "valid_from", "日期"),
        ({"kind": "friendship"}, "kind", "选择"),
        ({"kind": ""}, "kind", "选择"),
        ({"unit": "987654"}, "unit", "所选的记录不存在"),
    ],
)
def test_wrong_values_are_named_at_their_field(
    stage: Stage,
    watch: Watch,
    ids: dict[str, int],
    changes: dict[str, str],
    field: str,
    sentence: str,
) -> None:
    client = stage.client("party")
    watch.written()
    posted = agreement(ids, **changes)
    answer = client.post("/agreements/add", data=posted)
    assert answer.status_code == 422
    assert sentence in said_at(answer.text, field)
    assert re.search(r"[\u4e00-\u9fff]", said_at(answer.text, field))
    kept = record_form(answer.text).data()
    for name in ("number", "unit_liaison", "community", "signed_on"):
        assert kept[name] == [str(posted[name])], name
    assert kept["objectives"][0].replace("\r\n", "\n") == posted["objectives"]
    assert not watch.written()


def test_what_was_typed_as_a_date_is_still_there(
    stage: Stage, watch: Watch, ids: dict[str, int]
) -> None:
    data = agreement(ids, valid_from="明天")
    answer = stage.client("party").post("/agreements/add", data=data)
    assert record_form(answer.text).data()["valid_from"] == ["明天"]


def test_a_side_of_the_wrong_kind(stage: Stage, watch: Watch, ids: dict[str, int]) -> None:
    """The select box offers communities for 甲方 only; a posted department is as good as none."""
    client = stage.client("party")
    answer = client.post("/agreements/add", data=agreement(ids, community=ids["A-D1"]))
    assert answer.status_code == 422
    assert said_at(answer.text, "community")
    offered = client.get("/agreements/options/community").json["results"]
    assert {each["text"] for each in offered} == {"甲一一社区", "甲一二社区", "甲二一社区"}


@pytest.mark.parametrize("number", [mark("e11"), mark("gb")])
def test_a_number_that_is_taken(
    stage: Stage, watch: Watch, ids: dict[str, int], number: str
) -> None:
    """The database refuses it, in words; also if the other agreement is hidden from the actor."""
    client = stage.client("party")
    watch.written()
    answer = client.post("/agreements/add", data=agreement(ids, number=f"协议{number}"))
    assert answer.status_code == 422
    assert "重复" in errors_of(answer.text)
    assert record_form(answer.text).data()["unit_liaison"] == ["<b>张三</b>"]
    assert not watch.written()


def test_texts_come_back_as_they_were_typed(
    stage: Stage, watch: Watch, ids: dict[str, int]
) -> None:
    client = stage.client("party")
    text = "  <script>alert('1')</script> & “引号” \\ %s {{ 7*7 }}  "
    answer = client.post("/agreements/add", data=agreement(ids, objectives=text))
    assert answer.status_code == 302
    page = client.get(answer.headers["Location"]).text
    assert "<script>alert" not in page
    assert "{{ 7*7 }}" in page
    pk = answer.headers["Location"].rsplit("/", 1)[1]
    form = record_form(client.get(f"/agreements/edit/{pk}").text)
    assert form.data()["objectives"] == [text.strip()]


def test_an_alias_that_is_another_s_name(stage: Stage, watch: Watch) -> None:
    client = stage.client("admin")
    path = f"/organizations/edit/{stage.id('oA11')}"
    form = record_form(client.get(path).text)
    watch.written()
    for aliases, other in (("甲县执法局", "甲县执法局"), ("东关，住建局", "甲县住建局")):
        answer = client.post(path, data=form.data(aliases=aliases))
        assert answer.status_code == 422
        said = errors_of(answer.text)
        assert "重复" in said
        assert other in said
        assert record_form(answer.text).data()["aliases"] == [aliases]
    for name in ("甲县执法局", "住建局"):
        answer = client.post(path, data=form.data(name=name))
        assert answer.status_code == 422
        assert "重复" in said_at(answer.text, "name")
    assert not watch.written()
    answer = client.post(path, data=form.data(aliases="东关社区、东关，东关"))
    assert answer.status_code == 302
    again = record_form(client.get(path).text).data()
    assert again["aliases"] == ["东关社区、东关"]
    answer = client.post(path, data=form.data(aliases="乙县住建局", version=again["version"][0]))
    assert answer.status_code == 302, "another county's name is free here"


def test_a_place_hangs_where_it_may(stage: Stage, watch: Watch, ids: dict[str, int]) -> None:
    client = stage.client("admin")
    path = f"/organizations/edit/{stage.id('oA11')}"
    form = record_form(client.get(path).text)
    watch.written()
    for parent in (stage.id("oA11"), ids["A12"], ids["A-D1"], ""):
        answer = client.post(path, data=form.data(parent=parent))
        assert answer.status_code == 422
        assert said_at(answer.text, "parent").endswith("。")
    assert not watch.written()


def delete(stage: Stage, account: str, path: str) -> Any:
    return stage.client(account).post(path)


def test_a_deletion_names_what_depends_on_it(stage: Stage, watch: Watch) -> None:
    watch.written()
    answer = delete(stage, "admin", f"/organizations/delete/{stage.id('oA11')}")
    assert answer.status_code == 409
    said = errors_of(answer.text)
    assert "不能删除" in said
    for label in ("3 条共驻共建协议", "2 条哨单", "组织机构", "用户"):
        assert label in said, said
    assert not watch.written()


def test_a_deletion_does_not_tell_of_what_is_hidden(stage: Stage, watch: Watch) -> None:
    with stage.session() as session, acting_as(session, SYSTEM):
        hidden = session.get_one(Agreement, stage.id("gb"))
        hidden.renews_id = stage.id("e11")
        session.commit()
    watch.written()
    answer = delete(stage, "party", f"/agreements/delete/{stage.id('e11')}")
    assert answer.status_code == 409
    said = errors_of(answer.text)
    assert "其他记录" in said
    assert not re.search(r"\d+ 条", said)
    assert mark("gb") not in answer.text
    assert not watch.written()


def test_a_deletion_is_done_and_told(stage: Stage, watch: Watch) -> None:
    client = stage.client("party")
    answer = client.post(f"/agreements/delete/{stage.id('e11')}", follow_redirects=True)
    assert answer.request.path == "/agreements/list/"
    assert f"已删除“协议{mark('e11')}”" in answer.text
    assert client.get(f"/agreements/show/{stage.id('e11')}").status_code == 404
    assert client.post(f"/agreements/delete/{stage.id('e11')}").status_code == 404


def test_a_link_deletes_nothing(stage: Stage, watch: Watch) -> None:
    watch.written()
    for path in (f"/agreements/delete/{stage.id('e11')}", f"/tickets/step/{stage.id('d11')}/raise"):
        assert stage.client("party").get(path).status_code == 405
    assert not watch.written()


@pytest.mark.parametrize(
    ("account", "name", "path", "why"),
    [
        ("community", "t11", "/tickets", "已吹哨，不能再修改"),
        ("party", "g11", "/agreements", "不能再修改或删除"),
        ("duty", "p1", "/duty-lists", "不能再修改"),
        ("duty", "ip1", "/duty-items", "不能再修改"),
    ],
)
def test_what_is_signed_stays(
    stage: Stage, watch: Watch, account: str, name: str, path: str, why: str
) -> None:
    client = stage.client(account)
    page = client.get(f"{path}/show/{stage.id(name)}").text
    assert f"{path}/edit/" not in page
    assert f"{path}/delete/" not in page
    for method in ("get", "post"):
        answer = getattr(client, method)(f"{path}/edit/{stage.id(name)}")
        assert answer.status_code == 409
        assert why in errors_of(answer.text)


def test_a_step_without_its_input(stage: Stage, watch: Watch) -> None:
    client = stage.client("community")
    path = f"/tickets/step/{stage.id('d11')}/withdraw"
    watch.written()
    answer = client.post(path, data={"note": "  "})
    assert answer.status_code == 422
    assert "请填写" in errors_of(answer.text)
    answer = client.post(path, data={"note": "字" * 2001})
    assert answer.status_code == 422
    assert "最多 2000 字" in errors_of(answer.text)
    assert "字" * 2001 in answer.text, "what was typed is lost"
    assert not watch.written()


def test_a_step_that_the_state_forbids(stage: Stage, watch: Watch) -> None:
    client = stage.client("community")
    watch.written()
    typed = {"note": "路灯已经\n自己亮了", "seen_status": "pending_review"}
    answer = client.post(f"/tickets/step/{stage.id('t11')}/withdraw", data=typed)
    assert answer.status_code == 409
    said = errors_of(answer.text)
    for part in ("现在是“待应哨”", "甲县吹哨办", "派单", "不能再办理“撤哨”"):
        assert part in said
    assert "自己亮了" in answer.text, "what was typed is lost"
    assert not watch.written()


def test_a_step_on_what_has_moved_on(stage: Stage, watch: Watch) -> None:
    """The page still showed the draft when somebody else raised it."""
    first, second = stage.client("community"), stage.client("township")
    show = f"/tickets/show/{stage.id('d11')}"
    forms: dict[str, HtmlForm] = step_forms(first.get(show).text)
    assert second.post(forms["raise"].action, data=forms["raise"].data()).status_code == 302
    watch.written()
    answer = first.post(forms["withdraw"].action, data=forms["withdraw"].data(note="重复了"))
    assert answer.status_code == 409
    assert "现在是“待派单”" in errors_of(answer.text)
    assert "重复了" in answer.text
    assert not watch.written()


def test_steps_that_are_none(stage: Stage, watch: Watch) -> None:
    client = stage.client("community")
    for action in ("fly", "create", "__init__", "supersede"):
        answer = client.post(f"/tickets/step/{stage.id('d11')}/{action}")
        assert answer.status_code == 404
    duty = stage.client("duty")
    assert duty.post(f"/duty-lists/step/{stage.id('p1')}/supersede").status_code == 404
    assert not watch.touched()

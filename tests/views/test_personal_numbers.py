"""Personal telephone numbers: whole for the parties and the organisation department, masked else."""

from __future__ import annotations

import pytest

from models.registry import record_types
from rules.actor import SYSTEM, acting_as
from rules.personal import personal_fields
from tests.views import expectations as due
from tests.views.pages import record_form, row_ids, text_of
from tests.views.stage import PEOPLE, Stage, Watch, phone
from tests.views.test_scope_matrix import reads

#: Record with a number → the accounts that read it whole: its parties and the county's department.
WHOLE = {
    "r1": "unit party",
    "r1d": "unit party",
    "r2": "unit2 party",
    "rb": "unitb partyb",
    "n11": "community party",
    "n11d": "community party",
    "n12": "community2 party",
    "n21": "party",
    "nb": "communityb partyb",
    "s11": "unit community party",
    "s12": "unit2 community2 party",
    "sb": "unitb communityb partyb",
    "k11": "unit community party",
    "k12": "unit2 community2 party",
    "kb": "unitb communityb partyb",
}


@pytest.mark.parametrize("account", PEOPLE)
def test_no_page_shows_a_number_whole_to_others(stage: Stage, account: str) -> None:
    client, shown = stage.client(account), set()
    for attempt in reads(stage, account):
        answer = client.open(attempt.path, method="GET", buffered=True)
        text = text_of(answer)
        shown |= {name for name in WHOLE if phone(name) in text}
    assert shown == {name for name, readers in WHOLE.items() if account in readers.split()}


def test_somebody_reads_the_mask(stage: Stage) -> None:
    """Otherwise the numbers might just not be there."""
    page = stage.client("leader").get(f"/needs/show/{stage.id('n11')}").text
    assert "138****-zpp" in page
    assert "138****-zpp" in stage.client("admin").get(f"/resources/show/{stage.id('r1')}").text


def test_whoever_sees_the_mask_does_not_write_it_back(stage: Stage, watch: Watch) -> None:
    for name, path in (("r1", "resources"), ("n11d", "needs"), ("s11", "services")):
        kind, pk = stage.records[name]
        client = stage.client("admin")
        form = record_form(client.get(f"/{path}/edit/{pk}").text)
        assert "phone" not in form.names
        text = "description" if name == "r1" else "detail" if name == "n11d" else "content"
        answer = client.post(
            f"/{path}/edit/{pk}", data=form.data(**{text: "改过", "phone": "138****-zpp"})
        )
        assert answer.status_code == 302
        with stage.session() as session, acting_as(session, SYSTEM):
            assert session.get_one(record_types()[kind], pk).phone == phone(name)
    assert watch.touched()


def test_nothing_is_searched_sorted_or_filtered_by_a_number(stage: Stage) -> None:
    views = [v for v in stage.app.extensions["appbuilder"].baseviews if hasattr(v, "list_columns")]
    asked = 0
    for view in views:
        hidden = personal_fields(view.model)
        names = [*view.search_columns, *view.filter_columns, *view.order_columns]
        asked += len(hidden)
        assert not hidden & {name.split(".")[-1] for name in names}, view
    assert asked >= 6
    for name in WHOLE:
        kind = stage.records[name][0]
        assert due.READ[kind]["admin"]
        page = stage.client("admin").get(f"/needs/list/?q={phone(name)}").text
        assert row_ids(page) == []

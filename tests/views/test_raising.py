"""Raising: photos survive a refusal, positions are both degrees or none, and what may be chosen."""

from __future__ import annotations

import io
import re
from html import unescape
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.address import AddressEntry
from models.mechanism import Mechanism
from models.ticket import TicketStatus
from models.ticket_file import PhotoMoment, TicketPhoto
from tests.factories.photos import photo, with_gps
from tests.factories.world import World
from tests.views.pages import errors_of, record_form
from tests.views.raising import Clients, filled, number_of, send, tickets
from tests.views.test_forms import said_at


@pytest.fixture
def world(one_session: Session) -> World:
    """The seeded world, as the clients see it."""
    return World(one_session)


def test_photos_are_attached_with_the_whistle(as_seen_by: Clients, one_session: Session) -> None:
    client = as_seen_by("community")
    files = (("a.jpg", with_gps()), ("b.png", photo("red", kind="PNG")))
    answer = send(client, filled(client) | {"submit_action": "raise"}, *files)
    (ticket,) = tickets(one_session)
    assert number_of(answer) == ticket.id
    assert ticket.status is not TicketStatus.DRAFT
    assert [(each.moment, each.uploaded_by) for each in ticket.photos] == [
        (PhotoMoment.BEFORE, "community")
    ] * 2
    assert [(each.width, each.height) for each in ticket.photos] == [(300, 400), (60, 40)]


def test_photos_are_sent_to_who_reads_the_ticket_and_nobody_else(
    as_seen_by: Clients, one_session: Session
) -> None:
    client = as_seen_by("community")
    send(client, filled(client), ("a.jpg", with_gps((1000, 500))))
    pk = one_session.scalars(select(TicketPhoto.id)).one()
    for route, size in (("photo", (500, 1000)), ("thumb", (160, 320))):
        answer = client.get(f"/tickets/{route}/{pk}")
        assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
        with Image.open(io.BytesIO(answer.data)) as sent:
            assert sent.size == size
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        cached = answer.headers["Cache-Control"]
        assert "private" in cached
        assert "public" not in cached
        etag = answer.headers["ETag"]
        again = client.get(f"/tickets/{route}/{pk}", headers={"If-None-Match": etag})
        assert again.status_code == 304
        assert as_seen_by("township").get(f"/tickets/{route}/{pk}").status_code == 200
        for stranger in ("community2", "communityb", "township2", "handler"):
            seen = as_seen_by(stranger).get(
                f"/tickets/{route}/{pk}", headers={"If-None-Match": etag}
            )
            assert seen.status_code == 404, stranger
        assert client.get(f"/tickets/{route}/{pk + 1}").status_code == 404
        assert client.get(f"/tickets/{route}/99999999999999").status_code == 404


def test_a_refusal_keeps_the_photos(as_seen_by: Clients, one_session: Session) -> None:
    """What was sent once is named by the server, not sent again, and may be taken out."""
    client = as_seen_by("community")
    files = [(f"{n}.jpg", photo((n * 20, 9, 9))) for n in range(3)]
    answer = send(client, filled(client, title=""), *files)
    assert answer.status_code == 422
    assert "“标题”" in errors_of(answer.text)
    again = record_form(answer.text).data(title="路灯不亮")
    assert len(again["pictures"]) == 3
    shown = [unescape(each) for each in re.findall(r'src="(/tickets/prepared/[^"]+)"', answer.text)]
    assert len(shown) == 3
    assert client.get(shown[0]).mimetype == "image/jpeg"
    assert as_seen_by("community2").get(shown[0]).status_code == 404
    answer = send(client, again | {"pictures": again["pictures"][1:]}, ("3.jpg", photo("blue")))
    assert answer.status_code == 302
    assert len(tickets(one_session)[0].photos) == 3


def test_a_photo_that_is_none_is_named_and_the_others_stay(
    as_seen_by: Clients, one_session: Session
) -> None:
    client = as_seen_by("community")
    answer = send(client, filled(client), ("好.jpg", photo()), ("坏.jpg", b"MZ" + b"\x00" * 600))
    assert answer.status_code == 422
    assert "“坏.jpg”不是照片，内容是程序" in said_at(answer.text, "pictures")
    assert len(record_form(answer.text).data()["pictures"]) == 1
    assert not tickets(one_session)


def test_more_than_ten(as_seen_by: Clients, one_session: Session) -> None:
    client = as_seen_by("community")
    files = [(f"第{n}张.jpg", photo((n * 20, 9, 9))) for n in range(12)]
    answer = send(client, filled(client), *files)
    assert answer.status_code == 422
    said = said_at(answer.text, "pictures")
    assert "最多 10 张，多出的 2 张没有收下：“第10张.jpg”、“第11张.jpg”" in said
    answer = send(client, record_form(answer.text).data())
    assert answer.status_code == 302
    assert len(tickets(one_session)[0].photos) == 10


@pytest.mark.parametrize(
    "token", ["", "x", '["a"]', "WzEsMl0.abc.def", "../../secret_key", "a" * 64]
)
def test_hashes_are_not_trusted(token: str, as_seen_by: Clients, one_session: Session) -> None:
    """A photo is named by what the server signed for this person, never by a posted hash."""
    client = as_seen_by("community")
    answer = send(client, filled(client) | {"pictures": [token]})
    if token:
        assert answer.status_code == 422
        assert "已失效，请重新选择" in said_at(answer.text, "pictures")
        assert client.get(f"/tickets/prepared/{token}").status_code == 404
    assert one_session.scalar(select(func.count(TicketPhoto.id))) == 0


def test_another_persons_photo_cannot_be_named(as_seen_by: Clients, one_session: Session) -> None:
    mine = as_seen_by("community")
    page = send(mine, filled(mine, title=""), ("a.jpg", photo())).text
    token = record_form(page).data()["pictures"]
    other = as_seen_by("community2")
    answer = send(other, filled(other) | {"pictures": token})
    assert answer.status_code == 422
    assert not tickets(one_session)


def test_a_drafts_photos_are_edited(as_seen_by: Clients, one_session: Session) -> None:
    client = as_seen_by("community")
    files = [(f"{n}.jpg", photo((n * 20, 9, 9))) for n in range(3)]
    number = number_of(send(client, filled(client), *files))
    before = [each.file_hash for each in tickets(one_session)[0].photos]
    page = client.get(f"/tickets/edit/{number}").text
    form = record_form(page).data(title="路灯全不亮")
    assert len(form["pictures"]) == 3
    posted = form | {"pictures": [*form["pictures"][1:], (io.BytesIO(photo("pink")), "4.jpg")]}
    assert client.post(f"/tickets/edit/{number}", data=posted).status_code == 302
    (ticket,) = tickets(one_session)
    assert ticket.title == "路灯全不亮"
    assert [each.file_hash for each in ticket.photos][:2] == before[1:]
    assert len(ticket.photos) == 3


# Where it is


@pytest.mark.parametrize(
    ("latitude", "longitude", "field", "said"),
    [
        ("38.5", "", "longitude", "还缺经度"),
        ("", "106.2", "latitude", "还缺纬度"),
        ("91", "106.2", "latitude", "纬度应在 -90 到 90 之间"),
        ("38.5", "-180.5", "longitude", "经度应在 -180 到 180 之间"),
        ("nan", "106.2", "latitude", "纬度应在"),
        ("inf", "106.2", "latitude", "纬度应在"),
        ("北纬三十八", "106.2", "latitude", "不是"),
    ],
)
def test_degrees_that_are_no_place(
    latitude: str, longitude: str, field: str, said: str, as_seen_by: Clients, one_session: Session
) -> None:
    client = as_seen_by("community")
    answer = send(client, filled(client, latitude=latitude, longitude=longitude))
    assert answer.status_code == 422
    assert said in said_at(answer.text, field)
    assert 'class="raise-more unfolded"' in answer.text
    assert not tickets(one_session)


def test_degrees_are_kept_to_a_tenth_of_a_metre(as_seen_by: Clients, one_session: Session) -> None:
    client = as_seen_by("community")
    send(client, filled(client, latitude="38.48720049", longitude="-0.5"))
    (ticket,) = tickets(one_session)
    assert (ticket.latitude, ticket.longitude) == (38.4872, -0.5)


@pytest.fixture
def book(world: World) -> dict[str, AddressEntry]:
    """Entries of two communities of one township, and of one in another county."""
    entries = {
        "mine": AddressEntry(
            community=world.place("A11"), name="幸福里 3 号楼", latitude=38.1, longitude=106.1
        ),
        "bare": AddressEntry(community=world.place("A11"), name="东门口"),
        "sister": AddressEntry(community=world.place("A12"), name="幸福里 9 号楼"),
        "far": AddressEntry(community=world.place("B11"), name="幸福里 1 号楼"),
    }
    world.session.add_all(entries.values())
    world.session.flush()
    return entries


def test_the_address_book_fills_in_what_is_missing(
    book: dict[str, AddressEntry], as_seen_by: Clients, one_session: Session
) -> None:
    client = as_seen_by("community")
    send(client, filled(client, place=book["mine"].id))
    send(client, filled(client, place=book["mine"].id, address="楼后空地"))
    here = {"latitude": "38.2", "longitude": "106.2"}
    send(client, filled(client, place=book["mine"].id, **here))
    send(client, filled(client, place=book["bare"].id))
    found = [(each.address, each.latitude, each.longitude) for each in tickets(one_session)]
    assert found == [
        ("幸福里 3 号楼", 38.1, 106.1),
        ("楼后空地", 38.1, 106.1),
        ("幸福里 3 号楼", 38.2, 106.2),
        ("东门口", None, None),
    ]


def test_each_chooses_from_the_books_of_his_area(
    book: dict[str, AddressEntry], as_seen_by: Clients, one_session: Session
) -> None:
    def offered(who: str) -> list[str]:
        said: Any = as_seen_by(who).get("/tickets/places?q=幸福里").json
        return [each["text"] for each in said["results"]]

    assert offered("community") == ["幸福里 3 号楼"]
    assert offered("township") == ["幸福里 3 号楼（甲一一社区）", "幸福里 9 号楼（甲一二社区）"]
    assert offered("communityb") == ["幸福里 1 号楼"]
    assert as_seen_by("handler").get("/tickets/places").status_code == 403
    client = as_seen_by("community")
    answer = send(client, filled(client, place=book["far"].id))
    assert answer.status_code == 422
    assert "所选的记录不存在" in said_at(answer.text, "place")
    assert not tickets(one_session)


# Choosing


def test_an_ordinary_whistle_unless_one_says_otherwise(as_seen_by: Clients, world: World) -> None:
    usual = str(world.whistle_class("ordinary").id)
    assert filled(as_seen_by("community"))["whistle_class"] == [usual]


def test_the_grid_route_offers_to_deal_with_it_first(
    as_seen_by: Clients, one_session: Session, world: World
) -> None:
    button = 'value="hold_locally"'
    mechanism = one_session.scalars(
        select(Mechanism).where(Mechanism.organization_id == world.place("A").id)
    ).one()
    mechanism.grid_route = False
    assert button not in as_seen_by("community").get("/tickets/add").text
    mechanism.grid_route = True
    client = as_seen_by("community")
    assert button in client.get("/tickets/add").text
    answer = send(client, filled(client) | {"submit_action": "hold_locally"})
    assert answer.status_code == 302
    (ticket,) = tickets(one_session)
    assert ticket.status is TicketStatus.LOCAL

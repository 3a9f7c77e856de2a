"""The pages on which people connect accounts: whose link it is, what is said before, which browser comes back, and what is ended."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from doorward.credentials.connections.connection import EVERY_AGENT, OWN
from doorward.domain.reasons import Refused
from doorward.serving.authority.visits import QUESTION_SECONDS, VISIT_SECONDS
from tests.credentials.connections.world import ALICE, AS, BOB, UPSTREAM
from tests.serving.authority.made import read, token
from tests.serving.connections.made import Browser, House

pytestmark = pytest.mark.anyio

EVIL = "<script>alert(1)</script>"


@pytest.fixture
async def house() -> House:
    return await House().open()


@pytest.fixture
def alice(house: House) -> Browser:
    return Browser(house)


async def test_a_person_signs_in_reads_what_it_is_about_connects_and_is_told(house: House, alice: Browser) -> None:
    page = await alice.look(house.link())
    text = read(page).text
    for said in ("crm.example.com", "as.example.com", "read", "alice", "which asked for it", "claude"):
        assert said in text, said
    away = await alice.press(page)
    url = urlsplit(away.headers["location"])
    assert f"{url.scheme}://{url.netloc}" == AS
    sent = dict(parse_qsl(url.query))
    assert sent["redirect_uri"] == f"{house.public}/connections/callback"
    done = await alice.comes_back(away, "alices")
    assert (done.status, "is connected" in read(done).text, "alices" in read(done).text) == (200, True, True)
    assert [(agent, status) for agent, _, status in house.accounts()] == [(EVERY_AGENT, "working")]
    assert await house.inner.who(ALICE) == "alices"


async def test_everybody_elses_link_is_one_that_leads_nowhere(house: House) -> None:
    bob = Browser(house)
    seen, unknown = await bob.look(house.link(), "bob"), await bob.look("/connect/ffff", "bob")
    assert (seen.status, seen.raw) == (404, unknown.raw)
    assert "crm" not in read(seen).text


async def test_for_one_agent_alone_where_the_person_says_so(house: House, alice: Browser) -> None:
    await alice.connects(house.link(agent="desk"), agents="one", account="work")
    await alice.connects(house.link(agent="claude"), account="home")
    assert sorted(agent for agent, _, _ in house.accounts()) == ["*", "desk"]
    assert (await house.inner.who(ALICE, "desk"), await house.inner.who(ALICE, "claude")) == ("work", "home")


async def test_no_agent_can_be_chosen_that_has_not_asked(house: House, alice: Browser) -> None:
    page = await alice.look(f"/connect/to/{UPSTREAM}?agent=mallory")
    assert "mallory" not in read(page).text
    await alice.comes_back(await alice.press(page, agents="one"), "a")
    assert [agent for agent, _, _ in house.accounts()] == [EVERY_AGENT]


async def test_a_question_is_answered_once_by_the_browser_that_was_asked_and_in_time(house: House, alice: Browser) -> None:
    page = await alice.look(house.link())
    other = Browser(house)
    await other.look("/connections", "alice")
    assert (await other.post("/connect/begin", {"question": token(page)})).status == 403
    assert (await alice.press(page)).status == 303
    assert (await alice.press(page)).status == 403
    late = await alice.look(house.link())
    house.clock.at += QUESTION_SECONDS
    assert (await alice.press(late)).status == 403
    assert (await alice.post("/connect/begin", {"question": token(late)}, origin="https://evil.example")).status == 403
    assert (await alice.post("/connect/begin", {})).status == 403
    assert house.accounts() == []


async def test_a_token_of_another_page_answers_no_question(house: House, alice: Browser) -> None:
    await house.connect(ALICE, "alices", agent="desk")
    listed = await alice.look("/connections")
    page = await alice.look(house.link())
    assert (await alice.post("/connections/revoke", {"question": token(page)})).status == 403
    assert (await alice.press(page)).status == 403
    assert (await alice.post("/connect/begin", {"question": token(listed)})).status == 403


async def test_what_was_begun_in_one_browser_is_finished_in_no_other(house: House, alice: Browser) -> None:
    """Login CSRF, CVE-2026-27124: the person at the other browser would use the account of whoever began."""
    away = await alice.press(await alice.look(house.link()))
    back = f"/connections/callback?{urlencode(house.service.authorize(away.headers['location'], 'mallory'))}"
    victim = Browser(house)
    await victim.look("/connections", "alice")
    assert (await victim.get(back)).status == 400
    assert house.accounts() == []
    assert (await alice.get(back)).status == 200
    assert (await alice.get(back)).status == 400


async def test_who_has_signed_in_as_another_meanwhile_connects_nothing(house: House, alice: Browser) -> None:
    away = await alice.press(await alice.look(house.link()))
    await alice.post("/oauth/signout", {})
    await alice.look("/connections", "bob")
    assert (await alice.comes_back(away, "a")).status == 400
    assert (house.accounts(), house.accounts(BOB)) == ([], [])


async def test_who_is_signed_out_meanwhile_connects_nothing(house: House, alice: Browser) -> None:
    await alice.look("/connections")
    house.clock.at += VISIT_SECONDS - 300
    away = await alice.press(await alice.look(house.link()))
    house.clock.at += 301
    assert (await alice.comes_back(away, "a")).status == 403
    assert house.accounts() == []


async def test_who_has_no_access_here_sees_and_connects_nothing(house: House, alice: Browser) -> None:
    page = await alice.look(house.link())
    house.strangers.add("corp:alice")
    for answer in (await alice.look(house.link()), await alice.press(page), await alice.look("/connections")):
        assert (answer.status, "no access" in read(answer).text) == (403, True)


async def test_who_is_stopped_is_told_that_nothing_can_be_connected(house: House, alice: Browser) -> None:
    page = await alice.look(house.link())
    house.inner.barred.add(ALICE)
    answer = await alice.press(page)
    assert (answer.status, "cannot connect anything" in read(answer).text) == (403, True)


async def test_a_service_that_says_no_or_is_away_connects_nothing_and_says_so(house: House, alice: Browser) -> None:
    away = await alice.press(await alice.look(house.link()))
    state = dict(parse_qsl(urlsplit(away.headers["location"]).query))["state"]
    no = await alice.get(f"/connections/callback?{urlencode({'state': state, 'error': 'access_denied', 'iss': AS})}")
    assert (no.status, "did not connect" in read(no).text) == (403, True)
    assert house.accounts() == []


async def test_a_service_that_is_away_is_said_before_anybody_is_sent_there(alice: Browser, house: House) -> None:
    house.service.is_down = True
    page = await alice.look(house.link())
    assert (page.status, "could not be used" in read(page).text) == (503, True)
    assert (await alice.look("/connect/to/nowhere")).status == 404


async def test_a_person_sees_their_own_and_nobody_elses_and_ends_one(house: House, alice: Browser) -> None:
    await house.connect(ALICE, "alices")
    await house.connect(BOB, "bobs")
    (his,) = house.connections.of(BOB)
    listed = await alice.look("/connections")
    assert str(his.id) not in listed.raw.decode()
    assert (await alice.post("/connections/revoke", {"question": token(listed), "connection": his.id})).status == 303
    assert house.accounts(BOB) != []
    (mine,) = house.connections.of(ALICE)
    again = await alice.look("/connections")
    assert (await alice.post("/connections/revoke", {"question": token(again), "connection": mine.id})).status == 303
    assert house.accounts() == []
    assert (await alice.post("/connections/revoke", {"question": token(again), "connection": mine.id})).status == 403
    assert house.inner.events()[-1] == "connection_revoked"
    assert house.inner.told[-1].by == "veiled(corp:alice)"


async def test_a_broken_one_says_so_and_is_connected_again_in_its_place(house: House, alice: Browser) -> None:
    await house.connect(ALICE, "alices", agent="desk")
    house.service.families.clear()
    house.service.access.clear()
    house.inner.later(3600)
    with pytest.raises(Refused):
        await house.inner.shown(ALICE, "desk")
    assert [status for _, _, status in house.accounts()] == ["broken"]
    listed = read(await alice.look("/connections"))
    assert "does not work any more" in listed.text
    again = next(attributes["href"] for tag, attributes in listed.elements if tag == "a" and "agent=" in attributes["href"])
    page = await alice.look(again)
    assert "for desk alone" in read(page).text
    await alice.comes_back(await alice.press(page), "alices")
    assert [(agent, status) for agent, _, status in house.accounts()] == [("desk", "working")]


async def test_outside_text_is_shown_as_text(house: House, alice: Browser) -> None:
    house.service.grants = EVIL
    await house.connect(ALICE, "alices")
    page = await alice.look("/connections")
    assert "<script" not in page.raw.decode()
    assert EVIL in read(page).text


async def test_the_gateways_own_account_is_connected_by_a_link_once_and_by_nobody_signed_in(house: House) -> None:
    browser = Browser(house)
    link = f"/connect/own/{house.own_links.make(UPSTREAM)}"
    page = await browser.get(link)
    assert (page.status, "for the gateway itself" in read(page).text) == (200, True)
    away = await browser.press(page)
    assert (await Browser(house).press(page)).status == 404
    done = await browser.comes_back(away, "robot")
    assert (done.status, house.looked) == (200, [UPSTREAM])
    assert [status for _, _, status in house.accounts(OWN)] == ["working"]
    assert (await browser.get(link)).status == 404
    late = f"/connect/own/{house.own_links.make(UPSTREAM)}"
    house.clock.at += 600
    assert (await browser.get(late)).status == 404


async def test_every_page_forbids_scripts_frames_and_forms_elsewhere(house: House, alice: Browser) -> None:
    await house.connect(ALICE, "alices")
    link = house.link(BOB)
    bob = Browser(house)
    pages = [await alice.look("/connections"), await bob.look(link, "bob"), await bob.connects(link, "bob")]
    for page in pages:
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-frame-options"] == "DENY"
    assert [page.headers["content-security-policy"].rpartition("form-action ")[2] for page in pages] == [
        "'self'",
        "'self' https:",
        "'none'",
    ]


async def test_the_client_document_is_there_where_there_is_one(house: House) -> None:
    browser = Browser(house)
    assert (await browser.get("/connections/client.json")).status == 404
    house.inner.document = f"{house.public}/connections/client.json"
    answer = await browser.get("/connections/client.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json["client_id"] == house.inner.document

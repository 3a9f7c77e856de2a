"""Requests that do not go on, people who are not let in, and the end of a visit."""

import pytest

from doorward.identity.authority.port import OAuthError
from tests.serving.authority.made import IDP, Browser, House, authorize, back, heading, read

pytestmark = pytest.mark.anyio


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def alice(house: House) -> Browser:
    return Browser(house)


class TestRefused:
    async def test_unknown_client_gets_a_page_and_no_redirect(self, house: House, alice: Browser) -> None:
        answer = await alice.get("/oauth/authorize?client_id=x&redirect_uri=https://evil.example/")
        assert (answer.status, "location" in answer.headers) == (400, False)
        assert "evil.example" not in answer.raw.decode()
        assert (house.sign_in.began, alice.cookies) == (0, {})

    async def test_error_that_belongs_to_the_client_goes_there(self, house: House, alice: Browser) -> None:
        house.authority.fails = OAuthError("invalid_scope", "no", redirect="https://client.example/back?error=invalid_scope")
        answer = await alice.get(authorize())
        assert (answer.status, answer.headers["location"]) == (303, "https://client.example/back?error=invalid_scope")

    @pytest.mark.parametrize("twice", ["client_id=a", "state=1&state=2", "redirect_uri=a&redirect_uri=", "x=%zz", "x=%ff", "x=\xe9"])
    async def test_request_that_can_be_read_in_two_ways_is_refused(self, house: House, alice: Browser, twice: str) -> None:
        answer = await alice.get(f"{authorize()}&{twice}")
        assert (answer.status, house.sign_in.began) == (400, 0)

    async def test_answer_of_the_provider_with_two_states_is_refused(self, house: House, alice: Browser) -> None:
        sent = await alice.get(authorize())
        answer = await alice.get(back(sent.headers["location"], code="alice") + "&state=other")
        assert (answer.status, house.sign_in.finished) == (400, 0)

    async def test_person_without_access_is_told_so_and_can_sign_out(self, house: House, alice: Browser) -> None:
        house.strangers.add("corp:alice")
        page = await alice.connect()
        assert (page.status, heading(page)) == (403, "You have no access here")
        assert "Alice (corp:alice)" in read(page).text
        assert (await alice.post("/oauth/signout", {})).status == 200
        house.strangers.clear()
        assert (await alice.connect()).status == 200

    async def test_person_who_lost_access_while_being_asked_gives_no_consent(self, house: House, alice: Browser) -> None:
        page = await alice.connect()
        house.strangers.add("corp:alice")
        assert (await alice.answer(page, "allow")).status == 403
        assert (house.authority.granted_to, await house.consents.of("corp:alice")) == ([], ())

    async def test_remembered_consent_opens_nothing_for_who_lost_access(self, house: House, alice: Browser) -> None:
        await alice.answer(await alice.connect(), "allow")
        house.strangers.add("corp:alice")
        assert (await alice.connect()).status == 403

    async def test_provider_that_lets_nobody_in_is_said_plainly(self, house: House, alice: Browser) -> None:
        sent = await alice.get(authorize())
        answer = await alice.get(back(sent.headers["location"], error="access_denied"))
        assert (answer.status, heading(answer)) == (403, "You could not be signed in")
        assert "The sign-in did not fit together." in read(answer).text
        assert alice.cookies == {}

    async def test_provider_that_is_down_is_said_plainly(self, house: House, alice: Browser) -> None:
        house.sign_in.fails = True
        assert (await alice.get(authorize())).status == 503

    async def test_consent_that_cannot_be_recorded_gives_nothing_out(self, house: House, alice: Browser) -> None:
        page = await alice.connect()
        house.told.broken = True
        assert (await alice.answer(page, "allow")).status == 503
        assert (house.authority.granted_to, await house.consents.of("corp:alice")) == ([], ())

    async def test_authority_may_still_refuse_after_the_consent(self, house: House, alice: Browser) -> None:
        page = await alice.connect()
        house.authority.fails = OAuthError("access_denied", "no agent", redirect="https://client.example/back?error=access_denied")
        assert (await alice.answer(page, "allow")).headers["location"] == "https://client.example/back?error=access_denied"


class TestSignOut:
    async def test_signing_out_ends_the_visit_and_its_questions(self, house: House, alice: Browser) -> None:
        page = await alice.connect()
        stolen = dict(alice.cookies)
        answer = await alice.post("/oauth/signout", {})
        assert (answer.status, alice.cookies, house.told.types[-1]) == (200, {}, "person_signed_out")
        assert (await Browser(house, stolen).answer(page, "allow")).status == 403
        assert (await Browser(house, stolen).get(authorize())).headers["location"].startswith(IDP)

    async def test_other_sites_sign_nobody_out(self, house: House, alice: Browser) -> None:
        await alice.connect()
        assert (await alice.post("/oauth/signout", {}, "https://evil.example")).status == 403
        assert (await alice.connect()).status == 200
        assert house.sign_in.began == 1

"""The way of a browser from a client's request back to the client; and every way round it that must not be one."""

import pytest
from msgspec.structs import replace

from doorward.domain.receipts import Event
from doorward.identity.authority.port import Asked, Origin
from doorward.serving.authority.visits import QUESTION_SECONDS, VISIT_SECONDS
from tests.serving.authority.made import (
    ASKED,
    IDP,
    LOCAL,
    PUBLIC,
    REMEMBERED_SECONDS,
    Browser,
    House,
    authorize,
    back,
    heading,
    token,
)

pytestmark = pytest.mark.anyio

CODE = f"https://client.example/back?code=c1&state=s1&iss={PUBLIC}"


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def alice(house: House) -> Browser:
    return Browser(house)


def knows(house: House, *asked: Asked) -> None:
    house.authority.known = {one.client_id: one for one in (ASKED, *asked)}


async def test_person_signs_in_consents_and_goes_back_with_a_code(house: House, alice: Browser) -> None:
    page = await alice.connect()
    assert (page.status, heading(page)) == (200, "Let “<bdi>Claude</bdi>” act for you at mcp.example.com?")
    assert house.authority.granted_to == []
    answer = await alice.answer(page, "allow")
    assert (answer.status, answer.headers["location"]) == (303, CODE)
    assert house.authority.granted_to == [(ASKED, "corp:alice")]
    fields = {
        "subject": "veiled(corp:alice)",
        "client": "https://client.example/id.json",
        "client_name": "Claude",
        "redirect": "client.example",
        "resource": f"{PUBLIC}/mcp",
        "scope": "mcp:git mcp:read",
    }
    assert house.told.events == [
        Event("person_signed_in", "doorward", {"subject": "veiled(corp:alice)"}),
        Event("consent_given", "doorward", fields),
    ]


async def test_person_who_refuses_goes_back_without_a_code(house: House, alice: Browser) -> None:
    answer = await alice.answer(await alice.connect(), "deny")
    assert answer.headers["location"] == f"https://client.example/back?error=access_denied&state=s1&iss={PUBLIC}"
    assert (house.authority.granted_to, house.told.types) == ([], ["person_signed_in", "consent_refused"])
    assert heading(await alice.connect()).startswith("Let ")


async def test_refused_question_is_asked_again(alice: Browser) -> None:
    await alice.answer(await alice.connect(), "deny")
    assert (await alice.connect()).status == 200


async def test_second_client_needs_no_second_sign_in_but_its_own_consent(house: House, alice: Browser) -> None:
    other = replace(ASKED, client_id="other", client_name="Other", origin=Origin.REGISTERED)
    knows(house, other)
    await alice.answer(await alice.connect(), "allow")
    page = await alice.connect(asked=other)
    assert (page.status, house.sign_in.began) == (200, 1)
    assert "Other" in heading(page)


async def test_sign_in_is_good_for_half_an_hour(house: House, alice: Browser) -> None:
    await alice.connect()
    house.clock.at += VISIT_SECONDS - 1
    await alice.connect()
    assert house.sign_in.began == 1
    house.clock.at += 1
    await alice.connect()
    assert house.sign_in.began == 2


class TestConsentBelongsToOneBrowser:
    """CVE-2026-27124: a consent, or a sign-in, that one browser began must be worth nothing in another one."""

    async def test_question_put_to_one_browser_is_not_answered_by_another(self, house: House, alice: Browser) -> None:
        mallory = Browser(house)
        question = await mallory.connect("mallory")
        await alice.connect()
        answer = await alice.answer(question, "allow")
        assert (answer.status, heading(answer)) == (403, "This question is not open")
        assert house.authority.granted_to == []

    async def test_answer_without_a_signed_in_browser_is_refused(self, house: House, alice: Browser) -> None:
        question = await alice.connect()
        answer = await Browser(house).answer(question, "allow")
        assert (answer.status, house.authority.granted_to) == (403, [])

    async def test_sign_in_begun_in_one_browser_does_not_end_in_another(self, house: House, alice: Browser) -> None:
        mallory = Browser(house)
        sent = await mallory.get(authorize())
        answer = await alice.get(back(sent.headers["location"], code="alice"))
        assert (answer.status, heading(answer)) == (400, "This browser has not begun this sign-in")
        assert (alice.cookies, house.sign_in.finished) == ({}, 0)

    async def test_sign_in_of_another_person_is_not_taken_over_by_a_state(self, house: House, alice: Browser) -> None:
        """Login CSRF: Mallory's own answer of the provider, opened in Alice's browser while she signs in."""
        await alice.get(authorize())
        sent = await Browser(house).get(authorize())
        answer = await alice.get(back(sent.headers["location"], code="mallory"))
        assert (answer.status, house.sign_in.finished) == (400, 0)

    async def test_sealed_sign_in_under_another_name_is_nothing(self, house: House, alice: Browser) -> None:
        first, second = await alice.get(authorize()), await alice.get(authorize())
        names = list(alice.cookies)
        alice.cookies[names[1]] = alice.cookies[names[0]]
        assert (await alice.get(back(second.headers["location"], code="alice"))).status == 400
        assert (await alice.get(back(first.headers["location"], code="alice"))).status == 303

    async def test_cookie_that_is_there_twice_counts_as_absent(self, house: House, alice: Browser) -> None:
        await alice.connect()
        (name, value), *_ = alice.cookies.items()
        twice = [("cookie", f"{name}={value}; {name}={value}")]
        assert (await house.send("GET", authorize(), twice)).headers["location"].startswith(IDP)

    async def test_visit_gets_a_new_token_at_each_sign_in(self, house: House, alice: Browser) -> None:
        await alice.connect()
        (planted,) = alice.cookies.values()
        await alice.connect("alice", prompt="login")
        assert list(alice.cookies.values()) != [planted]
        alice.cookies = dict.fromkeys(alice.cookies, planted)
        assert (await alice.get(authorize())).headers["location"].startswith(IDP)


class TestOnce:
    async def test_question_is_answered_once(self, house: House, alice: Browser) -> None:
        page = await alice.connect()
        assert (await alice.answer(page, "allow")).status == 303
        assert (await alice.answer(page, "allow")).status == 403
        assert len(house.authority.granted_to) == 1

    async def test_refusal_cannot_be_turned_into_a_consent(self, house: House, alice: Browser) -> None:
        page = await alice.connect()
        await alice.answer(page, "deny")
        assert (await alice.answer(page, "allow")).status == 403
        assert house.authority.granted_to == []

    async def test_question_is_over_after_ten_minutes(self, house: House, alice: Browser) -> None:
        page = await alice.connect()
        house.clock.at += QUESTION_SECONDS
        assert (await alice.answer(page, "allow")).status == 403

    async def test_sign_in_comes_back_once(self, house: House, alice: Browser) -> None:
        sent = await alice.get(authorize())
        stolen = dict(alice.cookies)
        returning = back(sent.headers["location"], code="alice")
        assert (await alice.get(returning)).status == 303
        assert (await alice.get(returning)).status == 400
        assert (await Browser(house, stolen).get(returning)).status == 400
        assert house.sign_in.finished == 1

    async def test_sign_in_that_took_too_long_is_over(self, house: House, alice: Browser) -> None:
        sent = await alice.get(authorize())
        house.clock.at += 600
        assert (await alice.get(back(sent.headers["location"], code="alice"))).status == 400

    async def test_answer_that_is_neither_yes_nor_no_is_no(self, house: House, alice: Browser) -> None:
        assert (await alice.answer(await alice.connect(), "maybe")).status == 400
        assert (house.authority.granted_to, house.told.types) == ([], ["person_signed_in"])

    async def test_several_tabs_sign_in_side_by_side(self, house: House, alice: Browser) -> None:
        tabs = [await alice.get(authorize(state=f"tab{number}")) for number in range(3)]
        for number, tab in enumerate(tabs):
            answer = await alice.get(back(tab.headers["location"], code="alice"))
            assert answer.headers["location"].endswith(f"state=tab{number}")

    async def test_several_tabs_ask_side_by_side(self, house: House, alice: Browser) -> None:
        tabs = [await alice.get(authorize(state=f"tab{number}")) for number in range(3)]
        pages = [await alice.follow(tab, "alice") for tab in tabs]
        assert [(await alice.answer(page, "allow")).status for page in pages] == [303, 303, 303]
        assert len(house.authority.granted_to) == 3

    async def test_question_put_to_one_person_is_not_answered_by_the_next(self, house: House, alice: Browser) -> None:
        page = await alice.connect("alice")
        await alice.connect("bob", prompt="login")
        assert (await alice.answer(page, "allow")).status == 403
        assert house.authority.granted_to == []

    async def test_sign_ins_of_a_browser_stay_small_together(self, house: House, alice: Browser) -> None:
        tabs = [await alice.get(authorize(state="x" * 2000)) for _ in range(5)]
        assert sum(len(name) + len(value) for name, value in alice.cookies.items()) <= 6000
        assert (await alice.get(back(tabs[0].headers["location"], code="alice"))).status == 400
        assert (await alice.get(back(tabs[-1].headers["location"], code="alice"))).status == 303

    async def test_request_that_fits_no_cookie_is_refused(self, house: House, alice: Browser) -> None:
        answer = await alice.get(authorize(state="x" * 2400))
        assert (answer.status, alice.cookies) == (414, {})


class TestCrossSite:
    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://mcp.example.com"])
    async def test_form_of_another_site_is_refused(self, house: House, alice: Browser, origin: str) -> None:
        page = await alice.connect()
        sent = {"question": token(page), "decision": "allow"}
        answer = await alice.post("/oauth/consent", sent, origin)
        assert (answer.status, house.authority.granted_to) == (403, [])

    @pytest.mark.parametrize("question", ["", "AAAA", "état"])
    async def test_answer_without_the_token_of_the_page_is_refused(self, house: House, alice: Browser, question: str) -> None:
        await alice.connect()
        answer = await alice.post("/oauth/consent", {"question": question, "decision": "allow"})
        assert (answer.status, house.authority.granted_to) == (403, [])

    async def test_no_get_gives_consent(self, house: House, alice: Browser) -> None:
        page = await alice.connect()
        assert (await alice.get(f"/oauth/consent?question={token(page)}&decision=allow")).status == 405
        sent = [("cookie", "; ".join(f"{name}={value}" for name, value in alice.cookies.items()))]
        fields = f"question={token(page)}&decision=allow".encode()
        form = [*sent, ("content-type", "application/x-www-form-urlencoded"), ("origin", PUBLIC)]
        assert (await house.send("POST", f"/oauth/consent?question={token(page)}", form, fields)).status == 400
        assert house.authority.granted_to == []

    @pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
    async def test_looking_ahead_begins_nothing(self, house: House, method: str) -> None:
        assert (await house.send(method, authorize(), [])).status == 405
        assert house.sign_in.began == 0

    async def test_page_can_be_neither_framed_nor_kept_nor_scripted(self, alice: Browser) -> None:
        headers = (await alice.connect()).headers
        policy = headers["content-security-policy"]
        assert (headers["x-frame-options"], headers["cache-control"], headers["referrer-policy"]) == ("DENY", "no-store", "same-origin")
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert policy.endswith("; base-uri 'none'; frame-ancestors 'none'; form-action 'self' https:")
        assert "script-src" not in policy


class TestCookies:
    async def test_cookies_are_for_this_host_over_tls_and_not_for_scripts(self, alice: Browser) -> None:
        await alice.connect()
        person, sign_in = sorted(alice.attributes)
        assert person == "__Host-doorward-person"
        assert sign_in.startswith("__Host-doorward-sign-in-")
        assert alice.attributes[person] == "Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=1800"
        assert alice.attributes[sign_in] == "Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
        assert list(alice.cookies) == [person]

    async def test_trial_at_a_plain_loopback_url_works_with_ordinary_cookies(self) -> None:
        alice = Browser(House("http://127.0.0.1:8420"))
        page = await alice.connect()
        assert min(alice.attributes) == "doorward-8420-person"
        assert alice.attributes["doorward-8420-person"] == "Path=/; HttpOnly; SameSite=Lax; Max-Age=1800"
        assert (await alice.answer(page, "allow")).headers["location"].startswith("https://client.example/back?code=")

    def test_people_do_not_sign_in_over_plain_http(self) -> None:
        with pytest.raises(ValueError):
            House("http://mcp.example.com")

    async def test_what_was_asked_cannot_be_read_or_changed_in_the_cookie(self, alice: Browser) -> None:
        sent = await alice.get(authorize(state="findme"))
        (name, value), *_ = alice.cookies.items()
        assert "findme" not in value
        alice.cookies[name] = value[:-1] + ("A" if value[-1] != "A" else "B")
        assert (await alice.get(back(sent.headers["location"], code="alice"))).status == 400


class TestRemembered:
    async def test_same_client_is_not_asked_about_again(self, house: House, alice: Browser) -> None:
        await alice.answer(await alice.connect(), "allow")
        answer = await Browser(house).connect()
        assert answer.headers["location"] == CODE.replace("c1", "c2")
        assert house.told.types[-1] == "consent_remembered"

    async def test_fewer_scopes_need_no_new_question_and_more_do(self, house: House, alice: Browser) -> None:
        await alice.answer(await alice.connect(), "allow")
        knows(house, replace(ASKED, scopes=("mcp:git",)))
        assert (await alice.connect()).status == 303
        knows(house, replace(ASKED, scopes=("mcp", "mcp:git")))
        assert (await alice.connect()).status == 200

    @pytest.mark.parametrize(
        "change",
        [
            {"redirect_uri": "https://client.example/other"},
            {"redirect_uri": "https://client.example:8443/back"},
            {"resource": f"{PUBLIC}/mcp/git"},
            {"client_name": "Another name"},
            {"origin": Origin.REGISTERED},
        ],
    )
    async def test_whatever_is_different_is_asked_about(self, house: House, alice: Browser, change: dict[str, str]) -> None:
        await alice.answer(await alice.connect(), "allow")
        knows(house, replace(ASKED, **change))
        assert (await alice.connect()).status == 200

    async def test_one_persons_consent_is_not_anothers(self, house: House, alice: Browser) -> None:
        await alice.answer(await alice.connect(), "allow")
        assert (await Browser(house).connect("bob")).status == 200

    @pytest.mark.parametrize("uri", [LOCAL.redirect_uri, "http://localhost/back", "http://[::1]:9/back", "https://localhost:9/back"])
    @pytest.mark.parametrize("origin", list(Origin))
    async def test_program_on_the_persons_machine_is_asked_about_each_time(
        self, house: House, alice: Browser, uri: str, origin: Origin
    ) -> None:
        knows(house, replace(ASKED, redirect_uri=uri, origin=origin))
        for _ in range(2):
            page = await alice.connect()
            assert page.status == 200
            assert (await alice.answer(page, "allow")).headers["location"].startswith(f"{uri}?code=")

    async def test_consent_is_asked_for_anew_in_time(self, house: House, alice: Browser) -> None:
        await alice.answer(await alice.connect(), "allow")
        house.clock.at += REMEMBERED_SECONDS
        assert (await alice.connect()).status == 200

    async def test_withdrawn_consent_is_asked_for_anew(self, house: House, alice: Browser) -> None:
        await alice.answer(await alice.connect(), "allow")
        (gone,) = await house.consents.withdraw("corp:alice", ASKED.client_id)
        assert (gone.subject, gone.client) == ("corp:alice", ASKED.client_id)
        assert (await alice.connect()).status == 200


class TestPrompt:
    async def test_client_can_ask_for_the_question(self, alice: Browser) -> None:
        await alice.answer(await alice.connect(), "allow")
        assert (await alice.connect(prompt="consent")).status == 200

    async def test_client_can_ask_for_a_fresh_sign_in_once_per_request(self, house: House, alice: Browser) -> None:
        await alice.connect()
        assert (await alice.connect("bob", prompt="login")).status == 200
        assert (house.sign_in.began, house.told.events[-1].fields) == (2, {"subject": "veiled(corp:bob)"})

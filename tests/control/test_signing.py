"""The way in through the provider, for people and for their commands: what is asked of them, and who gets a session for it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from doorward.control.network import COOKIE
from doorward.control.signing import BEGUN_COOKIE
from doorward.wire.pkce import challenge
from tests.control.door import ANN, LISTEN, ORIGIN, RAY, SIGNING_IN, ZOE, Browser, Got, NetworkDoor, network_door

pytestmark = pytest.mark.anyio

VERIFIER = "v" * 60
BEGIN = f"/signin?cli_port=5000&challenge={challenge(VERIFIER)}"


async def asked(browser: Browser, **claims: Any) -> str:
    """What the page that asks a person holds for the answer."""
    page = await browser.sign_in(BEGIN, **claims)
    assert page.status == 200, page.text
    found = re.search(r'name="offer" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


async def code(browser: Browser, **claims: Any) -> str:
    """The code that a command is sent once a person has allowed it."""
    sent = await browser.submit("/signin/allow", {"offer": await asked(browser, **claims), "answer": "allow"})
    where, _, given = sent.header("location").partition("?code=")
    assert (sent.status, where) == (303, "http://127.0.0.1:5000/")
    return given


async def redeemed(door: NetworkDoor, given: str, verifier: str = VERIFIER, **headers: str) -> Got:
    return await door.ask("POST", "/signin/exchange", headers, json.dumps({"code": given, "verifier": verifier}).encode())


async def test_a_command_acts_as_the_person_who_allowed_it(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        answer = json.loads((await redeemed(door, await code(ann, **ANN))).text)
        assert (answer["name"], answer["role"], answer["expires_at"]) == ("corp:ann", "admin", door.it.clock() + 28_800)
        bearer = {"authorization": f"Bearer {answer['token']}"}
        added = await door.ask("POST", "/v1/agents", bearer, b'{"id": "x", "team": "t"}')
        assert added.status == 200
        assert COOKIE not in ann.cookies
        fields = {"name": "Ann <A.>", "role": "admin", "door": "command", "network": "192.0.2.7"}
        assert (await door.it.events())[1] == ("operator_signed_in", "corp:ann", fields)
        assert (await door.ask("POST", "/signout", bearer)).status == 200
        assert (await door.ask("GET", "/v1/status", bearer)).status == 401


async def test_the_question_names_person_role_and_the_letters_that_the_command_shows(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        page = await door.browser().sign_in(BEGIN, **RAY)
        letters = challenge(VERIFIER).translate({ord("-"): "x", ord("_"): "y"}).lower()
        assert f"{letters[:4]}-{letters[4:8]}-{letters[8:12]}" in page.text
        assert "<b>Ray</b> (viewer)" in page.text
        assert page.header("content-security-policy").endswith("form-action 'self' http://127.0.0.1:5000")


async def test_a_code_is_good_once_for_its_own_verifier_and_for_a_minute(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        spent = await code(ann, **ANN)
        assert (await redeemed(door, spent)).status == 200
        assert (await redeemed(door, spent)).reason == "unknown_code"
        stolen = await code(ann, **ANN)
        assert (await redeemed(door, stolen, "w" * 60)).reason == "unknown_code"
        assert (await redeemed(door, stolen)).reason == "unknown_code"
        late = await code(ann, **ANN)
        door.it.clock.at += 61
        assert (await redeemed(door, late)).reason == "unknown_code"
        assert [event for event, _, _ in (await door.it.events())[1:]] == ["operator_signed_in", "operator_refused"]


async def test_nothing_is_given_before_the_person_allows_it_nor_twice_nor_to_strangers(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann, mallory = door.browser(), door.browser()
        offer = await asked(ann, **ANN)
        assert (await redeemed(door, offer)).reason == "unknown_code"
        assert (await mallory.submit("/signin/allow", {"offer": "invented", "answer": "allow"})).status == 400
        assert (await ann.submit("/signin/allow", {"offer": offer, "answer": "refuse"})).status == 200
        assert (await ann.submit("/signin/allow", {"offer": offer, "answer": "allow"})).status == 400
        late = await asked(ann, **ANN)
        door.it.clock.at += 301
        assert (await ann.submit("/signin/allow", {"offer": late, "answer": "allow"})).status == 400
        assert [event for event, _, _ in (await door.it.events())[1:]] == ["operator_refused"]


async def test_another_site_can_neither_allow_nor_redeem(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        offer = await asked(ann, **ANN)
        assert (await ann.submit("/signin/allow", {"offer": offer, "answer": "allow"}, origin="https://evil.example.com")).status == 403
        given = await code(ann, **ANN)
        assert (await redeemed(door, given, origin=ORIGIN)).status == 403
        assert (await redeemed(door, given)).status == 200


async def test_whoever_has_no_role_gives_a_command_nothing_and_a_role_that_is_gone_meanwhile_neither(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        assert (await door.browser().sign_in(BEGIN, **ZOE)).status == 403
        given = await code(door.browser(), **ANN)
        await door.change({**SIGNING_IN, "control": {"listen": {**LISTEN, "groups": {}}}})
        assert (await redeemed(door, given)).reason == "not_an_operator"


async def test_a_commands_token_is_no_cookie(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        token = json.loads((await redeemed(door, await code(door.browser(), **ANN))).text)["token"]
        assert (await door.ask("GET", "/v1/status", {"cookie": f"{COOKIE}={token}"})).status == 401
        assert (await door.ask("GET", "/v1/status", {"authorization": f"bearer {token}"})).status == 200
        assert (await door.ask("GET", "/v1/status", {"authorization": f"Basic {token}"})).status == 401


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"code": "a", "verifier": "short"}', b"[" * 9000, b'{"code": "\\ud800", "verifier": "%s"}' % (b"v" * 60)]
)
async def test_what_is_no_code_with_a_verifier_is_refused(tmp_path: Path, body: bytes) -> None:
    async with network_door(tmp_path) as door:
        assert (await door.ask("POST", "/signin/exchange", {}, body)).status in (400, 403, 413)


async def test_an_answer_counts_only_in_the_browser_that_began(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann, mallory = door.browser(), door.browser()
        url = (await mallory.get("/signin")).header("location")
        params = door.company.authorize(url, **ANN)
        # A victim is sent to the callback with the attacker's answer, and an attacker comes with the victim's.
        assert (await ann.come_back(params)).status == 400
        await ann.get("/signin")
        assert (await ann.come_back(params)).status == 403
        assert COOKIE not in ann.cookies


async def test_what_a_browser_keeps_meanwhile_cannot_be_read_changed_or_kept_for_long(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        params = door.company.authorize((await ann.get("/signin")).header("location"), **ANN)
        sealed = ann.cookies[BEGUN_COOKIE]
        assert "state" not in sealed
        ann.cookies[BEGUN_COOKIE] = sealed[:-2] + ("AA" if sealed[-2:] != "AA" else "BB")
        assert (await ann.come_back(params)).status == 400
        ann.cookies[BEGUN_COOKIE] = sealed
        door.it.clock.at += 601
        assert "too long" in (await ann.come_back(params)).text


async def test_an_answer_is_no_good_a_second_time(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        params = door.company.authorize((await ann.get("/signin")).header("location"), **ANN)
        kept = dict(ann.cookies)
        assert (await ann.come_back(params)).status == 200
        ann.cookies = kept
        assert (await ann.come_back(params)).status == 403


async def test_a_session_that_was_there_before_is_not_the_one_that_is_signed_in(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        mallory, ann = door.browser(), door.browser()
        await mallory.sign_in(**RAY)
        planted = mallory.cookies[COOKIE]
        ann.cookies[COOKIE] = planted
        await ann.sign_in(**ANN)
        assert ann.cookies[COOKIE] != planted
        assert json.loads((await mallory.read("/v1/me")).text)["name"] == "corp:ray"


async def test_a_refusal_of_the_provider_is_told_to_the_person_and_the_log(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        params = door.company.authorize((await ann.get("/signin")).header("location"), **ANN)
        answer = await ann.come_back({"state": params["state"], "iss": params["iss"], "error": "access_denied"})
        assert (answer.status, "access_denied" in answer.text) == (403, True)
        assert (await door.it.events())[-1][:2] == ("operator_refused", "unknown")


async def test_a_provider_that_is_down_lets_nobody_in_and_says_little(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        door.company.is_down = True
        answer = await door.browser().get("/signin")
        assert (answer.status, "nobody answers" in answer.text) == (502, False)


async def test_one_address_cannot_keep_the_provider_and_the_log_busy(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        mallory = door.browser()
        statuses = []
        for _ in range(40):
            await mallory.get("/signin")
            statuses.append((await mallory.come_back({"state": "x", "code": "y"})).status)
        assert statuses.count(429) > 25
        assert len(await door.it.events()) < 15


async def test_the_provider_of_the_document_in_force_is_used_and_a_begun_sign_in_with_another_ends(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        params = door.company.authorize((await ann.get("/signin")).header("location"), **ANN)
        corp = {**SIGNING_IN["identity"]["issuers"]["corp"], "url": "https://other.example.com"}
        await door.change({**SIGNING_IN, "identity": {"issuers": {"corp": corp}}})
        assert (await ann.come_back(params)).status == 403

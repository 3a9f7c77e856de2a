"""The network door: who gets in, with which role, for how long, and everything that does not."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from doorward.config.model import ControlListen
from doorward.control.network import COOKIE, place
from doorward.control.operator_sessions import MOST, MOST_OF_ONE
from doorward.control.signing import BEGUN_COOKIE
from doorward.domain.reasons import Reason, Refused
from doorward.identity.agent_keys import AgentKeys
from doorward.identity.chain import Chain, Presented
from doorward.identity.enrolment import Enrolment
from doorward.identity.resources import Resources
from doorward.identity.tokens.dpop import Proofs
from doorward.identity.tokens.source import AccessTokens, Demand, Registered
from doorward.identity.tokens.trusted import Means, Trust
from tests.control.door import ANN, LEE, LISTEN, ORIGIN, RAY, SIGNING_IN, ZOE, network_door

pytestmark = pytest.mark.anyio


def listening(**changed: Any) -> dict[str, Any]:
    """The document with another `control.listen`."""
    return {**SIGNING_IN, "control": {"listen": {**LISTEN, **changed}}}


async def test_a_person_signs_in_with_their_provider_and_has_the_role_of_their_group(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        assert "Sign in" in (await ann.get("/")).text
        assert (await ann.sign_in(**ANN)).status == 200
        assert json.loads((await ann.read("/v1/me")).text) == {
            "name": "corp:ann",
            "shown": "Ann <A.>",
            "role": "admin",
            "speaks_for": [],
            "owns": [],
        }
        fields = {"name": "Ann <A.>", "role": "admin", "door": "browser", "network": "192.0.2.7"}
        assert (await door.it.events())[1:] == [("operator_signed_in", "corp:ann", fields)]


async def test_a_person_is_shown_who_they_are_and_no_name_becomes_markup(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        await ann.sign_in(**ANN)
        page = await ann.get("/")
        assert "Ann &lt;A.&gt; (corp:ann)" in page.text
        assert "frame-ancestors 'none'" in page.header("content-security-policy")
        assert "script" not in page.text


async def test_cookies_are_of_this_host_alone_unreadable_for_scripts_and_random(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann, texts = door.browser(), set()
        for _ in range(2):
            set_by = (await ann.sign_in(**ANN)).headers
            session = next(value for name, value in set_by if name == "set-cookie" and value.startswith(f"{COOKIE}=dwo_"))
            text, _, attributes = session.partition("; ")
            assert attributes == "Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=28800"
            texts.add(text)
            assert BEGUN_COOKIE not in ann.cookies
        assert len(texts) == 2
        begun = (await ann.get("/signin")).header("set-cookie")
        assert begun.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600")


async def test_whoever_has_no_group_with_a_role_is_told_so_and_gets_no_session(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        zoe = door.browser()
        answer = await zoe.sign_in(**ZOE)
        assert answer.status == 403
        assert "none of your groups has a role" in answer.text
        assert COOKIE not in zoe.cookies
        assert (await zoe.read("/v1/me")).reason == "not_signed_in"
        assert (await door.it.events())[-1] == (
            "operator_refused",
            "corp:zoe",
            {"why": "none of the person's groups has a role", "network": "192.0.2.7"},
        )


async def test_an_owner_acts_within_its_teams(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        lee = door.browser()
        await lee.sign_in(**LEE)
        assert (await lee.change("POST", "/v1/agents", {"id": "mine", "team": "support"})).status == 200
        assert (await lee.change("POST", "/v1/agents", {"id": "other", "team": "platform"})).status == 403
        assert (await door.it.events())[-2][:2] == ("agent_added", "corp:lee")


@pytest.mark.parametrize(
    "document",
    [
        listening(groups={"readers": {"role": "viewer"}}),
        listening(session_minutes=1),
        {
            **listening(),
            "identity": {"issuers": {"corp": {**SIGNING_IN["identity"]["issuers"]["corp"], "url": "https://other.example.com"}}},
        },
        {**listening(sign_in="new"), "identity": {"issuers": {"new": SIGNING_IN["identity"]["issuers"]["corp"]}}},
    ],
)
async def test_rights_go_at_once_when_the_configuration_takes_them(tmp_path: Path, document: dict[str, Any]) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        await ann.sign_in(**ANN)
        door.it.clock.at += 61
        assert (await ann.read("/v1/status")).status == 200
        await door.change(document)
        assert (await ann.read("/v1/status")).status in (401, 403)


async def test_a_role_that_is_made_smaller_is_smaller_at_once(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        await ann.sign_in(**ANN)
        await door.change(listening(groups={"admins": {"role": "viewer"}}))
        assert (await ann.read("/v1/status")).status == 200
        assert (await ann.change("POST", "/v1/reload")).status == 403


async def test_a_person_who_is_revoked_is_out_at_once_as_is_everybody_of_a_revoked_issuer(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann, ray = door.browser(), door.browser()
        await ann.sign_in(**ANN)
        await ray.sign_in(**RAY)
        assert (await door.it.ask("POST", "/v1/stops", {"matter": "user:corp:ann", "reason": "left", "effect": "revoked"}))[0] == 200
        assert ((await ann.read("/v1/status")).status, (await ray.read("/v1/status")).status) == (403, 200)
        assert (await ann.sign_in(**ANN)).status == 403
        assert (await door.it.ask("POST", "/v1/stops", {"matter": "issuer:corp", "reason": "broken into"}))[0] == 200
        assert (await ray.read("/v1/status")).status == 403


async def test_a_session_ends(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        await ann.sign_in(**ANN)
        door.it.clock.at += 480 * 60 - 1
        assert (await ann.read("/v1/status")).status == 200
        door.it.clock.at += 1
        assert (await ann.read("/v1/status")).reason == "not_signed_in"


async def test_signing_out_ends_the_session_and_not_only_the_cookie(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        await ann.sign_in(**ANN)
        thief = copy.copy(ann)
        thief.cookies = dict(ann.cookies)
        assert (await ann.submit("/signout")).status == 303
        assert (await thief.read("/v1/status")).status == 401
        assert (await door.it.events())[-1][:2] == ("operator_signed_out", "corp:ann")


async def test_a_session_is_listed_and_ended_by_an_admin(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann, ray = door.browser(), door.browser()
        await ann.sign_in(**ANN)
        await ray.sign_in(**RAY)
        listed = json.loads((await ray.read("/v1/operators")).text)["sessions"]
        assert [(one["name"], one["door"]) for one in listed] == [("corp:ann", "browser"), ("corp:ray", "browser")]
        assert (await ray.change("DELETE", f"/v1/operators/{listed[0]['id']}")).status == 403
        assert (await ann.change("DELETE", f"/v1/operators/{listed[1]['id']}")).status == 200
        assert (await ray.read("/v1/status")).status == 401
        assert (await ann.change("DELETE", f"/v1/operators/{listed[1]['id']}")).status == 404


async def test_nobody_is_let_in_while_the_log_cannot_be_told(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        door.it.log.broken = "no space"
        ann = door.browser()
        assert (await ann.sign_in(**ANN)).status == 503
        assert COOKIE not in ann.cookies


async def test_sessions_are_bounded_and_nobody_pushes_others_out(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ray = door.browser()
        await ray.sign_in(**RAY)
        first = door.browser()
        await first.sign_in(**ANN)
        for _ in range(MOST_OF_ONE):
            door.it.clock.at += 60
            await door.browser().sign_in(**ANN)
        assert ((await first.read("/v1/status")).status, (await ray.read("/v1/status")).status) == (401, 200)
        assert len(door.sessions.all(1e9)) == MOST_OF_ONE + 1 < MOST


# What other sites, other hosts and other doors can do: nothing.


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": ""},
        {"origin": "https://evil.example.com"},
        {"origin": "null"},
        {"doorward-request": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_change_needs_proof_that_our_own_page_asks_for_it(tmp_path: Path, headers: dict[str, str]) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        await ann.sign_in(**ANN)
        refused = await ann.change("POST", "/v1/agents", {"id": "x", "team": "t"}, **headers)
        assert (refused.status, refused.reason) == (403, "wrong_origin")
        assert door.it.registry.agents() == ()
        assert (await ann.change("POST", "/v1/agents", {"id": "x", "team": "t"})).status == 200


async def test_not_even_reading_is_for_pages_of_others(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        await ann.sign_in(**ANN)
        assert (await ann.get("/v1/status", origin="https://evil.example.com")).status == 403
        assert (await ann.get("/v1/status", **{"sec-fetch-site": "cross-site"})).status == 403
        assert (await ann.get("/v1/status", **{"sec-fetch-site": "none"})).status == 200


@pytest.mark.parametrize("path", ["/signout", "/signin/allow"])
async def test_forms_of_others_change_nothing(tmp_path: Path, path: str) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        await ann.sign_in(**ANN)
        for origin in ("https://evil.example.com", "null"):
            assert (await ann.submit(path, origin=origin)).status == 403
        assert (await ann.read("/v1/status")).status == 200


@pytest.mark.parametrize("host", ["evil.example.com", "doorward.example.com.evil.com", "", "localhost:8421"])
async def test_a_host_that_is_not_ours_is_served_nothing(tmp_path: Path, host: str) -> None:
    async with network_door(tmp_path) as door:
        for path in ("/", "/signin", "/v1/status", "/healthz"):
            refused = await door.ask("GET", path, {"host": host})
            assert (refused.status, refused.reason) == (403, "wrong_host")
        assert (await door.ask("GET", "/", [("host", "doorward.example.com"), ("host", "x")])).status == 403


async def test_another_host_of_ours_leads_to_the_one_that_cookies_are_of(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        sent = await door.ask("GET", "/signin?cli_port=5000&challenge=" + "c" * 43, {"host": "10.0.0.5:8421"})
        assert (sent.status, sent.header("location")) == (303, f"{ORIGIN}/signin?cli_port=5000&challenge={'c' * 43}")
        assert door.company.asked == []


async def test_the_headers_of_every_answer_keep_it_to_itself(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        for path in ("/", "/signin", "/v1/status", "/nowhere"):
            answer = await door.ask("GET", path)
            assert (answer.header("cache-control"), answer.header("x-frame-options"), answer.header("referrer-policy")) == (
                "no-store",
                "DENY",
                "same-origin",
            )
            assert answer.header("access-control-allow-origin") == ""


async def test_a_cookie_is_no_bearer_token_and_two_sessions_at_once_are_none(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        await ann.sign_in(**ANN)
        token = ann.cookies[COOKIE]
        asked = [
            await door.ask("GET", "/v1/status", {"authorization": f"Bearer {token}"}),
            await door.ask("GET", "/v1/status", {"authorization": f"Bearer {token}", "cookie": f"{COOKIE}={token}"}),
            await door.ask("GET", "/v1/status", {"cookie": f"{COOKIE}={token}; {COOKIE}=x"}),
            await door.ask("GET", "/v1/status", {"cookie": f"doorward={token}"}),
        ]
        assert [one.reason for one in asked] == ["not_signed_in", "two_credentials", "two_credentials", "not_signed_in"]


async def test_no_credential_of_an_agent_and_no_peer_means_anything_here(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        _, issued = await door.it.ask("POST", "/v1/agents", {"id": "claude", "team": "t"})
        for text in (issued["key"], "", "dwo_", "dwo_" + "A" * 43):
            for headers in ({"authorization": f"Bearer {text}"}, {"cookie": f"{COOKIE}={text}"}, {"x-doorward-peer": "0"}):
                assert (await door.ask("GET", "/v1/status", headers)).status == 401


async def test_nothing_of_an_operator_means_anything_on_the_data_plane(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        await ann.sign_in(**ANN)
        now = door.it.clock
        trust = Trust(Means(lambda declared: door.company, lambda name: None, now))
        trust.adopt(door.it.generations.current.document.identity.issuers, None)
        registered = Registered(Enrolment(door.it.registry, door.it.recorder.note, now), lambda: door.it.registry.version)
        tokens = AccessTokens(trust, registered, Resources(ORIGIN).of, Proofs(now), Demand.ANY, now)
        chain = Chain([AgentKeys(door.it.registry, now), tokens])
        for text in (ann.cookies[COOKIE], ann.cookies[COOKIE].removeprefix("dwo_"), f"dw_{ann.cookies[COOKIE]}"):
            for scheme in ("Bearer", "DPoP", "Cookie"):
                with pytest.raises(Refused) as raised:
                    await chain.identified(Presented(f"{scheme} {text}", "192.0.2.7", loopback=False))
                assert raised.value.reason is Reason.UNAUTHENTICATED


async def test_a_peer_of_a_socket_is_nobody_at_this_door(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        app = door.app

        async def with_peer(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "extensions": {"doorward.peer": {"uid": 0}}}, receive, send)

        door.app = with_peer
        assert (await door.ask("GET", "/v1/status")).status == 401


@pytest.mark.parametrize("path", ["/signin/callback?code=a&code=b", "/signin?colour=red", "/signin?cli_port=80&challenge=" + "c" * 43])
async def test_parameters_that_cannot_be_meant_are_refused(tmp_path: Path, path: str) -> None:
    async with network_door(tmp_path) as door:
        ann = door.browser()
        await ann.get("/signin")
        assert (await ann.get(path)).status == 400


@pytest.mark.parametrize(
    ("listen", "port", "origin", "hosts"),
    [
        ({"public_url": "https://Doorward.example.com:443/"}, 8421, "https://doorward.example.com", {"10.0.0.5:8421"}),
        ({}, 443, "https://10.0.0.5", {"10.0.0.5:443"}),
        ({"host": "fd00::5"}, 8421, "https://[fd00::5]:8421", {"[fd00::5]:8421"}),
        ({"host": "127.0.0.1"}, 9, "https://127.0.0.1:9", {"127.0.0.1:9", "localhost:9", "[::1]:9"}),
    ],
)
def test_a_door_knows_its_place(listen: dict[str, Any], port: int, origin: str, hosts: set[str]) -> None:
    said = {"host": "10.0.0.5", "tls": LISTEN["tls"], "sign_in": "corp", **listen}
    assert place(ControlListen.model_validate(said), port) == (origin, frozenset(hosts))


async def test_pages_answer_their_own_method_alone(tmp_path: Path) -> None:
    async with network_door(tmp_path) as door:
        for method, path in (
            ("POST", "/"),
            ("POST", "/signin"),
            ("GET", "/signout"),
            ("GET", "/signin/allow"),
            ("PUT", "/signin/exchange"),
        ):
            assert (await door.ask(method, path)).status == 405

"""The life of tokens over the wire: rotation and reuse, revocation, a kill in the middle, and narrower ones for sub-agents."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from joserfc import jws

from tests.e2e.client import REVISIONS, Client
from tests.e2e.commands import ordered
from tests.e2e.grants import (
    asked_for,
    call,
    claims_of,
    connected,
    exchanged,
    granted,
    own_token,
    posted,
    proven,
    redeemed,
    refreshed,
    token,
)
from tests.e2e.log import events, of_call, until, veil
from tests.e2e.oauth import ENVIRONMENT, House, Visit, house
from tests.gateway import start

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway with declared clients."""
    with house(tmp_path_factory.mktemp("tokens")) as made:
        yield made


def test_refreshed_tokens_go_on_and_one_that_comes_twice_ends_all_that_came_of_the_grant(ours: House) -> None:
    url, state = ours.running.url(), ours.running.directory / "state"
    first = connected(ours.running)
    second = granted(refreshed(ours.running, first["refresh_token"]))
    family = claims_of(first["access_token"])["fam"]
    assert claims_of(second["access_token"])["fam"] == family
    # The old access token is good until its end, as it says.
    assert [call(url, one["access_token"]).status for one in (first, second)] == [200, 200]
    with Client(url, second["access_token"]) as client:
        client.ask("tools/list")
        pending = client.begin_call("up__wait", {"mark": "of a stolen grant"})
        ours.witness.has_seen("of a stolen grant")
        status, said = refreshed(ours.running, first["refresh_token"])
        assert (status, said["error"]) == (400, "invalid_grant")
        cut = pending.said()
        assert cut.reason == "revoked_meanwhile"
        until(lambda: "of a stolen grant" in ours.witness.ended)
    assert [call(url, one["access_token"]).status for one in (first, second)] == [401, 401]
    assert refreshed(ours.running, second["refresh_token"])[0] == 400
    told = [leaf["fields"] for leaf in events(state, "token_reuse_detected") if leaf["fields"]["family"] == family]
    assert told == [{"family": family, "client": "desk", "what": "refresh_token", "network": "127.0.0.1"}]
    again = connected(ours.running)
    assert call(url, again["access_token"]).status == 200


def test_of_many_who_refresh_at_once_one_gets_a_token_and_then_nobody_has_any(ours: House) -> None:
    had = connected(ours.running)
    answers: list[tuple[int, dict[str, Any]]] = []
    threads = [threading.Thread(target=lambda: answers.append(refreshed(ours.running, had["refresh_token"]))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(status for status, _ in answers) == [200] + [400] * 7
    [won] = [said for status, said in answers if status == 200]
    assert call(ours.running.url(), won["access_token"]).status == 401
    assert refreshed(ours.running, won["refresh_token"])[0] == 400


def test_a_code_is_good_once_and_used_again_ends_what_it_opened(ours: House) -> None:
    code = asked_for(ours.running, Visit("alice"))["code"]
    had = granted(redeemed(ours.running, code))
    assert call(ours.running.url(), had["access_token"]).status == 200
    assert redeemed(ours.running, code)[0] == 400
    assert call(ours.running.url(), had["access_token"]).status == 401
    assert refreshed(ours.running, had["refresh_token"])[0] == 400


def test_a_refresh_token_widens_nothing_and_serves_nobody_else(ours: House) -> None:
    had = connected(ours.running, scope="mcp:read")
    for changed in ({"scope": "mcp"}, {"resource": ours.running.url("up")}, {"client_id": "courier"}, {"client_id": "night"}):
        assert refreshed(ours.running, had["refresh_token"], **changed)[0] in (400, 401), changed
    # None of these was a use of it.
    assert granted(refreshed(ours.running, had["refresh_token"]))["scope"] == "mcp:read"


@pytest.mark.parametrize("what", ["access_token", "refresh_token"])
def test_a_token_that_is_given_back_ends_its_grant(ours: House, what: str) -> None:
    had, other = connected(ours.running), connected(ours.running)
    with Client(ours.running.url(), had["access_token"]) as client:
        client.ask("tools/list")
        pending = client.begin_call("up__wait", {"mark": f"given back by {what}"})
        ours.witness.has_seen(f"given back by {what}")
        assert posted(ours.running, "/oauth/revoke", {"token": other[what], **proven(ours.running, "night")})[0] in (400, 401)
        assert posted(ours.running, "/oauth/revoke", {"token": had[what], "client_id": "desk"}) == (200, {})
        assert pending.said().reason == "revoked_meanwhile"
    assert call(ours.running.url(), had["access_token"]).status == 401
    assert refreshed(ours.running, had["refresh_token"])[0] == 400
    assert call(ours.running.url(), other["access_token"]).status == 200
    assert posted(ours.running, "/oauth/revoke", {"token": "rt_nothing", "client_id": "desk"}) == (200, {})


@pytest.mark.parametrize("matter", ["family", "user", "client"])
def test_what_an_operator_revokes_is_neither_used_nor_refreshed(ours: House, matter: str) -> None:
    had = connected(ours.running)
    name = {"family": claims_of(had["access_token"])["fam"], "user": "corp:alice", "client": "self:desk"}[matter]
    ordered(ours.running, "revoke", matter, name, "--reason", "stolen")
    assert call(ours.running.url(), had["access_token"]).status == 401
    assert refreshed(ours.running, had["refresh_token"])[0] in (400, 401)
    if matter != "family":
        ordered(ours.running, "resume", matter, name, "--revoked")
        assert refreshed(ours.running, had["refresh_token"])[0] == 400
    assert call(ours.running.url(), connected(ours.running)["access_token"]).status == 200


def test_a_kill_loses_no_grant_that_was_acknowledged_and_revives_none(ours: House) -> None:
    used, spare = asked_for(ours.running, Visit("alice"))["code"], asked_for(ours.running, Visit("alice"))["code"]
    had, ended = granted(redeemed(ours.running, used)), connected(ours.running)
    rotated = granted(refreshed(ours.running, connected(ours.running)["refresh_token"]))
    assert posted(ours.running, "/oauth/revoke", {"token": ended["refresh_token"], "client_id": "desk"})[0] == 200
    shown = proven(ours.running, "night")
    assert token(ours.running, grant_type="client_credentials", resource=ours.running.url(), **shown)[0] == 200
    _restarted(ours)
    url = ours.running.url()
    assert [call(url, one["access_token"]).status for one in (had, rotated, ended)] == [200, 200, 401]
    assert refreshed(ours.running, ended["refresh_token"])[0] == 400
    assert token(ours.running, grant_type="client_credentials", resource=url, **shown)[0] == 401
    # The code that was not used yet is good once, the other one is over.
    assert [redeemed(ours.running, spare)[0] for _ in range(2)] == [200, 400]
    next_one = granted(refreshed(ours.running, had["refresh_token"]))
    _restarted(ours)
    assert refreshed(ours.running, had["refresh_token"])[0] == 400
    assert refreshed(ours.running, next_one["refresh_token"])[0] == 400
    assert call(ours.running.url(), next_one["access_token"]).status == 401
    assert granted(refreshed(ours.running, rotated["refresh_token"]))["access_token"]


def _restarted(ours: House) -> None:
    """Ends the gateway as a power cut would, and starts it again at its place."""
    port = ours.running.port
    ours.running.kill()
    path = ours.running.directory / "doorward.yaml"
    path.write_text(path.read_text().replace('"port": 0', f'"port": {port}'))
    again = start(ours.running.directory, ENVIRONMENT)
    ours.running.process, ours.running.journal, ours.running.port = again.process, again.journal, again.port
    assert again.port == port


def test_a_sub_agent_gets_a_narrower_token_that_says_who_handed_on(ours: House) -> None:
    parent = connected(ours.running, scope="mcp:read mcp:up")
    status, child = exchanged(ours.running, parent["access_token"], scope="mcp:up:read")
    assert (status, child["scope"], child["issued_token_type"].rpartition(":")[2], "refresh_token" in child) == (
        200,
        "mcp:up:read",
        "access_token",
        False,
    )
    said, before = claims_of(child["access_token"]), claims_of(parent["access_token"])
    assert (said["sub"], said["fam"], said["aud"], said["exp"] <= before["exp"]) == (before["sub"], before["fam"], before["aud"], True)
    assert said["act"] == {"sub": "helper", "client_id": "helper", "act": {"sub": "desk", "client_id": "desk"}}
    got = call(ours.running.url(), child["access_token"], mark="by the helper")
    leaves = of_call(ours.running.directory / "state", got.receipt)
    assert [leaf["principal"]["agent"] for leaf in leaves] == ["helper"] * len(leaves)
    pseudonym = veil(ours.running.directory / "state").pseudonym("desk")
    assert leaves[0]["principal"]["act"] == [{"agent": "desk", "team": "tools", "issuer": "self", "id": pseudonym}]
    assert call(ours.running.url(), child["access_token"], "up__other").status == 403


def test_nothing_an_exchange_can_ask_for_is_more_than_the_parent_has(ours: House) -> None:
    parent = connected(ours.running, scope="mcp:read")["access_token"]
    for wanted in ("mcp", "mcp:up", "mcp:read mcp:side", "mcp:read mcp"):
        status, said = exchanged(ours.running, parent, scope=wanted)
        assert (status, said.get("error")) == (400, "invalid_scope"), wanted
    for changed in (
        {"resource": ours.running.url("up")},
        {"audience": "https://other.example"},
        {"subject_token": parent[:-4] + "AAAA"},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"subject_token": ours.company.token_for_robot(ours.running.url())},
    ):
        assert exchanged(ours.running, parent, **changed)[0] == 400, changed
    assert exchanged(ours.running, parent, client="night")[0] == 400
    assert granted(exchanged(ours.running, parent))["scope"] == "mcp:read"


def test_policy_denies_a_sub_agent_what_its_parent_may_not(ours: House) -> None:
    url = ours.running.url()
    alone = granted(own_token(ours.running, "helper"))["access_token"]
    assert call(url, alone, "up__other", mark="helper alone").status == 200
    parent = granted(own_token(ours.running, "night"))["access_token"]
    child = granted(exchanged(ours.running, parent))["access_token"]
    assert call(url, child, mark="both may").status == 200
    said = call(url, child, "up__other", mark="the parent may not")
    assert said.reason in ("unknown_target", "forbidden")
    assert ("helper alone" in ours.witness.marks(), "the parent may not" in ours.witness.marks()) == (True, False)
    with Client(url, child) as client:
        assert "up__other" not in str(client.ask("tools/list").result)


def test_stopping_the_parent_stops_what_it_handed_on_and_a_child_ends_nothing(ours: House) -> None:
    url = ours.running.url()
    parent = connected(ours.running)
    child = granted(exchanged(ours.running, parent["access_token"]))["access_token"]
    given_back = posted(ours.running, "/oauth/revoke", {"token": child, **proven(ours.running, "helper")})
    assert (given_back[0], call(url, parent["access_token"]).status) == (400, 200)
    with Client(url, child) as client:
        client.ask("tools/list")
        pending = client.begin_call("up__wait", {"mark": "of a stopped parent"})
        ours.witness.has_seen("of a stopped parent")
        ordered(ours.running, "agent", "suspend", "desk")
        assert pending.said().reason == "revoked_meanwhile"
    assert call(url, child).status == 401
    assert exchanged(ours.running, parent["access_token"])[0] == 400
    ordered(ours.running, "agent", "resume", "desk")
    assert call(url, child).status == 200
    assert posted(ours.running, "/oauth/revoke", {"token": parent["access_token"], "client_id": "desk"})[0] == 200
    assert call(url, child).status == 401


def test_revoking_the_parent_agent_ends_its_sub_agents_for_good(ours: House) -> None:
    parent = granted(own_token(ours.running, "dawn"))["access_token"]
    child = granted(exchanged(ours.running, parent))["access_token"]
    grandchild = granted(exchanged(ours.running, child))["access_token"]
    assert [call(ours.running.url(), one).status for one in (parent, child, grandchild)] == [200, 200, 200]
    ordered(ours.running, "agent", "revoke", "dawn")
    assert [call(ours.running.url(), one).status for one in (parent, child, grandchild)] == [401, 401, 401]
    assert exchanged(ours.running, child)[0] == 400
    assert own_token(ours.running, "dawn")[0] == 400
    assert call(ours.running.url(), granted(own_token(ours.running, "helper"))["access_token"]).status == 200


@pytest.mark.parametrize("revision", REVISIONS)
def test_streams_of_a_grant_end_with_it(ours: House, revision: str) -> None:
    had, other = connected(ours.running), connected(ours.running)
    with (
        Client(ours.running.url(), had["access_token"], revision) as mine,
        Client(ours.running.url(), other["access_token"], revision) as still,
    ):
        ending, going_on = mine.listen(), still.listen()
        assert [ending.opened().status, going_on.opened().status] == [200, 200]
        assert posted(ours.running, "/oauth/revoke", {"token": had["refresh_token"], "client_id": "desk"})[0] == 200
        while ending.event() is not None:
            """Until it is over."""
        assert mine.ask("tools/list").status in (401, 404)
        assert still.ask("tools/list").status == 200
        going_on.hang_up()


def test_signing_keys_change_while_tokens_of_the_last_one_go_on(tmp_path: Path) -> None:
    with house(tmp_path, key_days=0.00001) as made:
        first = granted(own_token(made.running))["access_token"]
        later = until(lambda: other if key_of(other := granted(own_token(made.running))["access_token"]) != key_of(first) else None)
        with urlopen(f"{made.origin}/oauth/jwks", timeout=20) as answer:
            published = {key["kid"] for key in json.load(answer)["keys"]}
        assert {key_of(first), key_of(later)} <= published
        assert [call(made.running.url(), token).status for token in (first, later)] == [200, 200]


def key_of(token: str) -> str:
    """The name of the key that signed a token."""
    return str(jws.extract_compact(token.encode()).headers()["kid"])

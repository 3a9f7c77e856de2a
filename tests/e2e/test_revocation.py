"""What an operator revokes ends with the next call, in flight and in open streams, for whoever it concerns and for nobody else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import EXCHANGE, Client, Pending
from tests.e2e.commands import asked, ordered, told
from tests.e2e.issuer import PUBLIC, Issuer, issuing
from tests.e2e.log import events, of_call, until
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream, start, stop

SESSION = "2025-11-25"
AT_ONCE_SECONDS = 1.0
REVOKED = {"agent": 401, "client": 401, "issuer": 401, "user": 401, "session": 404}
"""What the next call is told."""
RESTORED = {"client", "issuer", "user"}


@dataclass(frozen=True)
class Issuers:
    corp: Issuer
    partner: Issuer


@pytest.fixture(scope="module")
def issuers() -> Iterator[Issuers]:
    with issuing() as corp, issuing() as partner:
        yield Issuers(corp, partner)


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with witnessing() as made:
        yield made


def document(issuers: Issuers, witness: Witness) -> dict[str, Any]:
    """Every client of either issuer is an agent, of ada's or of ben's."""
    enrol = [
        {"issuer": "corp", "client": "adas-*", "agent": "{name}", "team": "people", "owner": "ada"},
        {"issuer": "corp", "agent": "{name}", "team": "people", "owner": "ben"},
        {"issuer": "partner", "agent": "partner-{name}", "team": "partners", "owner": "ben"},
    ]
    return {
        "listen": {"port": 0, "public_url": PUBLIC},
        "identity": {"issuers": {"corp": issuers.corp.document(), "partner": issuers.partner.document()}, "enrol": enrol},
        "upstreams": {"up": http_upstream(witness.url)},
        "admission": {"calls_per_minute": 100_000, "burst": 100_000},
    }


@pytest.fixture(scope="module")
def gateway(issuers: Issuers, witness: Witness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with doorward(tmp_path_factory.mktemp("revocation"), document(issuers, witness)) as running:
        yield running


def ends(listening: Pending) -> None:
    """Returns once a stream has ended."""
    while listening.event() is not None:
        pass


def person(name: str) -> str:
    """Whom a client of this name acts for."""
    return f"{name}-person"


def matter_of(gateway: Running, kind: str, name: str) -> str:
    """What is revoked of a caller whose client is called so."""
    match kind:
        case "agent":
            return f"agent:{name}"
        case "client":
            return f"client:corp:{name}"
        case "user":
            return f"user:corp:{person(name)}"
        case "issuer":
            return "issuer:partner"
        case _:
            [row] = [one for one in asked(gateway, "session", "list")["sessions"] if one["principal"].startswith(f"{name}/")]
            return f"session:{row['id']}"


@pytest.mark.parametrize("verb", ["revoke", "stop"])
@pytest.mark.parametrize(
    ("kind", "revision"),
    [(kind, revision) for kind in REVOKED for revision in (SESSION, EXCHANGE) if (kind, revision) != ("session", EXCHANGE)],
)
def test_what_is_revoked_or_stopped_ends_on_the_next_call_in_flight_and_in_streams(
    gateway: Running, issuers: Issuers, witness: Witness, kind: str, revision: str, verb: str
) -> None:
    name = f"{verb}-{kind}-{revision}"
    issuer = issuers.partner if kind == "issuer" else issuers.corp
    with (
        Client(gateway.url(), issuer.token(name, person(name)), revision) as one,
        Client(gateway.url(), issuers.corp.token(f"{name}-other", f"{name}-others"), revision) as other,
    ):
        pending, spared = one.begin_call("up__wait", {"mark": name}), other.begin_call("up__wait", {"mark": f"{name}-other"})
        streams = one.listen(), other.listen()
        assert [stream.opened().status for stream in streams] == [200, 200]
        witness.has_seen(name)
        witness.has_seen(f"{name}-other")
        matter, began = matter_of(gateway, kind, name), time.monotonic()
        ordered(gateway, verb, matter, "--reason", "A test")
        cut = pending.said()
        assert (cut.reason, "may have run" in cut.error["message"]) == ("revoked_meanwhile", True)
        until(lambda: name in witness.ended)
        ends(streams[0])
        assert time.monotonic() - began < AT_ONCE_SECONDS
        [_, outcome] = of_call(gateway.directory / "state", cut.receipt)
        assert (outcome["result"]["status"], outcome["result"]["reason"]) == ("failed", "revoked_meanwhile")

        refused = one.call("up__echo", {"mark": f"never {name}"})
        if verb == "revoke":
            assert refused.status == REVOKED[kind]
        else:
            assert (refused.status, refused.reason) == (200, "stopped")
        assert "A test" not in refused.raw.decode()
        assert other.call("up__echo").status == 200
        assert f"{name}-other" not in witness.ended
        witness.release()
        assert spared.said().text
        if verb == "stop" or kind in RESTORED:
            ordered(gateway, "resume", matter, *(["--revoked"] if verb == "revoke" else []))
            assert one.call("up__echo", {"mark": f"again {name}"}).text
        else:
            assert told(gateway, "resume", matter, "--revoked")[0] == 1
        streams[1].hang_up()
    assert f"never {name}" not in witness.marks()


def test_a_refreshed_token_of_whoever_is_revoked_is_refused_too(gateway: Running, issuers: Issuers) -> None:
    with Client(gateway.url(), issuers.corp.token("desktop", "anna")) as one:
        assert one.call("up__echo").status == 200
        ordered(gateway, "revoke", "user", "corp:anna", "--reason", "Left")
        for client in ("desktop", "laptop"):
            one.key = issuers.corp.token(client, "anna")
            assert one.call("up__echo").status == 401
        one.key = issuers.corp.token("desktop", "ben")
        assert one.call("up__echo").status == 200
        one.key = issuers.partner.token("desktop", "anna")
        assert one.call("up__echo").status == 200
    assert "anna" not in str(events(gateway.directory / "state", "revoked"))


def test_revocations_outlive_a_kill(tmp_path: Path, issuers: Issuers, witness: Witness) -> None:
    kinds = [kind for kind in REVOKED if kind != "issuer"]
    with doorward(tmp_path, document(issuers, witness)) as running:
        callers = {
            kind: Client(running.url(), issuers.corp.token(f"kill-{kind}", person(f"kill-{kind}")), SESSION) for kind in [*kinds, "spared"]
        }
        callers["issuer"] = Client(running.url(), issuers.partner.token("kill-issuer"), SESSION)
        callers["owner"] = Client(running.url(), issuers.corp.token("adas-kill"), SESSION)
        for one in callers.values():
            assert one.call("up__echo").text
        for kind in (*kinds, "issuer"):
            ordered(running, "revoke", matter_of(running, kind, f"kill-{kind}"), "--reason", "A leak")
        ordered(running, "agent", "owner-left", "ada")
        running.kill()
        again = start(running.directory)
        try:
            for kind, one in callers.items():
                with Client(again.url(), one.key, SESSION, session=one.session) as later:
                    assert later.call("up__echo", {"mark": f"killed {kind}"}).status == {**REVOKED, "owner": 401, "spared": 200}[kind], kind
        finally:
            assert stop(again) == 0
    assert [mark for mark in witness.marks() if mark.startswith("killed")] == ["killed spared"]


def test_agents_of_an_owner_who_left_are_out_until_somebody_else_answers_for_them(
    gateway: Running, issuers: Issuers, witness: Witness
) -> None:
    with (
        Client(gateway.url(), issuers.corp.token("adas-one", "carol")) as one,
        Client(gateway.url(), issuers.corp.token("bens", "carol")) as bens,
    ):
        assert (one.call("up__echo").status, bens.call("up__echo").status) == (200, 200)
        pending, began = one.begin_call("up__wait", {"mark": "owner left"}), time.monotonic()
        witness.has_seen("owner left")
        output = ordered(gateway, "agent", "owner-left", "ada")
        assert "adas-one is suspended" in output
        assert pending.said().reason == "revoked_meanwhile"
        until(lambda: "owner left" in witness.ended)
        assert time.monotonic() - began < AT_ONCE_SECONDS
        assert (one.call("up__echo").status, bens.call("up__echo").status) == (401, 200)
        with Client(gateway.url(), issuers.corp.token("adas-next", "carol")) as new:
            assert new.call("up__echo").status == 401
        code, output = told(gateway, "agent", "resume", "adas-one")
        assert (code, "ada" in output) == (1, True)
        ordered(gateway, "agent", "edit", "adas-one", "--owner", "ben")
        ordered(gateway, "agent", "resume", "adas-one")
        assert one.call("up__echo").status == 200
    [left] = events(gateway.directory / "state", "agent_suspended")
    assert (left["fields"]["agent"], left["fields"]["why"]) == ("adas-one", "owner_left")

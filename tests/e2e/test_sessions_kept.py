"""Sessions of the session era through a running gateway: whose they are, what they outlive, and what ends them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from doorward.call.sessions import SessionRow
from doorward.stores.sqlite.sealed import Sealed
from tests.e2e.client import Client, Said
from tests.e2e.commands import asked, ordered, told
from tests.e2e.grants import claims_of, connected, granted, refreshed
from tests.e2e.issuer import PUBLIC, Issuer, issuing
from tests.e2e.log import events, until
from tests.e2e.oauth import House, house
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream, start, stop
from tests.sealing import of_state

REVISION = "2025-11-25"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        yield made


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with witnessing() as made:
        yield made


def document(issuer: Issuer, witness: Witness, **sessions: int) -> dict[str, Any]:
    return {
        "listen": {"port": 0, "public_url": PUBLIC},
        "identity": {
            "issuers": {"corp": issuer.document()},
            "enrol": [{"issuer": "corp", "agent": "{name}", "team": "people", "owner": "ada"}],
        },
        "upstreams": {"up": http_upstream(witness.url)},
        "sessions": sessions,
    }


@pytest.fixture(scope="module")
def gateway(issuer: Issuer, witness: Witness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with doorward(tmp_path_factory.mktemp("sessions"), document(issuer, witness, per_principal=2)) as running:
        yield running


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("kept")) as made:
        yield made


def opened(gateway: Running, key: str) -> Client:
    one = Client(gateway.url(), key, REVISION)
    one.open()
    return one


def in_session(gateway: Running, session: str, key: str, upstream: str = "") -> Said:
    """A call in a session that somebody has opened."""
    with Client(gateway.url(upstream), key, REVISION, session=session) as one:
        return one.call("echo" if upstream else "up__echo")


def rows(gateway: Running, principal: str) -> list[dict[str, Any]]:
    """The sessions of a principal, the newest first."""
    return [one for one in asked(gateway, "session", "list")["sessions"] if one["principal"] == principal]


def test_session_outlives_the_key_it_was_opened_with(gateway: Running) -> None:
    with opened(gateway, gateway.key("keyed")) as one:
        next_key = asked(gateway, "agent", "rotate", "keyed", "--overlap-hours", "0")["key"]
        assert one.call("up__echo").status == 401
        assert in_session(gateway, one.session, next_key).text
        assert in_session(gateway, one.session, gateway.key("another")).status == 404


def test_session_outlives_a_refreshed_token_of_the_same_principal_and_is_unknown_to_every_other(gateway: Running, issuer: Issuer) -> None:
    with opened(gateway, issuer.token("desktop", "anna")) as one:
        assert in_session(gateway, one.session, issuer.token("desktop", "anna", groups=["sales"])).text
        others = {
            "another person": issuer.token("desktop", "ben"),
            "another agent": issuer.token("laptop", "anna"),
            "nobody": issuer.token("desktop"),
            "a key": gateway.key("desktop-key"),
        }
        for whose, key in others.items():
            refused = in_session(gateway, one.session, key)
            assert refused.status == 404, whose
            assert refused.raw == in_session(gateway, "made up", key).raw, whose
        assert in_session(gateway, one.session, issuer.token("desktop", "anna"), "up").status in {401, 404}
        assert in_session(gateway, one.session, "").status == 401
        assert one.call("up__echo").text


@pytest.mark.peer
def test_session_outlives_a_refresh_at_our_own_authority_and_ends_with_the_family(ours: House) -> None:
    had = connected(ours.running)
    with opened(ours.running, had["access_token"]) as one:
        listening = one.listen()
        assert listening.opened().status == 200
        fresh = granted(refreshed(ours.running, had["refresh_token"]))
        assert in_session(ours.running, one.session, fresh["access_token"]).text
        assert in_session(ours.running, one.session, connected(ours.running, scope="mcp:read")["access_token"]).text
        one.key = fresh["access_token"]
        pending = one.begin_call("up__wait", {"mark": "of a family"})
        ours.witness.has_seen("of a family")
        ordered(ours.running, "revoke", f"family:{claims_of(fresh['access_token'])['fam']}", "--reason", "A leak")
        assert pending.said().reason == "revoked_meanwhile"
        until(lambda: "of a family" in ours.witness.ended)
        while listening.event() is not None:
            pass
        assert one.call("up__echo").status == 401
        assert refreshed(ours.running, fresh["refresh_token"])[0] == 400
        # Who signs in again is the same principal.
        assert in_session(ours.running, one.session, connected(ours.running)["access_token"]).text


def test_session_is_listed_and_killed_with_what_runs_in_it(gateway: Running, issuer: Issuer, witness: Witness) -> None:
    token = issuer.token("listed", "carol")
    with opened(gateway, token) as one, opened(gateway, token) as other:
        ids = [row["id"] for row in rows(gateway, "listed/corp:carol")]
        assert ids[0] in ordered(gateway, "session", "list")
        # The newest is listed first.
        killed = ids[1]
        pending, spared = one.begin_call("up__wait", {"mark": "killed"}), other.begin_call("up__wait", {"mark": "not killed"})
        listening = one.listen()
        assert listening.opened().status == 200
        witness.has_seen("killed")
        witness.has_seen("not killed")
        assert ordered(gateway, "session", "kill", killed) == f"session {killed} is killed\n"
        assert pending.said().reason == "revoked_meanwhile"
        until(lambda: "killed" in witness.ended)
        while listening.event() is not None:
            pass
        assert one.call("up__echo").status == 404
        assert told(gateway, "session", "kill", killed)[0] == 1
        witness.release()
        assert spared.said().text
        assert [row["id"] for row in rows(gateway, "listed/corp:carol")] == ids[:1]
        one.session = ""
        assert one.call("up__echo").text
    [leaf] = events(gateway.directory / "state", "session_killed")
    assert (leaf["fields"]["session"], "carol" in str(leaf)) == (killed, False)


def test_principal_has_so_many_sessions_and_the_one_heard_least_lately_makes_room(gateway: Running, issuer: Issuer) -> None:
    token = issuer.token("crowded", "dora")
    with opened(gateway, token) as first, opened(gateway, token) as second:
        assert first.call("up__echo").text
        with opened(gateway, token) as third:
            assert [one.call("up__echo").status for one in (first, second, third)] == [200, 404, 200]
    assert len(rows(gateway, "crowded/corp:dora")) == 2


def test_sessions_end_when_they_are_idle_and_when_they_are_too_old_also_while_nobody_looks(
    tmp_path: Path, issuer: Issuer, witness: Witness
) -> None:
    with doorward(tmp_path, document(issuer, witness, idle_seconds=600, absolute_seconds=3600)) as running:
        clients = {name: opened(running, issuer.token(name, "erin")) for name in ("fresh", "idle", "old")}
        assert stop(running) == 0
        now = time.time()
        moved(running, "idle/corp:erin", created=now - 700, seen=now - 700)
        moved(running, "old/corp:erin", created=now - 3700, seen=now - 1)
        moved(running, "fresh/corp:erin", created=now - 3000, seen=now - 500)
        again = start(running.directory)
        try:
            listed = {row["principal"]: row for row in asked(again, "session", "list")["sessions"]}
            assert list(listed) == ["fresh/corp:erin"]
            assert listed["fresh/corp:erin"]["ends"] == pytest.approx(now + 100, abs=1)
            said = {name: in_session(again, one.session, one.key).status for name, one in clients.items()}
            assert said == {"fresh": 200, "idle": 404, "old": 404}
            # It has spoken, so what ends it now is its age.
            [row] = rows(again, "fresh/corp:erin")
            assert row["ends"] == pytest.approx(now + 600, abs=1)
        finally:
            assert stop(again) == 0


def moved(gateway: Running, principal: str, **changed: float) -> None:
    """Makes a session older than it is, while no gateway runs."""
    state = gateway.directory / "state"
    sealed = Sealed(of_state(state), "session")
    with closing(sqlite3.connect(state / "doorward.db")) as database, database:
        found = [(name, sealed.read(record, SessionRow, name)) for name, record in database.execute("SELECT * FROM session")]
        [(name, row)] = [(name, row) for name, row in found if row.principal == principal]
        aged = sealed.write(replace(row, **changed), name)  # times alone
        database.execute("INSERT OR REPLACE INTO session VALUES (?, ?)", (name, aged))

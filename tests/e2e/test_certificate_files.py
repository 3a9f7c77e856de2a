"""Certificates, roots and revocation lists change under a running gateway: nobody is dropped but those who are meant."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Self

import pytest
from cryptography.hazmat.primitives import hashes

from tests.certificates import Issued, authority, now, pem, server
from tests.e2e.client import Client
from tests.e2e.commands import ordered
from tests.e2e.log import PATIENT, events, until
from tests.e2e.secured import DOMAIN, TURNED_AWAY, Place, asks, client, is_over, is_turned_away, loaded, named, print_of, rejected, said
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream, start, stop

CALLERS = 8
SOON_SECONDS = {"command": 1.0, "list": 2.5}
"""How soon what is revoked is cut off; a changed file is looked at once a second."""


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with witnessing() as made:
        yield made


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def gateway(place: Place, witness: Witness) -> Iterator[Running]:
    """It believes whoever comes from the root, and speaks TLS 1.2 too."""
    enrol = [{"spiffe": f"{DOMAIN}/agents/*", "agent": "{name}", "team": "ci", "owner": "ada"}]
    document = {
        "listen": place.listen(minimum="1.2"),
        "identity": {"enrol": enrol},
        "upstreams": {"up": http_upstream(witness.url)},
        "admission": {"calls_per_minute": 1_000_000, "burst": 1_000_000},
        "runaway": PATIENT,
    }
    with doorward(place.directory, document) as running:
        yield running


class Callers:
    """Clients that call again and again on connections that they keep, each in a thread of its own."""

    def __init__(self, clients: list[Client]) -> None:
        self.made = [0] * len(clients)
        self.failed: list[object] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=pair) for pair in enumerate(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        self.go_on()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def go_on(self) -> None:
        """Returns once each of them has called five times more."""
        before = list(self.made)
        until(lambda: self.failed or all(now - then >= 5 for now, then in zip(self.made, before, strict=True)))
        assert not self.failed

    def _call(self, number: int, one: Client) -> None:
        with one:
            while not self._over.is_set():
                try:
                    got = one.call("up__echo", {"mark": f"{number}"})
                    if got.status != 200 or got.result.get("isError"):
                        self.failed.append(got)
                        return
                except (OSError, http.client.HTTPException, AssertionError) as error:
                    self.failed.append(error)
                    return
                self.made[number] += 1


def sock_of(one: Client) -> ssl.SSLSocket:
    sock = one._connection.sock
    assert isinstance(sock, ssl.SSLSocket)
    return sock


def test_files_are_replaced_while_eight_connections_call_without_one_failure(gateway: Running, place: Place, witness: Witness) -> None:
    shown = [place.root.leaf(named(f"caller-{number}")) for number in range(CALLERS)]
    clients = [client(gateway, place.context(one)) for one in shown]
    other = authority("the next root")
    with Callers(clients) as callers:
        sockets = [sock_of(one) for one in clients]
        # The gateway's own certificate, by another authority.
        place.replace("server.key", (made := server(other)).key_pem)
        place.replace("server.pem", made.pem)
        until(lambda: not is_turned_away(gateway, place.context(shown[0], trusts=other.pem)))
        callers.go_on()
        # Another root beside the first, and a list of it.
        place.replace("roots.pem", place.root.pem + other.pem)
        until(lambda: not is_turned_away(gateway, place.context(other.leaf(named("newcomer")), trusts=other.pem)))
        callers.go_on()
        times = len(gateway.events("certificates_loaded"))
        place.publish(place.root.leaf(named("somebody")).certificate)
        loaded(gateway, times + 1)
        callers.go_on()
        # A file that cannot be used changes nothing.
        place.replace("agents.crl", "no list")
        assert "agents.crl" in next(iter(rejected(gateway)))
        callers.go_on()
        assert [sock_of(one) for one in clients] == sockets
    assert sum(callers.made) >= 4 * 5 * CALLERS
    assert said(gateway, place.context(shown[0], trusts=other.pem)).status == 200


@pytest.mark.parametrize("way", ["list", "command"])
def test_revoked_certificate_loses_its_connections_and_what_it_has_in_flight(
    gateway: Running, place: Place, witness: Witness, way: str
) -> None:
    shown, spared = place.root.leaf(named("gone")), place.root.leaf(named("stays"))
    mark = f"in flight: {way}"
    with client(gateway, place.context(shown)) as one, client(gateway, place.context(spared)) as other:
        assert one.call("up__echo").status == other.call("up__echo").status == 200
        kept = sock_of(other)
        pending, waits = one.begin_call("up__wait", {"mark": mark}), other.begin_call("up__wait", {"mark": f"spared: {way}"})
        listening = one.listen()
        acknowledged = listening.event()
        assert acknowledged is not None
        witness.has_seen(mark)
        witness.has_seen(f"spared: {way}")
        began = time.monotonic()
        revoke(gateway, place, shown, way)
        until(lambda: mark in witness.ended)
        is_over(one)
        assert time.monotonic() - began < SOON_SECONDS[way]
        with pytest.raises(TURNED_AWAY):
            pending.said()
        with suppress(*TURNED_AWAY):
            assert listening.event() is None
        key = gateway.key()
        assert said(gateway, place.context(shown)).status == 401
        assert said(gateway, place.context(shown), key).status == 401
        assert said(gateway, place.context(), key).status == 200
        witness.release()
        assert waits.said().text
        assert other.call("up__echo").status == 200
        assert sock_of(other) is kept
    assert wait_outcomes(gateway, "gone") == [("failed", "revoked_meanwhile")]


def revoke(gateway: Running, place: Place, shown: Issued, way: str) -> None:
    if way == "list":
        place.publish(shown.certificate)
    else:
        ordered(gateway, "revoke", f"certificate:{print_of(shown)}", "--reason", "A leak")


def wait_outcomes(gateway: Running, agent: str) -> list[tuple[str, str]]:
    """What became of an agent's calls of the tool that waits."""
    outcomes = events(gateway.directory / "state", "outcome")
    ended = [leaf["result"] for leaf in outcomes if (leaf["principal"]["agent"], leaf["name"]) == (agent, "wait")]
    return [(result["status"], result.get("reason", "")) for result in ended]


def test_root_that_is_taken_away_ends_what_it_has_vouched_for(gateway: Running, place: Place) -> None:
    other = authority("another root")
    with client(gateway, place.context(place.root.leaf(named("old")))) as old:
        assert old.call("up__echo").status == 200
        place.replace("agents.crl", pem(other.crl()))
        place.replace("roots.pem", other.pem)
        is_over(old)
    assert is_turned_away(gateway, place.context(place.root.leaf(named("old"))))
    assert said(gateway, place.context(other.leaf(named("new")), trusts=place.root.pem)).status == 200


def test_list_that_has_ended_closes_its_authority_loudly_until_the_next_is_there(gateway: Running, place: Place) -> None:
    shown = place.context(place.root.leaf(named("waits")))
    with client(gateway, shown) as one:
        assert one.call("up__echo").status == 200
        place.publish(ends=now() - timedelta(hours=1))
        is_over(one)
    assert said(gateway, shown).status == 401
    assert said(gateway, place.context(), gateway.key()).status == 200
    [told, *_] = until(lambda: gateway.events("revocation_list_ended"))
    assert (told["level"], told["issuer"]) == ("error", "CN=root")
    place.publish()
    until(lambda: said(gateway, shown).status == 200)


def test_gateway_that_starts_with_an_ended_list_says_so_at_once(tmp_path: Path, witness: Witness) -> None:
    place = Place(tmp_path)
    place.publish(ends=now() - timedelta(hours=1))
    with doorward(tmp_path, {"listen": place.listen(), "upstreams": {"up": http_upstream(witness.url)}}) as running:
        assert [line["issuer"] for line in running.events("revocation_list_ended")] == ["CN=root"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_session_of_before_a_revocation_brings_nobody_back(gateway: Running, place: Place, version: ssl.TLSVersion) -> None:
    shown = place.root.leaf(named("resumes"))
    context = place.context(shown, version)
    first = asks(gateway, context)
    assert b" 200 " in first.said
    resumed = asks(gateway, context, first.session)
    assert not resumed.is_resumed or not resumed.said
    place.publish(shown.certificate)
    until(lambda: b" 401 " in asks(gateway, context).said)
    for _ in range(3):
        again = asks(gateway, context, first.session)
        assert not again.said or (b" 401 " in again.said and not again.is_resumed)


def test_certificate_that_is_only_stopped_keeps_its_connection_and_goes_on_afterwards(gateway: Running, place: Place) -> None:
    shown = place.root.leaf(named("pauses"))
    with client(gateway, place.context(shown)) as one:
        assert one.call("up__echo").text
        kept = sock_of(one)
        ordered(gateway, "stop", f"certificate:{print_of(shown)}", "--reason", "An audit")
        assert one.call("up__echo").reason == "stopped"
        ordered(gateway, "resume", f"certificate:{print_of(shown)}")
        assert one.call("up__echo").text
        assert sock_of(one) is kept


def test_certificate_that_ends_while_it_is_connected_is_refused_from_then_on(gateway: Running, place: Place) -> None:
    with client(gateway, place.context(place.root.leaf(replace(named("ends"), ends=now() + timedelta(seconds=2))))) as one:
        assert one.call("up__echo").status == 200
        kept = sock_of(one)
        until(lambda: one.call("up__echo").status == 401)
        assert sock_of(one) is kept


def test_revocation_by_command_outlives_a_kill(gateway: Running, place: Place) -> None:
    shown, spared = place.root.leaf(named("killed")), place.root.leaf(named("killed"))
    assert said(gateway, place.context(shown)).status == 200
    ordered(gateway, "revoke", f"certificate:{shown.certificate.fingerprint(hashes.SHA256()).hex(':')}", "--reason", "A leak")
    gateway.kill()
    again = start(gateway.directory)
    try:
        assert [said(again, place.context(one)).status for one in (shown, spared)] == [401, 200]
        assert said(again, place.context(shown), again.key()).status == 401
    finally:
        assert stop(again) == 0

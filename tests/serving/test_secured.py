"""Client certificates from the handshake to the agent, with files that change under a listener that goes on."""

import asyncio
import os
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509

from doorward.config.authorities import AuthorityError
from doorward.config.identity import Certificates as Rules
from doorward.config.model import Listen, Tls
from doorward.domain.reasons import Refused
from doorward.identity.certificates.reader import thumbprint
from doorward.identity.certificates.source import Certificates
from doorward.identity.certificates.spoiled import Spoiled
from doorward.identity.certificates.trust import Trust
from doorward.identity.chain import Chain
from doorward.net.tls import TlsError
from doorward.serving.listener import Listener
from doorward.serving.port import CONNECTION, Receive, Scope, Send
from doorward.serving.tls import Secured, prepared
from tests.certificates import DAY, Authority, Issued, authority, now, pem, server
from tests.identity.certificates.house import House, presented
from tests.made import Clock
from tests.serving.secured import Place, asked, secured, told, visit
from tests.serving.sockets import settled

pytestmark = pytest.mark.anyio


class Here:
    """A listener whose files are in a directory, and the agent `one`, who is known by a certificate of an intermediate."""

    def __init__(self, directory: Path, minimum: str) -> None:
        self.place = Place(directory, authority())
        self.between = self.place.root.intermediate("between")
        self.clock = Clock(time.time())
        self.house = House(clock=self.clock)
        (directory / "roots.pem").write_text(self.place.root.pem + self.between.pem)
        self.revokes(self.place.root)
        self.revokes(self.between)
        server(self.place.root).written(directory, "server")
        rules = Tls(certificate="server.pem", key="server.key", clients="optional", roots=("roots.pem",), crls=("root.crl", "between.crl"))
        self.listen = Listen(tls=rules.model_copy(update={"minimum": minimum}))
        self.secured: Secured | None = None

    def revokes(self, by: Authority, *issued: x509.Certificate, ends: float = 1) -> None:
        """Puts another list in place of the one of an authority; it ends after so many days."""
        name = by.certificate.subject.rfc4514_string().removeprefix("CN=")
        path = self.place.directory / f"{name}.crl"
        path.with_suffix(".new").write_text(pem(by.crl(issued, ends=now() + ends * DAY)))
        path.with_suffix(".new").rename(path)

    def reload(self) -> list[str]:
        """Reads the files again; gives the thumbprints that ended."""
        assert self.secured is not None
        return [one.thumbprint for one in self.secured.adopt(prepared(self.listen, self.place.directory, None, self.clock()))]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.secured is not None
        source = Certificates(Rules(), None, self.house.enrolment, self.house.registry, self.clock)
        status, body = 200, b""
        try:
            principal = await Chain([self.secured.spoiled, source]).identified(presented(scope[CONNECTION].certificate))
            body = principal.agent.id.encode()
        except Refused as refused:
            status, body = 401, refused.reason.encode()
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(directory: Path, minimum: str = "1.3") -> AsyncIterator[tuple[Here, Listener, int]]:
    here = Here(directory, minimum)
    await here.house.add()
    first = prepared(here.listen, directory, None, here.clock())
    assert first.context is not None
    async with secured(first.context, here) as (listener, port):
        here.secured = Secured(listener, Spoiled(first.trust, here.clock))
        yield here, listener, port


async def opened(here: Here, port: int, shown: Issued) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, ssl=here.place.trusting(shown), server_hostname="localhost")


@pytest.mark.parametrize("what", ["leaf", "intermediate"])
async def test_revoked_certificate_ends_on_open_connections_and_new_ones_and_others_go_on(tmp_path: Path, what: str) -> None:
    async with serving(tmp_path) as (here, listener, port):
        bad, good = here.between.leaf(), here.place.root.leaf()
        pairs = [await opened(here, port, shown) for shown in (bad, good)]
        assert [await asked(*pair) for pair in pairs] == [b"one", b"one"]
        if what == "leaf":
            here.revokes(here.between, bad.certificate)
        else:
            here.revokes(here.place.root, here.between.certificate)
        assert len(here.reload()) == 1
        await settled(listener, 1)
        assert await asked(*pairs[1]) == b"one"
        assert await told(port, here.place.trusting(bad)) == b"revoked"
        assert await told(port, here.place.trusting(good)) == b"one"
        for _, writer in pairs:
            writer.transport.abort()


async def test_certificate_that_an_operator_revokes_loses_its_open_connections_and_no_others_do(tmp_path: Path) -> None:
    async with serving(tmp_path) as (here, listener, port):
        bad, good = here.between.leaf(), here.place.root.leaf()
        pairs = [await opened(here, port, shown) for shown in (bad, good)]
        assert [await asked(*pair) for pair in pairs] == [b"one", b"one"]
        assert here.secured is not None
        here.secured.withdraw(thumbprint(bad.der))
        await settled(listener, 1)
        assert await asked(*pairs[1]) == b"one"
        for _, writer in pairs:
            writer.transport.abort()


async def test_revoked_certificate_is_refused_on_its_next_request_even_if_its_connection_is_not_cut(tmp_path: Path) -> None:
    async with serving(tmp_path) as (here, _, port):
        shown = here.between.leaf()
        pair = await opened(here, port, shown)
        assert await asked(*pair) == b"one"
        here.revokes(here.between, shown.certificate)
        assert here.secured is not None
        here.secured.spoiled.adopt(prepared(here.listen, tmp_path, None, here.clock()).trust)
        assert await asked(*pair) == b"revoked"
        pair[1].transport.abort()


@pytest.mark.parametrize(
    ("minimum", "version"), [("1.2", ssl.TLSVersion.TLSv1_2), ("1.2", ssl.TLSVersion.TLSv1_3), ("1.3", ssl.TLSVersion.TLSv1_3)]
)
async def test_session_of_before_a_revocation_brings_nobody_back(tmp_path: Path, minimum: str, version: ssl.TLSVersion) -> None:
    async with serving(tmp_path, minimum) as (here, _, port):
        shown = here.between.leaf()
        client = here.place.trusting(shown, version)
        first = await asyncio.to_thread(visit, port, client)
        here.revokes(here.between, shown.certificate)
        here.reload()
        again = [await asyncio.to_thread(visit, port, client, first.session) for _ in range(2)]
    assert first.said == b"one"
    assert [(one.said, one.is_resumed) for one in again] == [(b"revoked", False)] * 2


async def test_removed_root_ends_what_it_has_vouched_for(tmp_path: Path) -> None:
    async with serving(tmp_path) as (here, listener, port):
        pair = await opened(here, port, here.place.root.leaf())
        assert await asked(*pair) == b"one"
        (tmp_path / "roots.pem").write_text(authority("other").pem)
        with pytest.raises(AuthorityError):
            # Its lists are nobody's now: the files have to change together.
            here.reload()
        assert await asked(*pair) == b"one"
        here.listen = Listen(tls=here.listen.tls.model_copy(update={"crls": ()}) if here.listen.tls else None)
        assert len(here.reload()) == 1
        await settled(listener, 0)
        pair[1].transport.abort()


async def test_expired_certificate_and_ended_list_close_connections_by_time_alone(tmp_path: Path) -> None:
    async with serving(tmp_path) as (here, listener, port):
        here.revokes(here.between, ends=1 / 24)
        here.reload()
        pairs = [await opened(here, port, shown) for shown in (here.between.leaf(), here.place.root.leaf())]
        assert [await asked(*pair) for pair in pairs] == [b"one", b"one"]
        assert here.secured is not None
        assert (here.secured.sweep(), here.secured.spoiled.closed()) == ((), ())
        here.clock.at += 3700
        assert (len(here.secured.sweep()), here.secured.spoiled.closed()) == (1, ("CN=between",))
        await settled(listener, 1)
        here.clock.at += 86_400
        assert len(here.secured.sweep()) == 1
        await settled(listener, 0)
        for _, writer in pairs:
            writer.transport.abort()


@pytest.mark.parametrize("broken", ["server.pem", "server.key", "roots.pem", "root.crl"])
async def test_broken_file_changes_nothing(tmp_path: Path, broken: str) -> None:
    async with serving(tmp_path) as (here, _, port):
        shown = here.between.leaf()
        (tmp_path / broken).write_bytes(os.urandom(100))
        with pytest.raises((AuthorityError, TlsError)):
            here.reload()
        assert await told(port, here.place.trusting(shown)) == b"one"


def test_listener_without_tls_has_no_context(tmp_path: Path) -> None:
    found = prepared(Listen(), tmp_path, None, 0.0)
    assert (found.trust, found.context) == (Trust(), None)

"""TLS on loopback: who is let in, what is never resumed, and what open connections live through."""

import asyncio
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from doorward.net.tls import Clients, server_context
from doorward.serving.port import CONNECTION, Receive, Scope, Send
from tests.certificates import DAY, FOR_SERVERS, SPIFFE, Authority, Issued, Wanted, authority, now
from tests.serving.secured import Place, asked, place, secured, told, visit
from tests.serving.sockets import GET, settled, until

pytestmark = pytest.mark.anyio

OLD, NEW = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture
def here(tmp_path: Path) -> Place:
    return place(tmp_path)


async def test_client_without_a_certificate_is_nobody_where_none_is_required(here: Place) -> None:
    async with secured(server_context(here.served())) as (_, port):
        assert await told(port, here.trusting()) == b"nobody"


async def test_names_of_a_verified_certificate_reach_the_app(here: Place) -> None:
    shown = here.root.leaf(Wanted("one", (SPIFFE,), ("one.example.org",)))
    async with secured(server_context(here.served(clients=Clients.REQUIRED))) as (_, port):
        assert await told(port, here.trusting(shown)) == b"spiffe://example.org/agents/one one.example.org CN=one"


async def test_path_over_an_intermediate_is_known_to_its_root(here: Place) -> None:
    between = here.root.intermediate("between")
    shown = between.leaf()
    async with secured(server_context(here.served())) as (listener, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=here.trusting(shown), server_hostname="localhost")
        await settled(listener, 1)
        (connection,) = listener._open()
        assert connection.certificate is not None
        assert connection.certificate.path == (
            ("CN=between", shown.certificate.serial_number),
            ("CN=root", between.certificate.serial_number),
        )
        writer.close()
        del reader


def expired(root: Authority) -> Issued:
    return root.leaf(Wanted(begins=now() - 3 * DAY, ends=now() - DAY))


def not_yet_valid(root: Authority) -> Issued:
    return root.leaf(Wanted(begins=now() + DAY, ends=now() + 2 * DAY))


def of_another_root(root: Authority) -> Issued:
    return authority(root.certificate.subject.rfc4514_string().removeprefix("CN=")).leaf()


def for_servers_only(root: Authority) -> Issued:
    return root.leaf(Wanted(usages=FOR_SERVERS))


def without_its_intermediate(root: Authority) -> Issued:
    return root.intermediate("between").leaf().alone()


def from_a_leaf(root: Authority) -> Issued:
    leaf = root.leaf()
    return Authority(leaf.certificate, leaf.key, (leaf.certificate,)).leaf()


ZOO = [expired, not_yet_valid, of_another_root, for_servers_only, without_its_intermediate, from_a_leaf]


@pytest.mark.parametrize("clients", [Clients.OPTIONAL, Clients.REQUIRED])
@pytest.mark.parametrize("made", ZOO)
async def test_certificate_that_does_not_hold_is_not_served(here: Place, made: object, clients: Clients) -> None:
    shown = made(here.root)  # type: ignore[operator]
    async with secured(server_context(here.served(clients=clients))) as (listener, port):
        assert await told(port, here.trusting(shown)) == b""
        assert await told(port, here.trusting(here.root.leaf())) != b""
        await settled(listener, 0)


async def test_missing_certificate_is_not_served_where_one_is_required(here: Place) -> None:
    async with secured(server_context(here.served(clients=Clients.REQUIRED))) as (_, port):
        assert await told(port, here.trusting()) == b""


async def test_certificate_is_not_asked_for_where_it_is_off(here: Place) -> None:
    async with secured(server_context(here.served(clients=Clients.OFF))) as (_, port):
        assert await told(port, here.trusting(here.root.leaf())) == b"nobody"


async def test_older_tls_is_spoken_only_where_it_is_allowed(here: Place) -> None:
    client = here.trusting(newest=OLD)
    async with secured(server_context(here.served())) as (_, port):
        assert await told(port, client) == b""
    async with secured(server_context(here.served(minimum=OLD))) as (_, port):
        assert await told(port, client) == b"nobody"


@pytest.mark.parametrize("version", [OLD, NEW], ids=["1.2", "1.3"])
async def test_session_is_never_resumed_and_its_holder_may_come_again(here: Place, version: ssl.TLSVersion) -> None:
    client = here.trusting(here.root.leaf(Wanted("one")), version)
    async with secured(server_context(here.served(minimum=OLD))) as (_, port):
        first = await asyncio.to_thread(visit, port, client)
        second = await asyncio.to_thread(visit, port, client, first.session)
        third = await asyncio.to_thread(visit, port, client, first.session)
    assert first.said.endswith(b"CN=one")
    # With 1.2 OpenSSL's own cache takes the session up again, and we hang up; with 1.3 there is no ticket to come back with.
    assert (second.said, second.is_resumed) == ((b"", True) if version is OLD else (first.said, False))
    assert (third.said, third.is_resumed) == (first.said, False)


@pytest.mark.parametrize("version", [OLD, NEW], ids=["1.2", "1.3"])
async def test_session_of_before_a_reload_means_nothing_after_it(here: Place, version: ssl.TLSVersion) -> None:
    client = here.trusting(here.root.leaf(Wanted("one")), version)
    async with secured(server_context(here.served(minimum=OLD))) as (listener, port):
        first = await asyncio.to_thread(visit, port, client)
        listener.reload(server_context(here.served(minimum=OLD, roots=authority("other").pem)))
        second = await asyncio.to_thread(_refused, port, client, first.session)
    assert second


def _refused(port: int, client: ssl.SSLContext, session: ssl.SSLSession | None) -> bool:
    try:
        return visit(port, client, session).said == b""
    except OSError:
        return True


async def test_open_connection_lives_through_a_reload_and_new_ones_see_the_new_certificate(here: Place) -> None:
    client = here.trusting()
    async with secured(server_context(here.served())) as (listener, port):
        kept = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname="localhost")
        before = kept[1].get_extra_info("ssl_object").getpeercert(True)
        assert await asked(*kept) == b"nobody"
        listener.reload(server_context(here.served()))
        assert await asked(*kept) == b"nobody"
        fresh = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname="localhost")
        assert await asked(*fresh) == b"nobody"
        assert fresh[1].get_extra_info("ssl_object").getpeercert(True) != before
        for _, writer in (kept, fresh):
            writer.close()


async def test_nobody_is_refused_while_it_is_reloaded(here: Place) -> None:
    client = here.trusting(here.root.leaf(Wanted("one")))
    context = server_context(here.served())
    async with secured(context) as (listener, port):

        async def some() -> list[bytes]:
            return [await told(port, client) for _ in range(25)]

        going = [asyncio.create_task(some()) for _ in range(8)]
        reloads = 0
        while not all(task.done() for task in going):
            listener.reload(server_context(here.served()))
            reloads += 1
            await asyncio.sleep(0.01)
        answers = [answer for task in going for answer in await task]
    assert reloads > 3
    assert answers == [SPIFFE.encode() + b" CN=one"] * 200


async def test_connections_of_a_spoiled_certificate_are_cut_and_no_others(here: Place) -> None:
    good, bad = here.root.leaf(Wanted("good")), here.root.leaf(Wanted("bad"))
    async with secured(server_context(here.served())) as (listener, port):
        pairs = [
            await asyncio.open_connection("127.0.0.1", port, ssl=here.trusting(shown), server_hostname="localhost") for shown in (good, bad)
        ]
        await settled(listener, 2)
        ended = listener.cut(lambda certificate: certificate.subject == "CN=bad")
        assert [one.subject for one in ended] == ["CN=bad"]
        await settled(listener, 1)
        assert await asked(*pairs[0]) == SPIFFE.encode() + b" CN=good"
        for _, writer in pairs:
            writer.transport.abort()


async def test_silent_handshakes_take_seats_lose_them_to_who_comes_and_end_in_time(here: Place) -> None:
    async with secured(server_context(here.served()), connections=2, handshake_seconds=0.3) as (listener, port):
        assert listener._handshakes is not None
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        await until(lambda: len(listener._handshakes._arriving) == 2)  # type: ignore[union-attr]
        assert await told(port, here.trusting()) == b"nobody"
        assert await silent[0][0].read() == b""
        assert len(listener._handshakes._arriving) <= 1
        assert await silent[1][0].read() == b""
        await until(lambda: not listener._handshakes._arriving)  # type: ignore[union-attr]
        for _, writer in silent:
            writer.close()


async def test_client_that_does_not_read_is_cut_off_over_tls_too(here: Place) -> None:
    ended = asyncio.Event()

    async def flood(scope: Scope, receive: Receive, send: Send) -> None:
        scope[CONNECTION].on_hangup(ended.set)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not ended.is_set():
            await send({"type": "http.response.body", "body": b"z" * 65_536, "more_body": True})

    async with secured(server_context(here.served()), flood) as (listener, port):
        client = socket.create_connection(("127.0.0.1", port))
        silent = await asyncio.to_thread(here.trusting().wrap_socket, client, server_hostname="localhost")
        await asyncio.to_thread(silent.sendall, GET)
        await settled(listener, 1)
        (connection,) = listener._open()
        await until(lambda: connection.is_behind)
        listener.sweep(29 + asyncio.get_running_loop().time())
        assert not ended.is_set()
        listener.sweep(31 + asyncio.get_running_loop().time())
        await asyncio.wait_for(ended.wait(), 5)
        silent.close()


async def test_silent_connection_is_ended_at_the_deadline_of_its_head(here: Place) -> None:
    async with secured(server_context(here.served())) as (listener, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=here.trusting(), server_hostname="localhost")
        await settled(listener, 1)
        listener.sweep(6 + asyncio.get_running_loop().time())
        assert await reader.read() == b""
        await settled(listener, 0)
        writer.close()


async def test_plain_http_is_not_answered(here: Place) -> None:
    async with secured(server_context(here.served())) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"HTTP" not in await reader.read()
        writer.close()


async def test_drain_lets_go_of_who_is_not_in_yet(here: Place) -> None:
    async with secured(server_context(here.served())) as (listener, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await until(lambda: len(listener._handshakes._arriving) == 1)  # type: ignore[union-attr]
        await listener.drain(5)
        assert await reader.read() == b""
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)
        writer.close()


ON_UVLOOP = """
import asyncio, os, ssl, sys
from pathlib import Path
import uvloop
from doorward.net.tls import Clients, server_context
from doorward.serving.port import CONNECTION, Receive, Scope, Send
from tests.certificates import SPIFFE, Wanted
from tests.serving.secured import asked, place, secured, told, visit
from tests.serving.sockets import settled

def files():
    return len(os.listdir("/dev/fd"))

async def main():
    here = place(Path(sys.argv[1]))
    good, bad = here.trusting(here.root.leaf(Wanted("one"))), here.trusting(here.root.leaf(Wanted(usages=())).alone())
    wrong = here.trusting(place(Path(sys.argv[1])).root.leaf())
    old = here.trusting(here.root.leaf(Wanted("one")), ssl.TLSVersion.TLSv1_2)
    served = dict(minimum=ssl.TLSVersion.TLSv1_2)
    async with secured(server_context(here.served(**served))) as (listener, port):
        open_files = files()
        kept = await asyncio.open_connection("127.0.0.1", port, ssl=good, server_hostname="localhost")
        for _ in range(10):
            assert await told(port, good) == SPIFFE.encode() + b" CN=one"
            assert await told(port, wrong) == b""
            listener.reload(server_context(here.served(**served)))
        first = await asyncio.to_thread(visit, port, old)
        second = await asyncio.to_thread(visit, port, old, first.session)
        assert (first.said[-3:], second.said, second.is_resumed) == (b"one", b"", True), (first, second)
        assert await asked(*kept) == SPIFFE.encode() + b" CN=one"
        kept[1].transport.abort()
        await settled(listener, 0)
        await asyncio.sleep(0.1)
        assert files() <= open_files + 1, (files(), open_files)
    print("ok")

uvloop.run(main())
"""


def test_the_loop_that_is_used_in_production_does_the_same(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", ON_UVLOOP, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr


EXHAUSTED = """
import asyncio, resource, socket, sys
from pathlib import Path
from doorward.net.tls import server_context
from tests.serving.secured import place, secured, told

async def main():
    here = place(Path(sys.argv[1]))
    client = here.trusting()
    async with secured(server_context(here.served()), connections=4096) as (listener, port):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        held = []
        try:
            while True:
                held.append(socket.create_connection(("127.0.0.1", port)))
                await asyncio.sleep(0.002)
        except OSError:
            pass
        for one in held:
            one.close()
        await asyncio.sleep(1.2)
        assert await told(port, client) == b"nobody", "the accept loop is dead"
        print("alive after", len(held))

{run}
"""


@pytest.mark.parametrize("run", ["asyncio.run(main())", "import uvloop; uvloop.run(main())"], ids=["asyncio", "uvloop"])
def test_running_out_of_file_descriptors_does_not_end_the_accept_loop(run: str, tmp_path: Path) -> None:
    given = [sys.executable, "-c", EXHAUSTED.replace("{run}", run), str(tmp_path)]
    done = subprocess.run(given, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout[:11]) == (0, "alive after"), done.stderr

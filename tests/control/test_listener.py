"""The control socket: private from its first moment, and told by the kernel who is at the other end."""

import asyncio
import grp
import os
import socket
import stat
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from doorward.client.admin import Admin
from doorward.control.app import PEER
from doorward.control.listener import ControlListener, peer_uid, uid_of_ucred, uid_of_xucred, with_peer

pytestmark = pytest.mark.anyio


async def telling(scope: Any, receive: Any, send: Any) -> None:
    """Says whose socket a request came through."""
    body = b'{"uid": %d}' % scope["extensions"][PEER]["uid"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def listening(path: Path, app: Any = telling, group: str | None = None) -> AsyncIterator[ControlListener]:
    listener = ControlListener(app, path, group)
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()


async def test_each_request_is_told_the_uid_of_its_peer(tmp_path: Path) -> None:
    async with listening(tmp_path / "c.sock"):
        answer = await asyncio.to_thread(Admin(tmp_path / "c.sock").get, "/v1/x")
    assert answer == {"uid": os.geteuid()}


async def test_the_socket_is_its_owners_alone_and_gone_after_the_end(tmp_path: Path) -> None:
    path = tmp_path / "c.sock"
    async with listening(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


async def test_the_socket_of_a_dead_gateway_is_replaced(tmp_path: Path) -> None:
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / "c.sock"))
    stale.close()
    async with listening(tmp_path / "c.sock"):
        assert "uid" in await asyncio.to_thread(Admin(tmp_path / "c.sock").get, "/")


async def test_a_group_may_be_let_in(tmp_path: Path) -> None:
    group = grp.getgrgid(os.getegid())
    async with listening(tmp_path / "c.sock", group=group.gr_name) as listener:
        found = listener.path.stat()
        assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o660, group.gr_gid)


def test_a_group_that_is_not_there_leaves_no_socket_open_to_anybody(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no-such-group"):
        ControlListener(telling, tmp_path / "c.sock", "no-such-group")
    assert stat.S_IMODE((tmp_path / "c.sock").stat().st_mode) == 0o600


async def test_neither_a_file_nor_a_living_gateway_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    with pytest.raises(OSError, match="a socket or nothing was expected"):
        ControlListener(telling, tmp_path / "letter")
    async with listening(tmp_path / "c.sock"):
        with pytest.raises(OSError, match="another gateway listens"):
            ControlListener(telling, tmp_path / "c.sock")
        assert "uid" in await asyncio.to_thread(Admin(tmp_path / "c.sock").get, "/")
    assert (tmp_path / "letter").read_text() == "dear"


async def test_a_request_that_runs_is_answered_before_the_end(tmp_path: Path) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        await may_end.wait()
        await telling(scope, receive, send)

    path = tmp_path / "c.sock"
    async with listening(path, slow) as listener:
        asked = asyncio.create_task(asyncio.to_thread(Admin(path).get, "/"))
        await begun.wait()
        ending = asyncio.create_task(listener.stop())
        await asyncio.sleep(0)
        may_end.set()
        assert await asked == {"uid": os.geteuid()}
        await ending


async def test_nothing_a_request_says_changes_who_it_is_from() -> None:
    seen: list[object] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["extensions"][PEER])

    await with_peer(app, 7)({"extensions": {PEER: {"uid": 0}}}, None, None)
    assert seen == [{"uid": 7}]


def test_credentials_of_the_kernel_are_read_as_each_system_writes_them() -> None:
    assert uid_of_ucred(struct.pack("iII", 4242, 4_294_967_294, 100)) == 4_294_967_294
    assert uid_of_xucred(struct.pack("II", 0, 501) + bytes(68)) == 501
    with pytest.raises(OSError, match="version 0"):
        uid_of_xucred(struct.pack("II", 1, 501) + bytes(68))


def test_the_uid_of_a_pair_of_sockets_is_our_own() -> None:
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert peer_uid(one) == os.geteuid()


async def test_a_path_that_is_too_long_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="at most 107 bytes"):
        ControlListener(telling, tmp_path / ("x" * 120))

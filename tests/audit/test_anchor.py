"""Checkpoints outside, and what they show."""

import asyncio
import base64
import re
import socket
from pathlib import Path

import pytest

from doorward import verifier
from doorward.audit.anchor import NO_ANCHOR, FileAnchor, SyslogAnchor, anchors, contradiction, notes
from doorward.audit.merkle import Tree
from doorward.testing.stores.log import SIGNER, fill
from tests.audit.recorders import bench

NOTES = [SIGNER.sign(Tree(size, bytes(32))) for size in (3, 9, 27)]


class Broken:
    """An anchor that fails until it is mended."""

    name = "broken"

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.is_mended = False

    def append(self, note: bytes) -> None:
        if not self.is_mended:
            raise OSError("no route")
        self.taken.append(note)


@pytest.mark.anyio
async def test_each_checkpoint_is_added_once_to_a_file(tmp_path: Path) -> None:
    file = FileAnchor(tmp_path / "anchor")
    chosen = anchors(file)
    assert list(notes(b"")) == []
    for note in (None, NOTES[0], NOTES[0], NOTES[2], NOTES[1]):
        await chosen.offer(note)
    assert list(notes((tmp_path / "anchor").read_bytes())) == [NOTES[0], NOTES[2]]
    assert verifier.split_notes((tmp_path / "anchor").read_bytes()) == [NOTES[0], NOTES[2]]
    assert (file.last(), chosen.warning) == (NOTES[2], None)


def test_a_note_that_was_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    file = FileAnchor(tmp_path / "anchor")
    file.append(NOTES[0])
    for end in (20, 80, len(NOTES[1]) - 10, len(NOTES[1])):
        (tmp_path / "anchor").write_bytes(NOTES[0] + b"\n" + NOTES[1][:end])
        file.append(NOTES[2])
        found = list(notes((tmp_path / "anchor").read_bytes()))
        assert (found[0], found[-1], file.last()) == (NOTES[0], NOTES[2], NOTES[2])


@pytest.mark.anyio
async def test_an_anchor_that_fails_is_said_and_tried_again() -> None:
    broken = Broken()
    chosen = anchors(broken)
    await chosen.offer(NOTES[0])
    assert chosen.warning == "anchors fail: broken: no route"
    broken.is_mended = True
    await chosen.offer(NOTES[0])
    assert broken.taken == [NOTES[0]]
    assert chosen.standings[0].failure is None


def test_a_file_that_is_not_there_has_no_last_checkpoint(tmp_path: Path) -> None:
    assert FileAnchor(tmp_path / "anchor").last() is None


def test_a_log_without_an_anchor_says_what_that_means() -> None:
    assert anchors().warning == NO_ANCHOR


def read_datagram(server: socket.socket) -> bytes:
    return server.recv(4096)


def read_stream(server: socket.socket) -> bytes:
    connection, _ = server.accept()
    with connection:
        framed = b"".join(iter(lambda: connection.recv(4096), b""))
    length, _, message = framed.partition(b" ")
    assert int(length) == len(message)
    return message


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("protocol", "kind", "read"), [("udp", socket.SOCK_DGRAM, read_datagram), ("tcp", socket.SOCK_STREAM, read_stream)]
)
async def test_syslog_is_told_in_its_own_form(protocol: str, kind: socket.SocketKind, read) -> None:  # type: ignore[no-untyped-def]
    with socket.socket(socket.AF_INET, kind) as server:
        server.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            server.listen()
        server.settimeout(10)
        anchor = SyslogAnchor("127.0.0.1", server.getsockname()[1], protocol, lambda: 1_700_000_000.0)  # type: ignore[arg-type]
        reading = asyncio.create_task(asyncio.to_thread(read, server))
        await anchors(anchor).offer(NOTES[1])
        message = await reading
    form = rb"<109>1 2023-11-14T22:13:20\.000000Z \S+ doorward \d+ checkpoint - doorward-checkpoint (\S+)"
    matched = re.fullmatch(form, message)
    assert matched is not None
    assert base64.b64decode(matched[1]) == NOTES[1]
    assert verifier.split_notes(message) == [NOTES[1]]


@pytest.mark.anyio
async def test_a_log_that_does_not_grow_from_its_anchor_is_found_at_the_start() -> None:
    at = bench()
    await fill(at.log, 7)
    anchored = await at.log.seal()
    assert anchored is not None
    await fill(at.log, 3)
    assert await contradiction(at.log, anchored, SIGNER.vkey) is None
    cut = await contradiction(at.log, SIGNER.sign(Tree(11, bytes(32))), SIGNER.vkey)
    rewritten = await contradiction(at.log, SIGNER.sign(Tree(7, bytes(32))), SIGNER.vkey)
    foreign = await contradiction(at.log, anchored.replace(b"log.test", b"log.best"), SIGNER.vkey)
    assert [said is not None and said.split(":")[-1] for said in (cut, rewritten)] == [
        " an older copy was put back, or the end was cut off",
        " the log was rewritten",
    ]
    assert foreign is not None

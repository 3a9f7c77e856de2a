"""The verifier on what a gateway leaves behind: a database, an export, receipts, anchors; as a program of its own."""

import asyncio
import base64
import json
import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from doorward import verifier
from doorward.audit.anchor import FileAnchor
from doorward.audit.checkpoint import Signer
from doorward.audit.export import export
from doorward.audit.merkle import Tree
from doorward.domain.ids import CallId
from doorward.testing.stores.log import SIGNER
from tests.stores.recording import recording
from tests.stores.told import intent, numbered, outcome
from tests.verifier.logs import sound

KEY = str(SIGNER.vkey)
CALLS = 300


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What 300 calls leave: `state/doorward.db`, `export`, `receipt.json`, `anchor`."""
    path = tmp_path_factory.mktemp("left")

    async def work() -> None:
        async with recording(path / "state") as opened:
            await opened.recorder.start({})
            for number in range(CALLS):
                call = numbered(f"call-{number}")
                await opened.recorder.intend(intent(call))
                await opened.recorder.conclude(outcome(call))
            await export(opened.log, SIGNER.vkey, path / "export")
            (path / "receipt.json").write_bytes(await opened.auditor.receipt(CallId("call-7")) or b"")
            note = opened.log.checkpoint()
            assert note is not None
            FileAnchor(path / "anchor").append(note)

    asyncio.run(work())
    return path


@pytest.fixture
def copy(left: Path, tmp_path: Path) -> Path:
    """A copy to tamper with."""
    for source in left.rglob("*"):
        target = tmp_path / source.relative_to(left)
        if source.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    return tmp_path


def run(*arguments: str | Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = verifier.main([str(argument) for argument in arguments])
    return code, capsys.readouterr().out


SIZE = 2 * CALLS + 1
"""With the leaf of the start."""


def test_what_was_left_untouched_verifies(left: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("state/doorward.db", "export"):
        said = run(left / name, "--key", KEY, "--trusted", left / "anchor", capsys=capsys)
        assert said == (0, f"OK: {SIZE} leaves, {SIZE} under the log's own checkpoint, {SIZE} under a trusted one\n")
    said = run(left / "receipt.json", "--key", left / "export" / "vkey", capsys=capsys)
    assert said == (0, f"OK: 2 leaves, {SIZE} under the log's own checkpoint, 0 under a trusted one\n")


def test_it_runs_alone_from_any_place(left: Path, tmp_path: Path) -> None:
    """A copy of the one file, in a Python that cannot find the package."""
    alone = tmp_path / "verifier.py"
    alone.write_bytes(Path(verifier.__file__).read_bytes())
    guard = "import sys, runpy; sys.modules['doorward'] = None; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-P", "-c", guard, str(alone), str(left / "export"), "--key", KEY]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.anyio
async def test_a_log_is_verified_while_it_is_written(tmp_path: Path) -> None:
    async with recording(tmp_path) as opened:
        for number in range(20):
            await opened.recorder.intend(intent(numbered(f"call-{number}")))
            verdict = verifier.verify_database(tmp_path / "doorward.db", [verifier.Key.parse(KEY)], ())
            assert verdict is not None
            assert verdict.size == number + 1


LOOSE = "CREATE TABLE loose AS SELECT * FROM side; DROP TABLE side; ALTER TABLE loose RENAME TO side;"
"""The same side records in a table that holds anything: who edits a database need not keep to its schema."""

EDITS: dict[str, tuple[str, str]] = {
    "UPDATE leaf SET body = replace(CAST(body AS TEXT), 'done', 'gone') || ' ' WHERE seq = 17": ("altered", "first bad index 17:"),
    "UPDATE leaf SET hash = zeroblob(32) WHERE seq = 400": ("altered", "first bad index 400:"),
    "DELETE FROM leaf WHERE seq = 300": ("missing", "first bad index 300:"),
    "DELETE FROM leaf WHERE seq > 500": ("truncated", "first bad index 501 or later, below 601:"),
    "UPDATE node SET hash = zeroblob(32) WHERE level = 1 AND idx = 1": ("altered", "first bad index 256 or later, below 512:"),
    "DELETE FROM node": ("altered", "first bad index 0 or later, below 256:"),
    "UPDATE side SET sealed = zeroblob(9) WHERE seq = 33": ("side", "first bad index 33:"),
    "UPDATE side SET nonce = zeroblob(12) WHERE seq = 33": ("side", "first bad index 33:"),
    "INSERT INTO side VALUES (100000, 1, zeroblob(12), 1, zeroblob(1))": ("side", ": 1 side records stand beside no leaf"),
    f"{LOOSE} INSERT INTO side VALUES (33.5, 1, zeroblob(12), 1, zeroblob(1))": ("side", ": 1 side records stand beside no leaf"),
    f"{LOOSE} UPDATE side SET key = NULL WHERE seq = 33": ("side", ": 1 side records stand beside no leaf"),
    "UPDATE checkpoint SET note = replace(CAST(note AS TEXT), '601', '600')": ("signature", ": "),
}


@pytest.mark.parametrize("sql", EDITS)
def test_an_edit_of_the_database_is_said_with_its_place(copy: Path, sql: str, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(apsw.Connection(str(copy / "state" / "doorward.db"))) as db:
        db.execute(
            sql.replace("SET body = replace(CAST(body AS TEXT), 'done', 'gone') || ' '", "SET body = CAST(body || ' ' AS BLOB)").replace(
                "note = replace(CAST(note AS TEXT), '601', '600')", "note = CAST(replace(CAST(note AS TEXT), '601', '600') AS BLOB)"
            )
        )
    code, said = run(copy / "state" / "doorward.db", "--key", KEY, capsys=capsys)
    kind, place = EDITS[sql]
    assert code == 1
    assert said.startswith(f"TAMPERED ({kind})")
    assert place in said


def test_side_records_that_were_swept_are_no_damage(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(apsw.Connection(str(copy / "state" / "doorward.db"))) as db:
        db.execute("DELETE FROM side WHERE seq < 400")
    assert run(copy / "state" / "doorward.db", "--key", KEY, capsys=capsys)[0] == 0


def test_only_a_trusted_checkpoint_shows_a_log_that_was_rewritten_whole(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody who has the key cuts the end off, checkpoints and all: the log alone looks well, the anchor knows better."""
    with closing(apsw.Connection(str(copy / "state" / "doorward.db"))) as db:
        db.execute("DELETE FROM side; DELETE FROM checkpoint; DELETE FROM leaf WHERE seq >= 100")
        leaves = [row[0] for row in db.execute("SELECT body FROM leaf ORDER BY seq")]
        walk = verifier.Walk(verifier.Log((), ()), {})
        for index, leaf in enumerate(leaves):
            walk._grow(index, verifier.leaf_hash(leaf))
        db.execute("INSERT INTO checkpoint VALUES (100, ?)", (SIGNER.sign(Tree(100, walk._root())),))
    path = copy / "state" / "doorward.db"
    assert run(path, "--key", KEY, capsys=capsys)[0] == 0
    code, said = run(path, "--key", KEY, "--trusted", copy / "anchor", capsys=capsys)
    assert (code, said.split(":")[0]) == (1, "TAMPERED (truncated) first bad index 100 or later, below 601")


def test_every_flipped_bit_of_an_export_is_found(copy: Path) -> None:
    chance = random.Random("export")
    keys = [verifier.Key.parse(KEY)]
    files = [copy / "export" / "checkpoint", *sorted(path for path in (copy / "export" / "tile").rglob("*") if path.is_file())]
    for _ in range(150):
        path = chance.choice(files)
        whole = path.read_bytes()
        at = chance.randrange(len(whole))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :])
        with pytest.raises(verifier.TamperedError):
            verifier.verify_export(copy / "export", keys, ())
        path.write_bytes(whole)
    assert verifier.verify_export(copy / "export", keys, ()) is not None


def test_a_missing_and_a_lengthened_tile_are_found(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = copy / "export" / "tile" / "entries" / "002.p" / "89"
    whole = bundle.read_bytes()
    bundle.write_bytes(whole + b"\x00\x02{}")
    assert run(copy / "export", "--key", KEY, capsys=capsys)[0] == 1
    bundle.unlink()
    code, said = run(copy / "export", "--key", KEY, capsys=capsys)
    assert (code, said.split(":")[0]) == (1, "TAMPERED (missing) first bad index 512 or later, below 601")


def _leaf(receipt: dict) -> None:
    receipt["leaves"][0]["leaf"] = receipt["leaves"][0]["leaf"].replace("call-7", "call-8")


def _index(receipt: dict) -> None:
    receipt["leaves"][0]["index"] += 1


def _proof(receipt: dict) -> None:
    receipt["leaves"][1]["proof"].pop()


def _call(receipt: dict) -> None:
    receipt["call"] = "call-8"


def _none(receipt: dict) -> None:
    receipt["leaves"] = []


def _checkpoint(receipt: dict) -> None:
    receipt["checkpoint"] = receipt["checkpoint"].replace("601", "602")


@pytest.mark.parametrize("edit", [_leaf, _index, _proof, _call, _none, _checkpoint])
def test_an_edited_receipt_does_not_verify(left: Path, edit: Callable[[dict], None]) -> None:
    receipt = json.loads((left / "receipt.json").read_bytes())
    edit(receipt)
    with pytest.raises(verifier.TamperedError):
        verifier.verify_receipt(json.dumps(receipt).encode(), [verifier.Key.parse(KEY)], ())


def test_a_receipt_of_a_fork_does_not_verify(left: Path) -> None:
    forked = SIGNER.sign(Tree(SIZE, bytes(32)))
    with pytest.raises(verifier.TamperedError, match="not the trusted one"):
        verifier.verify_receipt((left / "receipt.json").read_bytes(), [verifier.Key.parse(KEY)], [forked])


def test_a_trusted_checkpoint_of_another_size_covers_no_receipt(left: Path) -> None:
    receipt, keys = (left / "receipt.json").read_bytes(), [verifier.Key.parse(KEY)]
    earlier = SIGNER.sign(Tree(SIZE - 1, bytes(32)))
    assert verifier.verify_receipt(receipt, keys, [earlier]).trusted == 0
    assert verifier.verify_receipt(receipt, keys, [json.loads(receipt)["checkpoint"].encode()]).trusted == SIZE


def test_a_log_of_another_key_or_origin_does_not_verify(left: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for other in (Signer(SIGNER.origin, bytes(32)), Signer("log.test/other", bytes(range(32)))):
        code, said = run(left / "export", "--key", str(other.vkey), capsys=capsys)
        assert (code, said.split(":")[0]) == (1, "TAMPERED (signature)")
        assert run(left / "export", "--key", KEY, "--key", str(other.vkey), capsys=capsys)[0] == 0


def test_a_log_without_a_checkpoint_is_nothing_verified(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(apsw.Connection(str(copy / "state" / "doorward.db"))) as db:
        db.execute("DELETE FROM checkpoint")
    path = copy / "state" / "doorward.db"
    assert run(path, "--key", KEY, capsys=capsys) == (3, "NOTHING: no checkpoint covers any leaf\n")
    assert run(path, "--key", KEY, "--trusted", copy / "anchor", capsys=capsys)[0] == 0


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff", b"SQLite format 3\0 but not", b'{"call": "c", "checkpoint": 1, "leaves": 2}']
)
def test_what_is_no_log_is_unreadable(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_bytes(content)
    assert run(tmp_path / "file", "--key", KEY, capsys=capsys)[0] == 2


@pytest.mark.parametrize("key", ["", "nonsense", KEY[:-4], KEY.replace("+", "+0", 1), "no/such/file"])
def test_what_is_no_key_is_unreadable(left: Path, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(left / "export", "--key", key, capsys=capsys)[0] == 2


def test_a_trusted_file_without_a_checkpoint_is_not_passed_over(left: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").write_bytes(b"nothing here\n")
    assert run(left / "export", "--key", KEY, "--trusted", tmp_path / "empty", capsys=capsys)[0] == 2


def test_other_logs_checkpoints_and_one_cut_off_may_stand_in_an_anchor(
    left: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = (left / "anchor").read_bytes()
    foreign = Signer("log.test/other", bytes(range(32))).sign(Tree(7, bytes(32)))
    (tmp_path / "anchor").write_bytes(foreign + b"\n" + note + note[:-50])
    assert run(left / "export", "--key", KEY, "--trusted", tmp_path / "anchor", capsys=capsys)[0] == 0
    (tmp_path / "anchor").write_bytes(foreign + b"\n" + SIGNER.sign(Tree(7, bytes(32))))
    code, said = run(left / "export", "--key", KEY, "--trusted", tmp_path / "anchor", capsys=capsys)
    assert (code, said.split(":")[0]) == (1, "TAMPERED (altered) first bad index 1 or later, below 7")


def test_checkpoints_are_read_from_anchor_files_and_syslog() -> None:
    notes = sound(8).notes
    anchored = b"".join(note + b"\n" for note in notes)
    assert verifier.split_notes(anchored) == notes
    assert (
        verifier.split_notes(b"".join(b"<109>1 - h d 1 c - doorward-checkpoint %s\n" % base64.b64encode(note) for note in notes)) == notes
    )
    assert verifier.split_notes(notes[0]) == [notes[0]]


def test_a_tile_of_nodes_narrows_down_where_the_damage_is() -> None:
    case = sound(520)
    case.notes, case.trusted = case.notes[-1:], case.trusted
    case.say(300, call="nobody")
    with pytest.raises(verifier.TamperedError) as raised:
        case.verdict()
    assert (raised.value.kind, raised.value.first, raised.value.stop) == ("altered", 256, 512)

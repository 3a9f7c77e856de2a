"""The log over the admin API: questions, contents for auditors, and proofs that the verifier takes."""

import json
from pathlib import Path

import pytest

from doorward import verifier
from doorward.audit.anchor import FileAnchor, anchors
from tests.control.calls import told
from tests.control.plane import ANN, DOCUMENT, ME, plane

pytestmark = pytest.mark.anyio

AUDITOR: dict[str, object] = {**DOCUMENT, "control": {"operators": {str(ANN): "auditor"}}}


async def test_leaves_are_found_by_what_they_say_newest_first_in_pages(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await told(it, "call-1")
        it.clock.at += 3600
        await told(it, "call-2", agent="other")
        _, page = await it.ask("GET", "/v1/log?type=intent&limit=1")
        assert [one["leaf"]["call"] for one in page["leaves"]] == ["call-2"]
        _, rest = await it.ask("GET", f"/v1/log?type=intent&limit=1&before={page['next']}")
        assert ([one["leaf"]["call"] for one in rest["leaves"]], rest["next"]) == (["call-1"], None)
        for question, found in (
            ("agent=other", 2),
            ("reason=delivered", 2),
            ("policy=reads", 2),
            ("team=platform", 4),
            ("upstream=git&name=commit", 4),
            ("effect=deny", 0),
            ("since=30m&type=intent", 1),
            ("since=2026-11-18T13:00:00Z&type=intent", 1),
            ("until=2026-11-18T14:00:00%2B01:00&type=intent", 1),
            ("call=call-1", 2),
        ):
            _, page = await it.ask("GET", f"/v1/log?{question}")
            assert (question, len(page["leaves"])) == (question, found)


async def test_only_auditors_may_guess_values(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await told(it, "call-1", {"account": 4711})
        assert (await it.ask("GET", "/v1/log?touched=4711", uid=ANN))[0] == 403
        assert (await it.ask("GET", "/v1/log?subject=ann", uid=ANN))[0] == 403
        _, page = await it.ask("GET", "/v1/log?touched=4711")
        assert [one["leaf"]["call"] for one in page["leaves"]] == ["call-1"]


async def test_the_contents_of_a_call_are_for_auditors_and_that_they_looked_is_in_the_log(tmp_path: Path) -> None:
    async with plane(tmp_path, AUDITOR) as it:
        call = await told(it, "call-1", {"account": 4711})
        status, answer = await it.ask("GET", "/v1/log/calls/call-1/contents", uid=ANN)
        assert status == 200
        assert [(one["type"], one["is_whole"]) for one in answer["contents"]] == [("intent", True), ("outcome", True)]
        assert answer["contents"][0]["text"] == call.canonical.decode()
        assert json.loads(answer["contents"][1]["text"]) == {"content": [{"type": "text", "text": "done"}]}
        assert (await it.events())[-1] == ("contents_read", f"uid {ANN}", {"call": "call-1"})


async def test_nobody_reads_contents_unseen(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await told(it, "call-1")
        assert (await it.ask("GET", "/v1/log/calls/call-1/contents", uid=ANN))[0] == 403
        it.log.broken = "no space"
        status, answer = await it.ask("GET", "/v1/log/calls/call-1/contents")
        assert (status, answer["reason"]) == (503, "unrecorded")


async def test_contents_that_were_swept_are_gone_and_the_leaves_stay(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await told(it, "call-1")
        it.clock.at += 91 * 86_400
        assert await it.recorder.retain() == 2
        assert (await it.ask("GET", "/v1/log/calls/call-1/contents"))[1] == {"contents": []}
        assert len((await it.ask("GET", "/v1/log/calls/call-1"))[1]["leaves"]) == 2


async def test_a_receipt_is_a_proof_for_whoever_has_the_key(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await told(it, "call-1")
        status, receipt = await it.ask("GET", "/v1/receipts/call-1", uid=ANN)
        assert status == 200
        keys = [verifier.Key.parse(str(it.auditor.vkey))]
        text = json.dumps(receipt, indent=2).encode()
        assert verifier.verify_receipt(text, keys, ()).remarks == ()
        forged = text.replace(b"delivered", b"cancelled")
        with pytest.raises(verifier.TamperedError):
            verifier.verify_receipt(forged, keys, ())


async def test_an_export_verifies_and_may_be_renewed_in_its_place(tmp_path: Path) -> None:
    directory = tmp_path / "export"
    async with plane(tmp_path) as it:
        await told(it, "call-1")
        status, answer = await it.ask("POST", "/v1/log/export", {"directory": str(directory)})
        assert (status, answer["size"]) == (200, 4)
        assert (await it.events())[-1] == ("log_exported", ME, {"directory": str(directory)})
        await told(it, "call-2")
        status, answer = await it.ask("POST", "/v1/log/export", {"directory": str(directory)})
        assert (status, answer["size"]) == (200, 7)
        verdict = verifier.verify_export(directory, [verifier.Key.parse(str(it.auditor.vkey))], ())
        assert verdict is not None
        assert verdict.size == 7


async def test_an_export_never_writes_among_foreign_files(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "vkey").write_text("log.test/control+00000000+AAAA")
    async with plane(tmp_path) as it:
        asked = [
            await it.ask("POST", "/v1/log/export", {"directory": str(tmp_path / "full")}),
            await it.ask("POST", "/v1/log/export", {"directory": str(tmp_path / "other")}),
            await it.ask("POST", "/v1/log/export", {"directory": "relative"}),
            await it.ask("POST", "/v1/log/export", {"directory": str(tmp_path / "policy.cedar")}),
        ]
        assert [(status, answer["reason"]) for status, answer in asked] == [
            (409, "not_empty"),
            (409, "not_empty"),
            (400, "invalid_body"),
            (409, "not_written"),
        ]
        assert [event for event, _, _ in await it.events()] == ["gateway_started"]


async def test_checkpoints_come_with_the_key_and_the_state_of_the_anchors(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        taking, failing = FileAnchor(tmp_path / "anchor.txt"), FileAnchor(tmp_path / "missing" / "anchor.txt")
        it.anchors = anchors(taking, failing)
        it.__post_init__()
        await told(it, "call-1")
        _, answer = await it.ask("POST", "/v1/log/checkpoint")
        await it.anchors.offer(it.log.checkpoint())
        _, again = await it.ask("GET", "/v1/log/checkpoint")
        assert (answer["size"], answer["vkey"], again["checkpoint"]) == (3, str(it.auditor.vkey), answer["checkpoint"])
        assert [(one["name"], one["size"], one["failure"] is None) for one in again["anchors"]] == [
            (str(taking.path), 3, True),
            (str(failing.path), 0, False),
        ]


async def test_unknown_calls_are_not_found(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        for path in ("log/calls/none", "log/calls/none/contents", "receipts/none"):
            status, answer = await it.ask("GET", f"/v1/{path}")
            assert (status, answer["reason"]) == (404, "unknown_call")


async def test_moments_that_are_none_are_refused(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        for question in ("since=yesterday", "until=5x", "since=0m"):
            assert (await it.ask("GET", f"/v1/log?{question}"))[1]["reason"] == "invalid_query"

"""Made logs: what the store and the verifier take for a log of calls that were made."""

import json
from pathlib import Path

import pytest

from bench.gateway import POLICIES, calls_document, write
from bench.scale.made import Part, make, opened
from bench.scale.shapes import call_of, form, in_memory, told
from doorward import verifier
from doorward.audit.leaf import frame
from doorward.audit.query import Query
from doorward.audit.recorder import Recorder
from doorward.audit.veil import Veil
from doorward.domain.ids import CallId
from doorward.runtime.workbench import read

RECEIPTS = 500


@pytest.mark.anyio
async def test_a_form_filled_with_what_was_said_is_the_leaf_that_was_written() -> None:
    means = in_memory(Veil(bytes(32)))
    recorder = Recorder(means)
    await recorder.start({})
    first = await means.store.size()
    await told(recorder, call_of(1, 2, 3))
    for located in await means.store.leaves(first, first + 2):
        leaf = json.loads(located.leaf)
        part = leaf["arguments"] if leaf["type"] == "intent" else leaf["result"]
        fields = {name.lstrip("/"): value for name, value in part.get("fields", {}).items()}
        said = {"call": leaf["call"], "side": leaf["side"], "commitment": part["commitment"], **fields}
        filled = form(located.leaf).filled({name: value.encode() for name, value in said.items()})
        assert frame(filled, located.index, leaf["ts"]) == located.leaf


@pytest.mark.anyio
async def test_a_made_log_is_found_opened_and_verified_like_any_other(tmp_path: Path) -> None:
    path = write(tmp_path / "made", {**calls_document(0), "upstreams": {}}, POLICIES)
    document = read(path).loaded.document
    for calls in (range(RECEIPTS // 5), range(RECEIPTS // 5, RECEIPTS)):
        await make(document, path.parent, Part(calls, RECEIPTS, 0.5))
    async with opened(document, path.parent) as (log, auditor):
        assert await log.size() == 2 * RECEIPTS
        assert await log.open_intents() == ()
        newest, oldest = (await log.leaves(2 * RECEIPTS - 1, 2 * RECEIPTS))[0], (await log.leaves(0, 1))[0]
        side = await auditor.side(newest.index)
        assert side is not None
        assert b"the quick brown fox" in side.text
        assert await auditor.side(oldest.index) is None
        call = json.loads(newest.leaf)
        assert [located.index for located in await log.of_call(CallId(call["call"]))] == [newest.index - 1, newest.index]
        agents = (await auditor.find(Query(agent=call["principal"]["agent"], limit=500))).leaves
        assert newest.index in {located.index for located in agents}
        note = await log.seal()
        assert note is not None
        vkey = str(auditor.vkey)
    verdict = verifier.verify_database(path.parent / "state" / "doorward.db", [verifier.Key.parse(vkey)], [note])
    assert verdict is not None
    assert (verdict.size, verdict.trusted) == (2 * RECEIPTS, 2 * RECEIPTS)

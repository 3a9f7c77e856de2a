"""What every `LogStore` must do."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

import msgspec

from doorward.audit import checkpoint, proofs
from doorward.audit.checkpoint import Signer, Vkey
from doorward.audit.commit import Committer, Moment
from doorward.audit.leaf import Bodies, encoded, moment
from doorward.audit.merkle import Frontier, Span, Tree, is_consistent, leaf_hash, root_from_inclusion
from doorward.audit.query import Query
from doorward.audit.store import Box, Boxes, Entry, LogStore
from doorward.audit.veil import Veil
from doorward.domain.ids import CallId
from doorward.domain.receipts import Place

NODE = "node-1"
SIGNER = Signer("log.test/suite", bytes(range(32)))
START = 1_700_000_000_000_000


class Clock:
    """Both clocks of a committer, standing where they are put."""

    def __init__(self) -> None:
        self.at = Moment(START, 0.0)

    def __call__(self) -> Moment:
        return self.at

    def pass_seconds(self, seconds: float) -> None:
        """Lets time go by on both."""
        self.at = Moment(self.at.wall_micros + round(seconds * 1_000_000), self.at.steady + seconds)

    def step_seconds(self, seconds: float) -> None:
        """Sets the wall clock."""
        self.at = replace(self.at, wall_micros=self.at.wall_micros + round(seconds * 1_000_000))


def committer(vkey_of: Signer = SIGNER) -> Committer:
    """A committer as the suite's logs have it."""
    return Committer(vkey_of, Bodies(NODE, Veil(bytes(32))))


Opening = Callable[[], AbstractAsyncContextManager[LogStore]]
"""Opens the log of one bench; the next time it holds what it held when it was closed."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A log to try, empty at first, and the clock it goes by."""

    open: Opening
    clock: Clock
    vkey: Vkey = SIGNER.vkey


Check = Callable[[Bench], Awaitable[None]]


def entry(fields: Mapping[str, object], box: Box | None = None) -> Entry:
    """An entry with these fields; what a call is opens and closes as the type says."""
    call = fields.get("call")
    opens = CallId(str(call)) if fields["type"] == "intent" else None
    closes = CallId(str(call)) if fields["type"] == "outcome" else None
    return Entry(encoded({"node": NODE, **fields}), box, opens=opens, closes=closes)


def intent(number: int, **fields: object) -> Entry:
    """The intent of a call with this number."""
    return entry({"type": "intent", "call": f"call-{number}", **fields})


def outcome(number: int, **fields: object) -> Entry:
    """The outcome of a call with this number."""
    return entry({"type": "outcome", "call": f"call-{number}", "result": {"status": "delivered"}, **fields})


async def fill(store: LogStore, count: int) -> list[Place]:
    """Appends intents at once."""
    waiting = [store.append(intent(number)) for number in range(count)]
    return [await place for place in waiting]


async def indexes_have_no_gap_and_leaves_say_their_place(bench: Bench) -> None:
    """Places count from 0 in the order of `append`."""
    async with bench.open() as store:
        places = await fill(store, 10)
        leaves = await store.leaves(0, 100)
    assert [place.seq for place in places] == list(range(10))
    assert [(located.index, msgspec.json.decode(located.leaf)["seq"]) for located in leaves] == [(index, index) for index in range(10)]
    assert {msgspec.json.decode(located.leaf)["ts"] for located in leaves} == {place.ts for place in places} == {moment(START)}


async def acknowledged_leaves_outlive_the_process(bench: Bench) -> None:
    """What was there is there, byte for byte, and the next leaf follows it."""
    async with bench.open() as store:
        await fill(store, 5)
        before = await store.leaves(0, 5)
    async with bench.open() as store:
        place = await store.append(intent(99))
        after = await store.leaves(0, 5)
        size = await store.size()
    assert (place.seq, size, after) == (5, 6, before)


async def hashes_are_those_of_the_leaves(bench: Bench) -> None:
    """Roots and proofs of any size hold, across tiles and restarts."""
    async with bench.open() as store:
        await fill(store, 300)
    async with bench.open() as store:
        await fill(store, 300)
        leaves = await store.leaves(0, 600)
        roots = {size: await proofs.root(store, size) for size in (1, 2, 255, 256, 257, 300, 511, 512, 600)}
        inclusion = await proofs.inclusion(store, 299, 600)
        consistency = await proofs.consistency(store, 257, 600)
    assert roots == {size: _root([located.leaf for located in leaves[:size]]) for size in roots}
    assert root_from_inclusion(leaf_hash(leaves[299].leaf), 299, 600, inclusion) == roots[600]
    assert is_consistent(Tree(257, roots[257]), Tree(600, roots[600]), consistency)


async def nodes_are_there_for_tiles(bench: Bench) -> None:
    """A span of any level can be had as soon as its subtrees are complete."""
    async with bench.open() as store:
        await fill(store, 513)
        (tile,) = await store.hashes([Span(1, 0, 2)])
        assert tile == (await proofs.root(store, 256), (await store.hashes([Span(1, 1, 1)]))[0][0])


async def a_seal_covers_everything_before_it(bench: Bench) -> None:
    """The note is signed, has the whole tree, and stays the last one after a restart."""
    async with bench.open() as store:
        nothing = await store.seal()
        for number in range(3):
            store.append(intent(number))
        note = await store.seal()
        assert note is not None
        tree = checkpoint.verify(note, bench.vkey)
        assert tree == Tree(3, await proofs.root(store, 3))
        assert await store.seal() == note
    async with bench.open() as store:
        assert (nothing, store.checkpoint()) == (None, note)


async def checkpoints_come_by_themselves(bench: Bench) -> None:
    """With the first leaf, then at most every second."""
    async with bench.open() as store:
        await store.append(intent(0))
        await store.append(intent(1))
        bench.clock.pass_seconds(checkpoint.SECONDS)
        await store.append(intent(2))
        notes = await store.checkpoints(0, 10)
        after = await store.checkpoints(1, 10)
    assert [checkpoint.parse(note)[1].size for note in notes] == [1, 3]
    assert after == notes[1:]


async def moments_never_go_back(bench: Bench) -> None:
    """A wall clock that is set back is told of in a leaf, and stands in the leaves until it has caught up; also across a restart."""
    async with bench.open() as store:
        await store.append(intent(0))
        bench.clock.step_seconds(-3600)
        place = await store.append(intent(1))
        leaves = [msgspec.json.decode(located.leaf) for located in await store.leaves(0, 10)]
    assert (place.seq, place.ts) == (2, moment(START))
    assert leaves[1]["type"] == "clock_step"
    assert leaves[1]["fields"] == {"microseconds": -3600 * 1_000_000}
    async with bench.open() as store:
        assert (await store.append(intent(2))).ts == moment(START)


async def leaves_are_found_by_what_they_say(bench: Bench) -> None:
    """Each condition of a query, alone and together with others."""
    proof = {"issuer": "self", "client": "c1", "family": "f1", "certificate": "t1"}
    principal = {
        "agent": "claude",
        "team": "support",
        "subject": "5ab7",
        "act": [{"id": "0a", "issuer": "self", "agent": "planner"}],
        **proof,
    }
    bare = {"upstream": "git", "name": "commit"}
    said = {
        "principal": principal,
        **bare,
        "owner": "platform",
        "arguments": {"commitment": "00", "fields": {"/account": "f00d"}},
        "decision": {"effect": "deny", "policies": ["p1", "p2"], "reason": "forbidden"},
        "findings": [{"guard": "secrets", "rule": "aws", "severity": "high", "pointer": "/a"}],
        "approval": {"id": "grant-1", "by": "ann"},
    }
    async with bench.open() as store:
        await store.append(intent(0))
        await store.append(intent(1, **said))
        await store.append(outcome(1, **bare))
        conditions = {
            "call": "call-1",
            "agent": "claude",
            "subject": "5ab7",
            "team": "support",
            "upstream": "git",
            "name": "commit",
            "effect": "deny",
            "reason": "forbidden",
            "policy": "p2",
            "finding": "secrets/aws",
            "approval": "grant-1",
            "touched": "f00d",
            "actor": "planner",
            "issuer": "self",
            "client": "self:c1",
            "family": "f1",
            "certificate": "t1",
            "type": "intent",
        }
        found = {name: await _found(store, Query(**{name: value})) for name, value in conditions.items()}  # type: ignore[arg-type]
        whole = await _found(store, Query(**conditions))  # type: ignore[arg-type]
        owned = await _found(store, Query(team="platform"))
        nothing = await _found(store, Query(agent="claude", upstream="other"))
    pairs = {"call": [2, 1], "upstream": [2, 1], "name": [2, 1], "type": [1, 0]}
    assert found == {name: pairs.get(name, [1]) for name in conditions}
    assert (whole, owned, nothing) == ([1], [1], [])


async def observed_denials_are_found_apart(bench: Bench) -> None:
    """What policy would have denied has an effect of its own."""
    async with bench.open() as store:
        await store.append(intent(0, decision={"effect": "allow", "policies": []}))
        await store.append(intent(1, decision={"effect": "allow", "policies": [], "would": {"effect": "deny", "policies": ["p9"]}}))
        assert await _found(store, Query(effect="observe")) == await _found(store, Query(policy="p9")) == [1]
        assert await _found(store, Query(effect="allow")) == [0]


async def answers_come_in_pages(bench: Bench) -> None:
    """Newest first; each page goes on where the one before it ended."""
    async with bench.open() as store:
        await fill(store, 5)
        first = await store.find(Query(limit=2))
        second = await store.find(Query(limit=2, before=first.next))
        last = await store.find(Query(limit=2, before=second.next))
    pages = [[located.index for located in page.leaves] for page in (first, second, last)]
    assert (pages, last.next) == ([[4, 3], [2, 1], [0]], None)


async def time_bounds_hold_the_first_and_leave_out_the_last(bench: Bench) -> None:
    """`since` is inclusive, `until` is not."""
    async with bench.open() as store:
        for number in range(4):
            await store.append(intent(number))
            bench.clock.pass_seconds(10)
        since, until = moment(START + 10_000_000), moment(START + 30_000_000)
        assert await _found(store, Query(since=since, until=until)) == [2, 1]
        assert await _found(store, Query(since=moment(START + 31_000_000))) == []


async def calls_stand_open_until_their_outcome(bench: Bench) -> None:
    """Also across a restart, and when intent and outcome come at once."""
    async with bench.open() as store:
        for number in range(4):
            store.append(intent(number))
        store.append(outcome(3))
        store.append(outcome(1))
        await store.seal()
    async with bench.open() as store:
        assert [located.index for located in await store.open_intents()] == [0, 2]
        await store.append(outcome(0))
        assert [located.index for located in await store.open_intents()] == [2]
        assert [located.index for located in await store.of_call(CallId("call-1"))] == [1, 5]


async def side_records_are_swept_with_their_keys(bench: Bench) -> None:
    """Old ones go, newer ones stay; a key goes with the last record under it, and the newest key always stays."""
    async with bench.open() as store:
        old, new = await store.add_data_key(b"old"), await store.add_data_key(b"new")
        box = Box(old, b"n" * 12, 4, b"sealed")
        await store.append(entry({"type": "intent", "call": "call-1"}, box))
        bench.clock.pass_seconds(100)
        kept = msgspec.structs.replace(box, key=new)
        await store.append(entry({"type": "outcome", "call": "call-1"}, kept))
        assert (await store.box(0), await store.data_key(old)) == (box, b"old")
        assert await store.boxes((0, 1, 2)) == Boxes({0: box, 1: kept}, {old: b"old", new: b"new"})
        swept = await store.sweep(START + 50_000_000)
        assert (swept, await store.box(0), await store.box(1)) == (1, None, kept)
        assert (await store.data_key(old), await store.data_key(new)) == (None, b"new")
        assert (await store.boxes((0, 1)), await store.boxes(())) == (Boxes({1: kept}, {new: b"new"}), Boxes({}, {}))
        assert await store.sweep(START + 500_000_000) == 1
        assert await store.data_key(new) == b"new"
        assert await store.add_data_key(b"newer") > new


async def _found(store: LogStore, query: Query) -> list[int]:
    return [located.index for located in (await store.find(query)).leaves]


def _root(leaves: list[bytes]) -> bytes:
    frontier = Frontier(0, ())
    for leaf in leaves:
        frontier.extend([leaf_hash(leaf)])
    return frontier.root()


CHECKS: tuple[Check, ...] = (
    indexes_have_no_gap_and_leaves_say_their_place,
    acknowledged_leaves_outlive_the_process,
    hashes_are_those_of_the_leaves,
    nodes_are_there_for_tiles,
    a_seal_covers_everything_before_it,
    checkpoints_come_by_themselves,
    moments_never_go_back,
    leaves_are_found_by_what_they_say,
    observed_denials_are_found_apart,
    answers_come_in_pages,
    time_bounds_hold_the_first_and_leave_out_the_last,
    calls_stand_open_until_their_outcome,
    side_records_are_swept_with_their_keys,
)

"""Leaves with places to be filled: the recorder is told of one call of each shape, and what differs from call to call is put in after.

Telling it of ten million calls would take most of the time of a measurement and show nothing.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from doorward.app import clocks
from doorward.audit.checkpoint import Signer
from doorward.audit.commit import Committer
from doorward.audit.leaf import Bodies
from doorward.audit.recorder import Means, Recorder, SideRules
from doorward.audit.sides import Wrapper
from doorward.audit.veil import Veil
from doorward.domain.actors import Agent, AuthnMethod, Principal
from doorward.domain.calls import Answer, Call, Reply
from doorward.domain.catalog import Kind, Reversibility, Target
from doorward.domain.decisions import Allow
from doorward.domain.ids import AgentId, CallId, Digest, Generation, InstanceId, PolicyId, TeamId, UpstreamId
from doorward.domain.receipts import Intent, Outcome, Status
from doorward.stores.memory import MemoryApprovals, MemoryLog

AGENTS, UPSTREAMS, TOOLS, TEAMS = 200, 20, 25, 12
"""Agents over teams, upstreams and the tools of each, that call."""
SIDE_BYTES = 65_536
ARGUMENTS = ("account", "text")
TEXT = "the quick brown fox jumps over the lazy dog, and then again, and once more for good measure"
RESULT = msgspec.json.encode({"content": [{"type": "text", "text": TEXT}], "isError": False})

_FRAME = re.compile(rb'\{"v":1,"seq":\d+,"ts":"[^"]+",')


@dataclass(frozen=True, slots=True)
class Form:
    """A leaf without its place, as a format; `slots` are the names of what is put in, in order."""

    format: bytes
    slots: tuple[str, ...]

    def filled(self, values: Mapping[str, bytes]) -> bytes:
        """The fields of a leaf."""
        return self.format % tuple([values[slot] for slot in self.slots])


@dataclass(frozen=True, slots=True)
class Shape:
    """Who calls what."""

    agent: str
    intent: Form
    outcome: Form


def in_memory(veil: Veil) -> Means:
    """What a recorder works with whose log is memory."""
    bodies = Bodies("bench", veil)
    store = MemoryLog(Committer(Signer("bench/shapes", bytes(32)), bodies), clocks.both, MemoryApprovals())
    return Means(store, bodies, Wrapper(bytes(32), clocks.draw), SideRules(90, SIDE_BYTES), clocks.now, clocks.draw)


async def shapes(count: int, means: Means) -> list[Shape]:
    """So many shapes, over all agents and tools."""
    chance = random.Random(8)
    recorder = Recorder(means)
    await recorder.start({})
    calls = [call_of(number % AGENTS, chance.randrange(UPSTREAMS), chance.randrange(TOOLS)) for number in range(count)]
    return [await _shape(recorder, means, call) for call in calls]


async def _shape(recorder: Recorder, means: Means, call: Call) -> Shape:
    first = await means.store.size()
    await told(recorder, call)
    intent, outcome = [located.leaf for located in await means.store.leaves(first, first + 2)]
    return Shape(str(call.principal.agent.id), form(intent), form(outcome))


async def told(recorder: Recorder, call: Call) -> None:
    """Both leaves of a call that went well."""
    await recorder.intend(Intent(call, Allow((PolicyId("reads"), PolicyId("own-team"))), (), None, "static", Generation(3), "", _SET))
    result: Mapping[str, object] = msgspec.json.decode(RESULT)
    lease = {"kind": "static", "id": "lease-1", "audience": str(call.target.upstream), "scope": ""}
    recorder.conclude(Outcome(call, Status.DELIVERED, None, "", (), Answer(result, len(RESULT)), Reply(result), lease, 12))


_SET = Digest("ab" * 32)


def call_of(agent: int, upstream: int, tool: int) -> Call:
    """A call of an agent, by their numbers."""
    team = TeamId(f"team-{agent % TEAMS}")
    principal = Principal(
        agent=Agent(AgentId(f"agent-{agent}"), "bench", team, "client"),
        subject=None,
        actors=(),
        method=AuthnMethod.AGENT_KEY,
        instance=InstanceId(f"key:{agent}"),
        credential=f"key-{agent:012d}",
        network="127.0.0.1",
    )
    target = Target(
        upstream=UpstreamId(f"upstream-{upstream}"),
        kind=Kind.TOOL,
        name=f"search_records_{tool}",
        definition=Digest(f"{upstream:02d}{tool:02d}" * 16),
        team=TeamId(f"team-{upstream % TEAMS}"),
        parents=frozenset({"read"}),
        reversibility=Reversibility.READ,
    )
    arguments = {"account": 0, "text": TEXT}
    return Call(
        id=CallId(clocks.new_id()),
        principal=principal,
        target=target,
        method="tools/call",
        arguments=arguments,
        extras={},
        canonical=msgspec.json.encode(arguments),
        digest=Digest(""),
    )


def form(leaf: bytes) -> Form:
    """What a leaf says, with places for all that no other call would say."""
    said = msgspec.json.decode(leaf)
    found = {"call": said["call"], "commitment": said["arguments" if "arguments" in said else "result"]["commitment"]}
    if "arguments" in said:
        found |= {name: said["arguments"]["fields"][f"/{name}"] for name in ARGUMENTS}
    return _with_places(b"{" + leaf[_frame(leaf) :], {**found, "side": said["side"]})


def _frame(leaf: bytes) -> int:
    match = _FRAME.match(leaf)
    assert match is not None, leaf
    return match.end()


def _with_places(body: bytes, found: Mapping[str, str]) -> Form:
    """`found` in the order in which a leaf has them."""
    form, rest = b"", body
    for value in found.values():
        before, _, rest = rest.partition(value.encode())
        form += before.replace(b"%", b"%%") + b"%b"
    return Form(form + rest.replace(b"%", b"%%"), tuple(found))

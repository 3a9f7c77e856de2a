"""Questions, and channels that do with them what a test says."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio
from msgspec.structs import replace

from doorward.approval.binding import Binding
from doorward.approval.channels.chain import Bounds, Channels, Means
from doorward.approval.channels.port import Channel, ChannelError
from doorward.approval.question import Question, State
from doorward.domain.decisions import Need
from doorward.domain.errors import UnrecordedError
from doorward.domain.ids import AgentId, Digest, GrantId, PolicyId, UpstreamId
from doorward.domain.receipts import Event
from tests import made

NOW = 1_795_003_200.0
LINK = "https://doorward.example.com/approvals/"


def question(reference: str = "q1", **changed: object) -> Question:
    call = made.call({"amount": 7, "to": "bob"})
    asked = Question(
        id=GrantId(reference),
        binding=Binding(call.digest, call.target.definition, "claude", Digest("b1")),
        agent=AgentId("claude"),
        owner="ada",
        upstream=UpstreamId("git"),
        kind="tool",
        name="commit",
        canonical=b'{"arguments":{"amount":7,"to":"bob"},"extras":{},"method":"tools/call","name":"commit","upstream":"git"}',
        policies=(PolicyId("p1"),),
        approvers=frozenset({"finance"}),
        reason="payments need a yes",
        asked_at=NOW,
        state=State.PENDING,
        expires_at=NOW + 3600,
        needs=(Need("finance", 2),),
    )
    return replace(asked, **changed)


@dataclass(slots=True)
class Scripted:
    """A channel that does what it is told; keeps what it was asked."""

    name: str
    does: Callable[[], Awaitable[None]]
    told: list[tuple[str, str]] = field(default_factory=list)
    over: list[tuple[str, State]] = field(default_factory=list)

    async def tell(self, question: Question, link: str) -> None:
        self.told.append((question.id, link))
        await self.does()

    async def settled(self, question: Question) -> None:
        self.over.append((question.id, question.state))
        await self.does()


async def takes() -> None:
    """A channel that works."""


async def hangs() -> None:
    await anyio.sleep_forever()


async def refuses() -> None:
    raise ChannelError("unreachable: nobody listens")


def in_turn(*doings: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Does another thing each time."""
    left = iter(doings)

    async def does() -> None:
        await next(left)()

    return does


async def breaks() -> None:
    raise RuntimeError("a secret text")


@dataclass(slots=True)
class Around:
    """What surrounds a chain, and what it was told."""

    questions: dict[GrantId, Question] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    said: list[tuple[str, str, str]] = field(default_factory=list)
    is_log_broken: bool = False
    now: float = NOW
    heard: anyio.Event = field(default_factory=anyio.Event)

    def chain(self, *channels: Channel, bounds: Bounds | None = None) -> Channels:
        means = Means(self.questions.get, lambda reference: LINK + reference, self.note, self.journal, lambda: self.now)
        return Channels(means, channels, bounds or Bounds(channel_seconds=0.05, again_after=(0.0, 0.0)))

    def ask(self, it: Question) -> Question:
        self.questions[it.id] = it
        return it

    async def note(self, event: Event) -> None:
        if self.is_log_broken:
            raise UnrecordedError("no space")
        self.events.append(event)
        self._hear()

    def journal(self, channel: str, approval: str, why: str) -> None:
        self.said.append((channel, approval, why))
        self._hear()

    async def until(self, done: Callable[[], bool]) -> None:
        """Returns once something has come about; the test's time-out is the bound."""
        with anyio.fail_after(20):
            while not done():
                self.heard = anyio.Event()
                with anyio.move_on_after(0.02):
                    await self.heard.wait()

    def _hear(self) -> None:
        self.heard.set()

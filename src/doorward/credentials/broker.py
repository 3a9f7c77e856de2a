"""The broker: gives the spine a lease for a call, once its intent is on record.

INVARIANTS: only `call/pipeline.py` calls `lease`, for a call whose intent is durable; a lease is given to its own holder alone, and never
after its end. Whatever is made is fingerprinted before anybody else has it.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from math import inf
from typing import Final

import msgspec

from doorward.credentials import plan as planned
from doorward.credentials.fingerprints import Fingerprints
from doorward.credentials.plan import ForPeople, Plan
from doorward.credentials.port import EVERYBODY, Mint, Minted, Use
from doorward.domain.actors import AuthnMethod, Principal
from doorward.domain.calls import Call
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import LeaseId, UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Reason, Refused
from doorward.net.errors import NetError
from doorward.net.single import Single

LOOKED_AFTER_SECONDS = 1.0
"""How old the last look at what a lease was made of may be: the staleness bound of a rotation."""

PAUSE_SECONDS = 2.0
"""After a failure nothing is asked for again for so long: an outage is not made worse by those who wait."""

AGAIN_SECONDS = 60.0
"""An upstream that turns down what was made because it turned down the one before gets no third so soon: its provider is not hammered."""

MOST = 50_000
"""Leases and failures that are kept; those that were made first go."""

GRACE_SECONDS = 60.0
"""What a better lease has taken the place of is given back after so long: calls may still be under way with it."""

CLOSE_SECONDS = 5.0

Key = tuple[UpstreamId, str]
"""Upstream and holder."""

_OWN: Final = AuthnMethod.OWN
"""Asked for on the way of every call: the member of an enum costs seven times what a name costs (Python 3.11)."""


class _Held(msgspec.Struct):
    """A lease that is given out again; times are of the monotonic clock."""

    lease: Lease
    minted: Minted
    principal: Principal
    made: float
    look_at: float
    due: float
    """From when on another is made, which may fail."""
    until: float
    """From when on it is not given out."""


class _Flight(msgspec.Struct, frozen=True):
    """A lease that is being made, and for whom."""

    principal: Principal
    work: Single[_Held]


class _Failed(msgspec.Struct, frozen=True):
    """That nothing could be made, and until when that is not tried again."""

    until: float
    refused: Refused


class Sources(msgspec.Struct, frozen=True):
    """What the broker works with."""

    mint_of: Callable[[UpstreamId, Plan], Mint]
    fingerprints: Fingerprints
    monotonic: Callable[[], float]
    now: Callable[[], float]
    new_id: Callable[[], str]


class Broker:
    """Leases credentials by plan."""

    __slots__ = (
        "_common",
        "_failed",
        "_flights",
        "_followers",
        "_held",
        "_keys",
        "_kinds",
        "_mints",
        "_owed",
        "_plans",
        "_sources",
        "_tasks",
        "_turned",
        "_used",
    )

    def __init__(self, plans: Mapping[UpstreamId, Plan], sources: Sources) -> None:
        self._sources = sources
        self._held: dict[Key, _Held] = {}
        self._keys: dict[LeaseId, Key] = {}
        """Where each lease that is held is held."""
        self._failed: dict[Key, _Failed] = {}
        self._flights: dict[Key, _Flight] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._owed: dict[asyncio.Task[None], Minted] = {}
        self._plans: Mapping[UpstreamId, Plan] = {}
        self._mints: dict[UpstreamId, Mint] = {}
        self._common: dict[UpstreamId, Key] = {}
        """Upstreams whose credential is everybody's, and where it is held: of these no mint is asked whose it is."""
        self._used: dict[UpstreamId, float] = {}
        self._turned: dict[Key, float] = {}
        """When a lease was last turned down and made anew (monotonic)."""
        self._followers: list[Callable[[UpstreamId, str], None]] = []
        self.adopt(plans)

    def adopt(self, plans: Mapping[UpstreamId, Plan]) -> None:
        """Goes on with other plans; leases of a plan that changed are not given out again. Raises `DoorwardError` and changes nothing."""
        kinds = {upstream: _kinds(plan) for upstream, plan in plans.items()}
        kept = {name: self._mints[name] for name, plan in plans.items() if name in self._mints and self._plans.get(name) == plan}
        mints = {name: kept.get(name) or self._sources.mint_of(name, plan) for name, plan in plans.items()}
        self._kinds, self._plans, self._mints = kinds, plans, mints
        self._common = {name: (name, EVERYBODY) for name, mint in mints.items() if mint.is_everybodys}
        for key in [key for key in self._held if key[0] not in kept]:
            self._drop(key, GRACE_SECONDS)
        self._failed.clear()
        self._flights = {key: flight for key, flight in self._flights.items() if key[0] in kept}

    def kind(self, call: Call) -> str:
        """How receipts name what a call is to be made with; `none` for an upstream without a plan, whose lease is refused."""
        people, own = self._kinds.get(call.target.upstream, ("none", "none"))
        return own if call.principal.method is _OWN else people

    def used(self, upstream: UpstreamId) -> float | None:
        """When something was last leased for an upstream, in Unix seconds and within a second; None: not since the start."""
        return self._used.get(upstream)

    def mask(self, text: str) -> str:
        """A text without any secret that was leased: for what is told of an upstream in words that may be its own."""
        return self._sources.fingerprints.mask(text)

    def check(self, use: Use) -> None:
        """Raises `Refused` where it is certain that there is no credential for a use before somebody does something (CONSENT_NEEDED)."""
        upstream = use.call.target.upstream
        if upstream not in self._common and (mint := self._mints.get(upstream)) is not None:
            mint.holder(use)

    def at_hand(self, use: Use) -> Lease | None:
        """The credential for one call, where it is held and was looked after just now; None where `lease` must be asked.

        Raises `Refused` as that does.
        """
        key = self._common.get(use.call.target.upstream) or self._key(use)
        held = None if key is None else self._held.get(key)
        return held.lease if held is not None and self._sources.monotonic() < held.look_at else None

    async def lease(self, use: Use) -> Lease:
        """The credential for one call; raises `Refused` NO_CREDENTIAL or CONSENT_NEEDED."""
        upstream = use.call.target.upstream
        mint = self._mints.get(upstream)
        if mint is None:
            raise _refused(upstream, "there is no credential plan")
        holder = mint.holder(use)
        if holder is None:
            self._used[upstream] = self._sources.now()
            made = await self._made(upstream, mint, use)
            for secret in made.minted.secrets:
                self._sources.fingerprints.let_go(secret.reveal())
            return made.lease
        held = self._held.get((upstream, holder))
        if held is not None and self._sources.monotonic() < held.look_at:
            return held.lease
        return await self._looked_after((upstream, holder), mint, use)

    def turned_down(self, use: Use, lease: Lease, challenge: str) -> None:
        """The upstream has not accepted a lease (`challenge`: its `WWW-Authenticate`, or empty): it is not given out again."""
        upstream = use.call.target.upstream
        mint = self._mints.get(upstream)
        if mint is not None:
            mint.turned_down(use, lease, challenge)
        now = self._sources.monotonic()
        # What was made just now is not made again for each call to an upstream that accepts nothing.
        key = self._keys.get(lease.id)
        held = None if key is None else self._held.get(key)
        if key is None or held is None or held.made > now - PAUSE_SECONDS or now < self._turned.get(key, -inf) + AGAIN_SECONDS:
            return
        self._drop(key, 0.0)
        self._turned.pop(key, None)
        self._turned[key] = now
        if len(self._turned) > MOST:
            del self._turned[next(iter(self._turned))]

    def withdraw(self, concerns: Callable[[Principal], bool], at: UpstreamId | None = None) -> None:
        """Takes back at once what was leased for those who are stopped or revoked, at one upstream or at all; what is everybody's stays."""

        def is_meant(key: Key, principal: Principal) -> bool:
            return key[1] != EVERYBODY and at in {None, key[0]} and concerns(principal)

        for key in [key for key, flight in self._flights.items() if is_meant(key, flight.principal)]:
            del self._flights[key]
        for key in [key for key, held in self._held.items() if is_meant(key, held.principal)]:
            account = self._held[key].lease.account
            self._drop(key, 0.0)
            for follower in self._followers:
                follower(key[0], account)

    def follow(self, follower: Callable[[UpstreamId, str], None]) -> None:
        """Calls back with an upstream and the account whose lease was withdrawn there: what goes on with it by itself is to end."""
        self._followers.append(follower)

    async def close(self) -> None:
        """Gives back whatever can be given back, within seconds."""
        for task in tuple(self._tasks):
            task.cancel()
        owed = [*self._owed.values(), *(held.minted for held in self._held.values())]
        self._owed.clear()
        self._held.clear()
        self._keys.clear()
        giving = [asyncio.ensure_future(_given_back(minted, 0.0)) for minted in owed if minted.release is not None]
        if giving:
            _, late = await asyncio.wait(giving, timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()

    def _key(self, use: Use) -> Key | None:
        """Where the credential for a use may be held; None where there is no plan, or each use has its own."""
        upstream = use.call.target.upstream
        mint = self._mints.get(upstream)
        holder = None if mint is None else mint.holder(use)
        return None if holder is None else (upstream, holder)

    async def _looked_after(self, key: Key, mint: Mint, use: Use) -> Lease:
        """What is held if it still holds, else another; while the old one holds, nobody waits for a new one."""
        now = self._sources.monotonic()
        self._used[key[0]] = self._sources.now()
        held = self._held.get(key)
        if held is None or not self._holds(held, now):
            self._drop(key, GRACE_SECONDS)
            return (await self._fetched(key, mint, use)).lease
        if now >= held.due and key not in self._flights:
            self._spawn(self._renewed(key, mint, use))
        held.look_at = min(held.until, now + LOOKED_AFTER_SECONDS)
        return held.lease

    def _holds(self, held: _Held, now: float) -> bool:
        if now >= held.until or (held.lease.expires_at is not None and self._sources.now() >= held.lease.expires_at):
            return False
        return held.minted.is_current is None or held.minted.is_current()

    async def _fetched(self, key: Key, mint: Mint, use: Use) -> _Held:
        """Another one for a holder: made once for all who ask meanwhile, and not again right after a failure. Raises `Refused`."""
        failed = self._failed.get(key)
        if failed is not None:
            if self._sources.monotonic() < failed.until:
                raise failed.refused.copied()
            del self._failed[key]
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(use.call.principal, Single())
        try:
            return await flight.work.run(partial(self._kept, key, mint, use, flight))
        except NetError as error:
            raise _refused(key[0], str(error)) from None

    async def _renewed(self, key: Key, mint: Mint, use: Use) -> None:
        """Another one before the old one ends; where that fails the old one goes on."""
        try:
            await self._fetched(key, mint, use)
        except Refused:
            return

    async def _kept(self, key: Key, mint: Mint, use: Use, flight: _Flight) -> _Held:
        try:
            held = await self._made(key[0], mint, use)
        except Refused as refused:
            self._fail(key, refused)
            raise
        finally:
            is_wanted = self._flights.get(key) is flight
            if is_wanted:
                del self._flights[key]
        if not is_wanted:
            # The configuration has changed meanwhile, or somebody was stopped: it serves those who waited, and nobody else.
            self._give_back(held.minted, GRACE_SECONDS if self._mints.get(key[0]) is not mint else 0.0)
            return held
        self._drop(key, GRACE_SECONDS)
        if len(self._held) >= MOST:
            self._drop(next(iter(self._held)), GRACE_SECONDS)
        self._held[key] = held
        self._keys[held.lease.id] = key
        return held

    def _fail(self, key: Key, refused: Refused) -> None:
        """Remembers a failure for a moment; who has to connect is asked again at once."""
        if refused.reason is not Reason.NO_CREDENTIAL:
            return
        if len(self._failed) >= MOST:
            del self._failed[next(iter(self._failed))]
        self._failed[key] = _Failed(self._sources.monotonic() + PAUSE_SECONDS, refused)

    async def _made(self, upstream: UpstreamId, mint: Mint, use: Use) -> _Held:
        """A lease that nobody had before; raises `Refused`."""
        plan = self._plans.get(upstream)
        try:
            minted = await mint.mint(use)
        except DoorwardError as error:
            raise _refused(upstream, str(error)) from None
        for secret in minted.secrets:
            self._sources.fingerprints.hold(secret.reveal())
        now, life = self._sources.monotonic(), inf if minted.seconds is None else minted.seconds
        until = now + min(life, inf if minted.renewed_after is None else minted.renewed_after)
        lease = Lease(
            id=LeaseId(self._sources.new_id()),
            kind=self.kind(use.call),
            audience="" if plan is None else plan.audience,
            scope=self.mask(minted.scope),  # its issuer's words, which receipts repeat
            headers=minted.headers,
            environment=minted.environment,
            account=minted.account,
            expires_at=None if minted.seconds is None else self._sources.now() + minted.seconds,
        )
        due = until if life > until - now else now + life - min(60.0, life / 5)
        return _Held(lease, minted, use.call.principal, now, min(due, now + LOOKED_AFTER_SECONDS), due, until)

    def _drop(self, key: Key, after_seconds: float) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self._keys.pop(held.lease.id, None)
            self._give_back(held.minted, after_seconds)

    def _give_back(self, minted: Minted, after_seconds: float) -> None:
        for secret in minted.secrets:
            self._sources.fingerprints.let_go(secret.reveal())
        if minted.release is not None:
            task = self._spawn(_given_back(minted, after_seconds))
            self._owed[task] = minted
            task.add_done_callback(lambda done: self._owed.pop(done, None))

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _kinds(plan: Plan) -> tuple[str, str]:
    """What is made for people and agents, and for the gateway itself."""
    return planned.kind(plan), planned.kind(plan.own if isinstance(plan, ForPeople) else plan)


async def _given_back(minted: Minted, after_seconds: float) -> None:
    """Gives a credential back to its issuer; where that fails it ends by itself, later."""
    assert minted.release is not None
    await asyncio.sleep(after_seconds)
    try:
        await minted.release()
    except DoorwardError:
        return


def _refused(upstream: UpstreamId, why: str) -> Refused:
    return Refused(
        Reason.NO_CREDENTIAL,
        f"upstream {upstream}: {why}",
        sentence=f"No credential for the upstream `{upstream}` is available; the call was not made.",
    )

"""The broker: gives the spine a lease for an upstream, once the intent is on record.

INVARIANT: only `call/pipeline.py` calls `lease`, with the ticket of a durable intent in hand. Leases are kept for a bounded time, and a
changed file is read anew within a second: a rotated secret needs no restart.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from doorward.config.references import File
from doorward.credentials import plan as planned
from doorward.credentials.fingerprints import Fingerprints
from doorward.credentials.plan import Plan
from doorward.credentials.static import Resolving, load
from doorward.domain.actors import Principal
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import LeaseId, UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Reason, Refused

KEPT_SECONDS = 60.0
"""How long a lease is given out at most before its references are read again, whatever the files' times say."""

LOOKED_AFTER_SECONDS = 1.0
"""How old the last look at a file's times may be: the staleness bound of a rotation."""

Stamp = tuple[int, int, int] | None


@dataclass(slots=True)
class _Held:
    """A lease that is given out again."""

    plan: Plan
    lease: Lease
    stamps: tuple[Stamp, ...]
    until: float
    look_at: float


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the broker takes from what it puts into a lease."""

    resolver: Resolving
    root: Path
    """What relative paths of references are relative to."""
    fingerprints: Fingerprints
    monotonic: Callable[[], float]
    new_id: Callable[[], str]


class Broker:
    """Leases credentials by plan."""

    __slots__ = ("_held", "_kinds", "_plans", "_sources")

    def __init__(self, plans: Mapping[UpstreamId, Plan], sources: Sources) -> None:
        self._sources = sources
        self._held: dict[UpstreamId, _Held] = {}
        self.adopt(plans)

    def adopt(self, plans: Mapping[UpstreamId, Plan]) -> None:
        """Goes on with other plans; leases of a plan that changed are not given out again. Raises `MalformedError` and changes nothing."""
        self._kinds = {upstream: planned.kind(plan) for upstream, plan in plans.items()}
        self._plans = plans
        self._held = {upstream: held for upstream, held in self._held.items() if plans.get(upstream) == held.plan}

    def kind(self, upstream: UpstreamId) -> str:
        """How receipts name the plan of an upstream; `none` for one without a plan, whose lease is refused."""
        return self._kinds.get(upstream, "none")

    async def lease(self, upstream: UpstreamId, principal: Principal) -> Lease:
        """The credential for one upstream; raises `Refused` NO_CREDENTIAL. Static secrets are the same for every principal."""
        del principal
        now = self._sources.monotonic()
        held = self._held.get(upstream)
        if held is None or now >= held.look_at:
            held = self._held[upstream] = self._looked_after(upstream, held, now)
        return held.lease

    def forget(self, upstream: UpstreamId) -> None:
        """Gives out what is held for an upstream no longer: it was revoked, or the upstream refused it."""
        self._held.pop(upstream, None)

    def _looked_after(self, upstream: UpstreamId, held: _Held | None, now: float) -> _Held:
        plan = self._plans.get(upstream)
        if plan is None:
            raise _refused(upstream, "there is no credential plan")
        stamps = self._stamps(plan)
        if held is not None and now < held.until and stamps == held.stamps:
            held.look_at = min(held.until, now + LOOKED_AFTER_SECONDS)
            return held
        self._held.pop(upstream, None)
        return _Held(plan, self._loaded(upstream, plan), stamps, now + KEPT_SECONDS, now + LOOKED_AFTER_SECONDS)

    def _loaded(self, upstream: UpstreamId, plan: Plan) -> Lease:
        # Read on the loop: references are small local files (64 KiB at most), and one read serves a minute of calls.
        try:
            material = load(plan, self._sources.resolver)
        except DoorwardError as error:
            raise _refused(upstream, str(error)) from None
        for secret in material.secrets:
            self._sources.fingerprints.add(secret.reveal())
        return Lease(
            id=LeaseId(self._sources.new_id()),
            kind=planned.kind(plan),
            audience=plan.audience,
            scope="",
            headers=material.headers,
            environment=material.environment,
        )

    def _stamps(self, plan: Plan) -> tuple[Stamp, ...]:
        """Taken before the files are read: a change between the two is seen at the next look."""
        files = [pointer for pointer in planned.pointers(plan) if isinstance(pointer, File)]
        return tuple(_stamp(self._sources.root / file.path) for file in files)


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _refused(upstream: UpstreamId, why: str) -> Refused:
    return Refused(
        Reason.NO_CREDENTIAL,
        f"upstream {upstream}: {why}",
        sentence=f"No credential for the upstream `{upstream}` is available; the call was not made.",
    )

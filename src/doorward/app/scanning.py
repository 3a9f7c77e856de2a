"""A look at a server without a gateway: opened, asked for its lists, closed; nothing of it is kept, and nobody is connected to it."""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from doorward import __version__
from doorward.app import clocks
from doorward.app.examination import Against, accepted
from doorward.app.places import anchored
from doorward.app.secrets import Sourcing
from doorward.call.discreet import discreet
from doorward.catalog.pins import Pins
from doorward.catalog.scanned import Scanned, saved, scanned
from doorward.config.model import Document, Stdio
from doorward.config.model import Upstream as Config
from doorward.credentials.fingerprints import Fingerprints
from doorward.credentials.plan import Basic, Certificate, Environment, ForPeople, Nothing, Plan, Process, StaticHeader, plan
from doorward.credentials.port import Use
from doorward.credentials.static import StaticMint
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind, Reversibility, Target
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import CallId, LeaseId, TeamId, UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Refused
from doorward.identity.own import own
from doorward.runtime.workbench import Read, read
from doorward.telemetry.journal import Journal, Level
from doorward.upstream.faults import told
from doorward.upstream.open import open_upstream
from doorward.upstream.seams import Seams
from doorward.upstream.sight import Sight
from doorward.wire.canonical import canonical, sha256
from doorward.wire.jsonrpc import Limits, parse_value

FILE_LIMITS = Limits(body_bytes=16 * 2**20, nodes=1_000_000)
"""Of a file of definitions: as much as one list of an upstream may have."""

SECONDS = 120.0
"""How long all of a look may take, whatever the server's own limits are."""

STRANGER = UpstreamId("scanned")
"""What a server is called that is in no configuration."""


class ScanError(DoorwardError):
    """A server that could not be looked at; the message says why."""


def scan_upstream(path: Path, name: str) -> Scanned:
    """The scan of an upstream of a configuration, as it is configured; raises a `DoorwardError`."""
    held = read(path)
    config = held.loaded.document.upstreams.get(name)
    if config is None:
        known = ", ".join(held.loaded.document.upstreams) or "none"
        raise ScanError(f"there is no upstream {name[:64]!r} in {path}, there are: {known}")
    return asyncio.run(_scan(UpstreamId(name), config, held))


def scan_stranger(path: Path | None, url: str | None, command: tuple[str, ...]) -> Scanned:
    """The scan of a server at a URL, or of a process; with a configuration, beside what is accepted there. Raises a `DoorwardError`."""
    process = Stdio(command=command) if command else None
    config = Config(url=url, stdio=process, private=True, plain_http=url is not None and urlsplit(url).scheme == "http")
    return asyncio.run(_scan(STRANGER, config, None if path is None else read(path)))


def scan_file(path: Path | None, file: Path) -> Scanned:
    """The scan of definitions that were saved: the result of `tools/list` and its like. Nothing is connected. Raises a `DoorwardError`."""
    try:
        value = parse_value(file.read_bytes(), FILE_LIMITS)
    except OSError as error:
        raise ScanError(f"{file} cannot be read: {error}") from error
    except Refused as refused:
        raise ScanError(f"{file} is not one strict JSON text: {told(refused)}") from refused
    pins = Pins() if path is None else accepted(read(path), Against.ACCEPTED)[0]
    return scanned(STRANGER, saved(value), pins, clocks.now())


async def _scan(name: UpstreamId, config: Config, held: Read | None) -> Scanned:
    pins = Pins() if held is None else accepted(held, Against.ACCEPTED)[0]
    root = Path.cwd() if held is None or name == STRANGER else held.loaded.path.resolve().parent
    document = Document(upstreams={}) if held is None else held.loaded.document
    fingerprints = Fingerprints(clocks.draw(32))
    try:
        async with asyncio.timeout(SECONDS), _leased(name, config, document, root, fingerprints) as lease:
            sight = await _looked(name, anchored(config, root), lease, fingerprints)
    except Refused as refused:
        raise ScanError(f"{name} could not be looked at: {fingerprints.mask(told(refused))}") from refused
    except TimeoutError as error:
        raise ScanError(f"{name} could not be looked at within {SECONDS:g} s") from error
    return scanned(name, sight, pins, clocks.now())


async def _looked(name: UpstreamId, config: Config, lease: Lease, fingerprints: Fingerprints) -> Sight:
    """Everything it shows; raises Refused."""
    seams = Seams(
        now=clocks.now, chance=random.random, version=__version__, path=os.environ.get("PATH", os.defpath), mask=fingerprints.mask
    )
    upstream = open_upstream(name, config, seams)
    try:
        await upstream.start(lease)
        return discreet(await upstream.discover(lease), fingerprints.mask)
    finally:
        await upstream.close()


@asynccontextmanager
async def _leased(name: UpstreamId, config: Config, document: Document, root: Path, fingerprints: Fingerprints) -> AsyncIterator[Lease]:
    """The credential that the configuration gives an upstream, read for this look alone; none where it gives none."""
    made = _own(plan(name, config, document.identity.issuers))
    empty = Lease(LeaseId(clocks.new_id()), "none", made.audience, "")
    if isinstance(made, Nothing | Certificate):
        yield empty
        return
    sourcing = Sourcing(document, root, fingerprints, Journal(sys.stderr, clocks.now, Level.WARNING))
    try:
        await sourcing.begin()
        minted = await StaticMint(name, made, sourcing.reading, root, fingerprints.mark).mint(Use(_look(name)))
        for secret in minted.secrets:
            fingerprints.hold(secret.reveal())
        yield Lease(empty.id, "static", made.audience, "", minted.headers, minted.environment, minted.account)
    finally:
        await sourcing.close()


def _own(made: Plan) -> Nothing | Certificate | StaticHeader | Basic | Environment:
    """What the gateway itself would show; raises ScanError where only a running one can have it."""
    match made:
        case Nothing() | Certificate() | StaticHeader() | Basic() | Environment():
            return made
        case ForPeople(own=mine):
            return _own(mine)
        case Process(static=static, token=None):
            return static
        case _:
            raise ScanError(
                "its credential is one that only a running gateway can have; there, look with `doorward catalog refresh` and `diff`"
            )


def _look(name: UpstreamId) -> Call:
    """A look as the call that it is."""
    target = Target(name, Kind.UPSTREAM, name, None, TeamId(""), frozenset(), Reversibility.READ)
    raw = canonical({"method": "discover", "upstream": name})
    return Call(CallId(clocks.new_id()), own(), target, "discover", {}, {}, raw, sha256(raw))

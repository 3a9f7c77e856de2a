"""What the shape alone does not say: fields that contradict one another, and names that lead nowhere on this machine."""

import os
import stat
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

from doorward.config.addresses import is_host, is_host_header, is_loopback, is_origin, split_url
from doorward.config.check_alerts import alerts
from doorward.config.check_approvals import approvals
from doorward.config.check_authority import authority
from doorward.config.check_break_glass import break_glass
from doorward.config.check_budgets import budgets
from doorward.config.check_connections import connections
from doorward.config.check_control import control
from doorward.config.check_encryption import encryption
from doorward.config.check_enrol import enrolment
from doorward.config.check_facts import facts
from doorward.config.check_flow import flow
from doorward.config.check_inspection import inspection
from doorward.config.check_issuers import issuers
from doorward.config.check_limits import limits
from doorward.config.check_links import links
from doorward.config.check_oauth import oauth
from doorward.config.check_operators import operators
from doorward.config.check_own import own
from doorward.config.check_secret_rules import secret_rules
from doorward.config.check_secrets import secrets
from doorward.config.check_supply import supplies
from doorward.config.check_tls import tls
from doorward.config.check_upstreams import upstreams
from doorward.config.check_user import user
from doorward.config.ground import Found, Ground, error, note
from doorward.config.model import Audit, Document, Listen, Policies
from doorward.config.problems import listed, meant, quoted
from doorward.domain.actors import Agent
from doorward.domain.catalog import Posture
from doorward.domain.ids import AgentId, TeamId
from doorward.domain.naming import misnamed


def check(document: Document, ground: Ground) -> Iterator[Found]:
    """Every finding about a document of the right shape, errors and notes."""
    yield from _listen(document.listen)
    yield from upstreams(document.upstreams, ground)
    yield from facts(document.upstreams, ground)
    yield from _policies(document.policies, ground)
    yield from _layers(document, ground.root)
    yield from secrets(document, ground)
    yield from encryption(document, ground)
    yield from tls(document, ground)
    yield from _identity(document)
    yield from issuers(document, ground)
    yield from oauth(document, ground)
    yield from user(document, ground)
    yield from connections(document)
    yield from enrolment(document.identity)
    yield from authority(document, ground.root)
    yield from _bounds(document)
    yield from limits(document)
    yield from links(document)
    yield from budgets(document)
    yield from flow(document)
    yield from _state(ground.root / document.state)
    yield from control(document.control, ground.root, ground.root / document.state)
    yield from operators(document)
    yield from approvals(document, ground)
    yield from alerts(document, ground)
    yield from inspection(document, ground)
    yield from own(document, ground)
    yield from secret_rules(document.inspection.secrets)
    yield from supplies(document, ground)
    yield from break_glass(document)
    yield from _audit(document.audit, ground, ground.root / document.state)


def policy_files(policies: Policies, root: Path) -> tuple[Path, ...]:
    """The files of all layers, each once, sorted."""
    return tuple(sorted({file for _, file in policy_layers(policies, root)}))


def trial_files(policies: Policies, root: Path) -> tuple[Path, ...]:
    """The files of tests that the patterns lead to, each once, sorted; there may be none."""
    return tuple(sorted({path for pattern in policies.tests for path in _matches(pattern, root)}))


def policy_layers(policies: Policies, root: Path) -> tuple[tuple[str, Path], ...]:
    """The files that the patterns lead to, sorted, each with the team whose layer it belongs to (empty: the global one)."""
    return tuple(sorted({(team, file) for team, _, pattern in _patterns(policies) for file in _matches(pattern, root)}))


def _patterns(policies: Policies) -> Iterator[tuple[str, tuple[str | int, ...], str]]:
    """Every pattern with its team and its place in the document, the global layer first."""
    for index, pattern in enumerate(policies.files):
        yield "", ("policies", "files", index), pattern
    for team, layer in policies.teams.items():
        for index, pattern in enumerate(layer.files):
            yield team, ("policies", "teams", team, "files", index), pattern


def _listen(listen: Listen) -> Iterator[Found]:
    if not is_host(listen.host):
        yield error("expected an address or host name to listen on, such as 127.0.0.1", "listen", "host")
    elif not is_loopback(listen.host) and listen.tls is None and listen.proxy is None:
        yield note("agents' keys travel unencrypted to this address unless a TLS proxy stands in front", "listen", "host")
    if listen.public_url is not None:
        yield from _public_url(listen.public_url)
    for index, host in enumerate(listen.allowed_hosts):
        if not is_host_header(host):
            yield error("expected a host, perhaps with a port, such as mcp.example.com", "listen", "allowed_hosts", index)
    for index, origin in enumerate(listen.allowed_origins):
        if not is_origin(origin):
            yield error("expected an origin such as https://mcp.example.com, without a path", "listen", "allowed_origins", index)


def _public_url(url: str) -> Iterator[Found]:
    parts = split_url(url)
    if isinstance(parts, str):
        yield error(parts, "listen", "public_url")
    elif parts.query or parts.path not in {"", "/"}:
        yield error("expected scheme, host and perhaps a port alone, such as https://mcp.example.com", "listen", "public_url")
    elif parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        yield note("agents' keys travel unencrypted over http", "listen", "public_url")


def _policies(policies: Policies, ground: Ground) -> Iterator[Found]:
    if not policies.files and not policies.teams:
        yield note("no policy is named, so nothing is allowed", "policies", "files")
    for _, place, pattern in _patterns(policies):
        if not _matches(pattern, ground.root):
            yield error(f"no file matches {quoted(pattern)} in {ground.root}", *place)
    try:
        zoneinfo.ZoneInfo(policies.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        guess = meant(policies.timezone, zoneinfo.available_timezones())
        yield error(
            f"expected the name of a time zone such as Europe/Berlin, got {quoted(policies.timezone)}{guess}", "policies", "timezone"
        )


def _layers(document: Document, root: Path) -> Iterator[Found]:
    """Teams without an upstream, and files that two layers claim: whose word they are, nobody could say."""
    owning = {upstream.team for upstream in document.upstreams.values()}
    for team in document.policies.teams:
        if team not in owning:
            yield note(f"no upstream is owned by team {quoted(team)}, so its policies decide nothing", "policies", "teams", team)
    yield from _claimed_twice(document.policies, root)


def _claimed_twice(policies: Policies, root: Path) -> Iterator[Found]:
    claimed: dict[Path, str] = {}
    for team, place, file in ((team, place, file) for team, place, pattern in _patterns(policies) for file in _matches(pattern, root)):
        other = claimed.setdefault(file.resolve(), team)
        if other != team:
            layer = f"the policies of team {quoted(other)}" if other else "the policies for everybody"
            yield error(f"{file} is one of {layer} already; a file belongs to one layer", *place)


def _matches(pattern: str, root: Path) -> list[Path]:
    try:
        if Path(pattern).is_absolute():
            anchor = Path(pattern).anchor
            return [path for path in Path(anchor).glob(pattern.removeprefix(anchor)) if path.is_file()]
        return [path for path in root.glob(pattern) if path.is_file()]
    except (ValueError, NotImplementedError, OSError):
        return []


def _identity(document: Document) -> Iterator[Found]:
    declared = document.identity.anonymous
    if declared is None:
        return
    if not is_loopback(document.listen.host):
        yield error("anonymous callers are allowed on a loopback listener only; see listen.host", "identity", "anonymous")
    public = None if document.listen.public_url is None else split_url(document.listen.public_url)
    if public is not None and not isinstance(public, str) and not is_loopback(public.hostname or ""):
        yield note("whoever a proxy sends here as from this machine is this agent, and public_url speaks of one", "identity", "anonymous")
    wrong = misnamed(Agent(AgentId(declared.agent), "nobody", TeamId(declared.team), "anonymous"))
    if wrong is not None:
        yield error(wrong, "identity", "anonymous")


def _bounds(document: Document) -> Iterator[Found]:
    admission, sessions = document.admission, document.sessions
    if admission.concurrent > admission.in_flight:
        yield note("in_flight ends this first", "admission", "concurrent")
    if admission.in_flight > admission.requests:
        yield note("requests ends this first", "admission", "in_flight")
    if admission.bytes_in_flight_per_agent > admission.bytes_in_flight:
        yield note("bytes_in_flight ends this first", "admission", "bytes_in_flight_per_agent")
    if sessions.per_principal > sessions.overall:
        yield note("overall ends this first", "sessions", "per_principal")
    observed = [name for name, upstream in document.upstreams.items() if upstream.posture is Posture.OBSERVE]
    if observed:
        yield note(f"policy is only recorded, not enforced, for {listed(observed, 'and')}", "upstreams", observed[0], "posture")


def _state(state: Path) -> Iterator[Found]:
    if state.is_dir():
        if not os.access(state, os.W_OK | os.X_OK):
            yield error(f"the directory {state} cannot be written", "state")
        elif stat.S_IMODE(state.stat().st_mode) & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
            yield note(f"others may read or write {state}; chmod 700 it", "state")
    elif state.exists():
        yield error(f"expected a directory, {state} is none", "state")
    elif not (_above(state).is_dir() and os.access(_above(state), os.W_OK | os.X_OK)):
        yield error(f"the directory {state} cannot be made here", "state")


def _audit(audit: Audit, ground: Ground, state: Path) -> Iterator[Found]:
    if not audit.origin or "+" in audit.origin or any(letter.isspace() or not letter.isprintable() for letter in audit.origin):
        yield error("expected a name without spaces and +, such as doorward.example.com/log", "audit", "origin")
    if audit.anchor_syslog is not None and not is_host(audit.anchor_syslog.host):
        yield error("expected a host name or address", "audit", "anchor_syslog", "host")
    if audit.anchor_file is None:
        return
    anchor = ground.root / audit.anchor_file
    if anchor.is_dir() or not anchor.parent.is_dir():
        yield error(f"expected a file in a directory that exists, got {anchor}", "audit", "anchor_file")
    elif anchor.resolve().is_relative_to(state.resolve()):
        yield note("an anchor beside the log is lost or forged together with it; put it elsewhere", "audit", "anchor_file")


def _above(path: Path) -> Path:
    """The nearest thing above a path that exists."""
    return next((parent for parent in path.absolute().parents if parent.exists()), Path(path.anchor or "/"))

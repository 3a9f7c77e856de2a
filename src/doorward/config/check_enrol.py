"""Whether enrolment rules say whom they let in, and say it so that nobody else fits (`identity.enrol`)."""

from collections.abc import Iterator

from doorward.config.ground import Found, error, note
from doorward.config.identity import Enrol, Identity
from doorward.config.problems import meant, quoted
from doorward.domain.actors import Agent
from doorward.domain.ids import AgentId, TeamId
from doorward.domain.naming import misnamed

SELF = "self"
"""Our own authority, among issuers."""

_NAME = "{name}"
_SPIFFE = "spiffe://"
_HTTPS = "https://"


def enrolment(identity: Identity) -> Iterator[Found]:
    """Findings about every rule, and about rules that are never reached."""
    before: list[tuple[object, ...]] = []
    for index, rule in enumerate(identity.enrol):
        at = ("identity", "enrol", index)
        yield from _selection(rule, at)
        yield from _patterns(rule, at)
        yield from _agent(rule, identity, at)
        yield from _strangers(rule, identity, at)
        if rule.issuer is not None:
            yield from _issuer(rule, identity, at)
        selects = (rule.issuer, rule.client, sorted(rule.claims.items()), rule.spiffe, rule.dns)
        if selects in before:
            yield note("an earlier rule takes the same identities, so this one is never reached", *at)
        before.append(selects)


def _selection(rule: Enrol, at: tuple[str | int, ...]) -> Iterator[Found]:
    named = [name for name in ("issuer", "spiffe", "dns") if getattr(rule, name) is not None]
    if len(named) != 1:
        yield error(f"expected one of issuer, spiffe and dns, got {' and '.join(named) or 'none'}", *at)
    if rule.issuer is None and (rule.claims or rule.client != "*"):
        yield error("client and claims are said of tokens: they need an issuer", *at)
    own = "access_token" if rule.issuer is not None else "certificate"
    if rule.methods and own not in rule.methods:
        yield error(f"expected {own} among them, for that is how such an agent comes", *at, "methods")


def _issuer(rule: Enrol, identity: Identity, at: tuple[str | int, ...]) -> Iterator[Found]:
    known = {*identity.issuers, *((SELF,) if identity.authority is not None else ())}
    if rule.issuer not in known:
        yield error(f"no issuer is called {quoted(rule.issuer or '')}{meant(rule.issuer or '', known)}", *at, "issuer")
    if rule.client == "*" and not rule.claims:
        yield note(f"every client of {quoted(rule.issuer or '')} is let in as an agent; name clients or claims to let in fewer", *at)


def _strangers(rule: Enrol, identity: Identity, at: tuple[str | int, ...]) -> Iterator[Found]:
    """Whoever owns a URL chooses its last part: taken as an agent's name, that would be a choice among the rights that policies give by name."""
    ours = identity.authority
    if ours is None or rule.issuer != SELF or _NAME not in rule.agent:
        return
    head, star, _ = rule.client.partition("*")
    is_open = bool(star) and "://" not in rule.client and _HTTPS.startswith(head)
    if is_open and ours.clients.documents and not ours.clients.document_hosts:
        yield error(
            "strangers would choose by which name they are known; name their hosts in client, or one agent for all of them", *at, "agent"
        )


def _patterns(rule: Enrol, at: tuple[str | int, ...]) -> Iterator[Found]:
    if not _is_client(rule.client):
        yield error("expected a whole host before the first `/`, such as https://*.example.org/*, or others' hosts fit too", *at, "client")
    if rule.spiffe is not None and not _is_spiffe(rule.spiffe):
        yield error("expected spiffe://, a trust domain without `*` and a path, such as spiffe://example.org/agents/*", *at, "spiffe")
    if rule.dns is not None and not (rule.dns == rule.dns.lower() and _ends_whole(rule.dns)):
        yield error("expected lower case, and `.` after the last `*`, such as *.agents.example.org", *at, "dns")


def _is_client(pattern: str) -> bool:
    """A client id may be the URL of a document: then its host is said as exactly as any."""
    scheme, is_url, rest = pattern.partition("://")
    host, slash, _ = rest.partition("/")
    return not is_url or ("*" not in scheme and bool(slash) and _ends_whole(host))


def _is_spiffe(pattern: str) -> bool:
    domain, slash, _ = pattern.removeprefix(_SPIFFE).partition("/")
    return pattern.startswith(_SPIFFE) and bool(domain and slash) and "*" not in domain and domain == domain.lower()


def _ends_whole(host: str) -> bool:
    """Whether a host's pattern ends in labels that are said whole: `*example.org` would take `evilexample.org`."""
    _, star, end = host.rpartition("*")
    return end.startswith(".") and len(end) > 1 if star else bool(end)


def _agent(rule: Enrol, identity: Identity, at: tuple[str | int, ...]) -> Iterator[Found]:
    example = rule.agent.replace(_NAME, "x", 1)
    wrong = misnamed(Agent(AgentId(example), rule.owner, TeamId(rule.team), rule.kind))
    if wrong is not None:
        yield error(wrong, *at, "agent")
    if not rule.purpose.isprintable():
        yield error("expected printable characters", *at, "purpose")
    if identity.anonymous is not None and rule.agent == identity.anonymous.agent:
        yield error("expected another name: this one is that of anonymous callers", *at, "agent")

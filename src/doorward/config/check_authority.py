"""Whether our own authorization server can be what its declaration says (`identity.authority`)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from doorward.config.addresses import is_loopback, split_url
from doorward.config.ground import Found, error, note
from doorward.config.identity import Authority, Clients, Identity, KnownClient
from doorward.config.model import Document, Listen
from doorward.config.problems import Step, meant, quoted
from doorward.config.redirects import fault

_OWN: Final = "self"
_NOTHING: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""SHA-256 of no bytes at all."""
_REGISTERED: Final = "dyn-"
"""How ids of clients begin that register themselves."""
_SIGNED: Final = frozenset({"client_credentials", "jwt-bearer", "token-exchange"})
_AT: Final[tuple[Step, ...]] = ("identity", "authority")


def authority(document: Document, root: Path) -> Iterator[Found]:
    """Findings about the authority, if there is one."""
    rules = document.identity.authority
    if rules is None:
        yield from _own_rules(document.identity, are_met=False)
        return
    yield from place_of_people(document.listen)
    yield from sign_in_of(rules.sign_in, document.identity, (*_AT, "sign_in"))
    yield from _assertions(rules, document.identity)
    yield from _clients(rules.clients, root)
    yield from _own_rules(document.identity, are_met=True)
    for client_id, client in rules.known.items():
        at = (*_AT, "known", client_id)
        yield from _name(client_id, document.identity, at)
        yield from _redirects(client, at)
        yield from _keys(client, root, at)
        yield from _scopes(client, frozenset(document.upstreams), at)


def place_of_people(listen: Listen) -> Iterator[Found]:
    """Codes and tokens travel over https, or never leave the machine."""
    if listen.public_url is None:
        if not is_loopback(listen.host):
            yield error("people's browsers come here: expected the https URL of this gateway", "listen", "public_url")
        return
    parts = split_url(listen.public_url)
    if not isinstance(parts, str) and parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        yield error("people's browsers come here: expected a URL that begins with https://", "listen", "public_url")


def sign_in_of(name: str, identity: Identity, at: tuple[Step, ...]) -> Iterator[Found]:
    """What is wrong with an issuer that people are to sign in with."""
    issuer = identity.issuers.get(name)
    if issuer is None:
        guess = meant(name, identity.issuers)
        yield error(f"no issuer is called {quoted(name)}{guess}", *at)
    elif issuer.sign_in is None:
        yield error(f"people cannot sign in with {quoted(name)}: expected sign_in there", *at)


def _assertions(rules: Authority, identity: Identity) -> Iterator[Found]:
    for index, name in enumerate(rules.assertions):
        if name not in identity.issuers:
            yield error(f"no issuer is called {quoted(name)}{meant(name, identity.issuers)}", *_AT, "assertions", index)
    brings = any("jwt-bearer" in client.grants for client in rules.known.values())
    if rules.assertions and not brings and not rules.clients.documents:
        yield note("no client may bring any: give one the grant jwt-bearer", *_AT, "assertions")
    if brings and not rules.assertions:
        yield note("clients may bring identity assertions, and none count: name their issuers", *_AT, "assertions")


def _clients(clients: Clients, root: Path) -> Iterator[Found]:
    at = (*_AT, "clients")
    if clients.dynamic:
        yield note("anybody can register a client under any name; documents prove at least whose it is", *at, "dynamic")
    if clients.private:
        yield note("whoever can reach the sign-in page makes the gateway fetch from its own network", *at, "private")
    if clients.document_hosts and not clients.documents:
        yield note("documents are off, so no host is asked", *at, "document_hosts")
    for index, host in enumerate(clients.document_hosts):
        if not _is_pattern(host):
            yield error("expected a host in lower case, with `.` after its last `*`, such as *.example.com", *at, "document_hosts", index)
    if clients.ca_file is not None and not (root / clients.ca_file).is_file():
        yield error(f"expected a file of certificates (PEM) at {root / clients.ca_file}", *at, "ca_file")


def _is_pattern(host: str) -> bool:
    """Whether a text stands for hosts, and for none that somebody else could have."""
    _, star, tail = host.rpartition("*")
    return host == host.lower() and {"/", ":"}.isdisjoint(host) and (not star or tail.startswith("."))


def _own_rules(identity: Identity, *, are_met: bool) -> Iterator[Found]:
    """Enrolment of our own clients: they are known by their ids, and say nothing else."""
    rules = [(index, rule) for index, rule in enumerate(identity.enrol) if rule.issuer == _OWN]
    for index, rule in rules:
        if rule.claims:
            yield error("clients of our own authority have no claims; name them by client", "identity", "enrol", index, "claims")
    if are_met and not rules:
        yield note("no rule enrols its clients: only those that an operator has bound to an agent get tokens", "identity", "enrol")


def _name(client_id: str, identity: Identity, at: tuple[Step, ...]) -> Iterator[Found]:
    if not client_id.isascii() or not client_id.isprintable() or " " in client_id:
        yield error("expected a client id of visible ASCII", *at)
    if client_id.startswith(_REGISTERED):
        yield error(f"ids that begin with {_REGISTERED} are those of clients that register themselves", *at)
    prefix, colon, _ = client_id.partition(":")
    if colon and prefix in identity.issuers:
        # `sub` of a client's own token is its id: it must not read as a person's.
        yield error(f"{quoted(client_id)} reads as somebody of the issuer {quoted(prefix)}; expected another id", *at)


def _redirects(client: KnownClient, at: tuple[Step, ...]) -> Iterator[Found]:
    for index, uri in enumerate(client.redirect_uris):
        if wrong := fault(uri):
            yield error(wrong, *at, "redirect_uris", index)
    has_codes = "authorization_code" in client.grants
    if has_codes and not client.redirect_uris:
        yield error("expected where its codes may be sent, or grants without authorization_code", *at, "redirect_uris")
    if client.redirect_uris and not has_codes:
        yield note("its grants have no authorization_code, so no code is sent anywhere", *at, "redirect_uris")
    if "refresh_token" in client.grants and not has_codes:
        yield note("refresh tokens come with codes alone: its grants have no authorization_code", *at, "grants")


def _keys(client: KnownClient, root: Path, at: tuple[Step, ...]) -> Iterator[Found]:
    signed = sorted(_SIGNED.intersection(client.grants))
    proofs = [name for name in ("jwks_file", "jwks_url", "secret_sha256") if getattr(client, name) is not None]
    if len(proofs) > 1:
        yield error(f"expected one of {' and '.join(proofs)}", *at, proofs[-1])
    if signed and not proofs:
        yield error(
            f"{' and '.join(signed)} are for clients that authenticate: expected jwks_url, jwks_file or secret_sha256", *at, "grants"
        )
    if client.secret_sha256 == _NOTHING:
        yield error("this is the hash of an empty secret; expected that of 32 random bytes or more", *at, "secret_sha256")
    if client.jwks_url is not None:
        parts = split_url(client.jwks_url)
        if isinstance(parts, str) or parts.scheme != "https":
            yield error("expected a URL that begins with https://", *at, "jwks_url")
    if client.jwks_file is not None:
        yield from _key_file(root / client.jwks_file, at)


def _key_file(path: Path, at: tuple[Step, ...]) -> Iterator[Found]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        yield error(f"expected a JWKS in {path}", *at, "jwks_file")
        return
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys) or not keys:
        yield error(f"expected a list of keys in {path}", *at, "jwks_file")
    elif any({"d", "k"} & set(key) for key in keys):
        yield error(f"there is a private key in {path}: expected the client's public keys alone", *at, "jwks_file")


def _scopes(client: KnownClient, upstreams: frozenset[str], at: tuple[Step, ...]) -> Iterator[Found]:
    for index, scope in enumerate(client.scopes):
        head, *rest = scope.split(":")
        named = rest[0] if rest and rest != ["read"] else None
        if head != "mcp" or len(rest) > 2 or (len(rest) == 2 and rest[1] != "read"):
            yield error("expected mcp, mcp:read, mcp:<upstream> or mcp:<upstream>:read", *at, "scopes", index)
        elif named is not None and named not in upstreams:
            yield note(f"no upstream is called {quoted(named)}{meant(named, upstreams)}", *at, "scopes", index)

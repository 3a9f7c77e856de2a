"""Whether listeners can speak TLS with the files that are named, and who may say in front of them who a client is."""

import ssl
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from doorward.config.authorities import AuthorityError, certificates, lists, vouch
from doorward.config.ground import Found, Ground, Weight, error, note
from doorward.config.model import Document, Proxy, Tls, UpstreamTls
from doorward.config.problems import Step, quoted

_DOMAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")
_LISTEN: tuple[Step, ...] = ("listen", "tls")
_CONTROL: tuple[Step, ...] = ("control", "listen", "tls")


def tls(document: Document, ground: Ground) -> Iterator[Found]:
    """Findings about both listeners, the proxy in front, and the names in client certificates."""
    listen, control = document.listen, document.control.listen
    if listen.tls is not None:
        yield from _served(listen.tls, ground.root, _LISTEN)
        yield from _clients(document, listen.tls, ground.root)
        if listen.public_url is not None and listen.public_url.lower().startswith("http:"):
            yield error("the listener speaks TLS; expected a URL that begins with https://", "listen", "public_url")
    if listen.proxy is not None:
        yield from _proxy(listen.proxy, listen.tls)
        if document.identity.anonymous is not None:
            yield error("whoever comes through the proxy would be this agent; leave out one of the two", "identity", "anonymous")
    if control is not None:
        yield from _served(control.tls, ground.root, _CONTROL)
        if control.tls.clients != "off":
            yield error("operators sign in and show no certificates; leave this out", *_CONTROL, "clients")
    yield from _names(document)


def towards(rules: UpstreamTls, root: Path, at: tuple[Step, ...]) -> Iterator[Found]:
    """Findings about what TLS is spoken to an upstream with."""
    if rules.ca_file is not None:
        try:
            certificates(root / rules.ca_file)
        except AuthorityError as wrong:
            yield error(str(wrong), *at, "ca_file")
    match rules.certificate, rules.key:
        case None, None:
            return
        case str(certificate), str(key):
            yield from _shown(root / certificate, root / key, at)
        case _:
            yield error("expected certificate and key together, one of them is missing", *at)


def _shown(certificate: Path, key: Path, at: tuple[Step, ...]) -> Iterator[Found]:
    """A certificate of ours and its key."""
    try:
        leaf = certificates(certificate)[0]
    except AuthorityError as wrong:
        yield error(str(wrong), *at, "certificate")
        return
    if leaf.not_valid_after_utc < _now():
        yield note(f"the certificate has expired on {leaf.not_valid_after_utc:%Y-%m-%d}", *at, "certificate")
    wrong_key = list(_key(key, leaf, at))
    yield from wrong_key
    if all(one.weight is not Weight.ERROR for one in wrong_key):
        yield from _loaded(certificate, key, at)


def _served(rules: Tls, root: Path, at: tuple[Step, ...]) -> Iterator[Found]:
    """The listener's own certificate and key."""
    yield from _shown(root / rules.certificate, root / rules.key, at)
    try:
        leaf = certificates(root / rules.certificate)[0]
    except AuthorityError:
        return
    if not _is_for_servers(leaf):
        yield note("clients refuse it: its extended key usage is not that of a server (serverAuth)", *at, "certificate")


def _is_for_servers(leaf: x509.Certificate) -> bool:
    try:
        usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    except ValueError:
        return False
    return ExtendedKeyUsageOID.SERVER_AUTH in usages or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usages


def _loaded(certificate: Path, key: Path, at: tuple[Step, ...]) -> Iterator[Found]:
    """What OpenSSL has against them: keys that are too short, hashes that are too weak, a chain that it cannot read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=2")
    try:
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as wrong:
        why = wrong.reason if isinstance(wrong, ssl.SSLError) and wrong.reason else str(wrong)
        yield error(f"expected a certificate that TLS can be spoken with: {why.lower().replace('_', ' ')}", *at, "certificate")


def _key(path: Path, leaf: x509.Certificate, at: tuple[Step, ...]) -> Iterator[Found]:
    try:
        key, mode = load_pem_private_key(path.read_bytes(), None), stat.S_IMODE(path.stat().st_mode)
    except OSError as wrong:
        yield error(f"the file {path} cannot be read: {wrong.strerror}", *at, "key")
        return
    except (ValueError, TypeError, UnsupportedAlgorithm):
        yield error(f"expected a private key without a password (PEM) in {path}", *at, "key")
        return
    if key.public_key() != leaf.public_key():
        yield error("expected the key of the certificate, got that of another one", *at, "key")
    if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
        yield note(f"others may read or write {path}; chmod 600 it", *at, "key")


def _clients(document: Document, rules: Tls, root: Path) -> Iterator[Found]:
    """Authorities of clients' certificates, and what they have revoked."""
    if rules.clients == "off":
        if rules.roots or rules.crls:
            yield note("nobody is asked for a certificate; set clients to optional or required", *_LISTEN, "clients")
        return
    if not rules.roots and document.identity.ca is None:
        yield error("expected authorities of clients' certificates, or identity.ca for one of our own", *_LISTEN, "roots")
    elif not rules.roots and rules.clients == "required":
        yield note("who has no certificate yet cannot connect to get one; set clients to optional", *_LISTEN, "clients")
    found: list[x509.Certificate] = []
    yield from _roots(rules, root, found)
    for index, name in enumerate(rules.crls):
        try:
            yield from _ended(root / name, found, index)
        except AuthorityError as wrong:
            yield error(str(wrong), *_LISTEN, "crls", index)


def _roots(rules: Tls, root: Path, found: list[x509.Certificate]) -> Iterator[Found]:
    """Adds the authorities to those found."""
    for index, name in enumerate(rules.roots):
        try:
            found += certificates(root / name)
        except AuthorityError as wrong:
            yield error(str(wrong), *_LISTEN, "roots", index)
    if found and all(one.issuer != one.subject for one in found):
        yield error("expected a self-signed root, in which a path can end, among the authorities", *_LISTEN, "roots")


def _ended(path: Path, authorities: list[x509.Certificate], index: int) -> Iterator[Found]:
    for one in lists(path):
        vouch(one, authorities, time.time())
        if one.next_update_utc is not None and one.next_update_utc < _now():
            name = quoted(one.issuer.rfc4514_string())
            yield note(
                f"the list of {name} has ended, and no certificate of its is accepted until the next is here", *_LISTEN, "crls", index
            )


def _proxy(rules: Proxy, own: Tls | None) -> Iterator[Found]:
    for index, text in enumerate(rules.addresses):
        try:
            network = ip_network(text)
        except ValueError:
            yield error("expected an address or network such as 10.0.0.5/32", "listen", "proxy", "addresses", index)
            continue
        if network.prefixlen == 0:
            yield error("expected the addresses of your proxies, this is everybody's", "listen", "proxy", "addresses", index)
    if rules.client_cert and own is not None and own.clients == "required":
        yield note("the proxy has to show a certificate of its own, too", *_LISTEN, "clients")


def _names(document: Document) -> Iterator[Found]:
    listen, identity = document.listen, document.identity
    for index, domain in enumerate(identity.certificates.trust_domains):
        if not _DOMAIN.issuperset(domain):
            yield error("expected a trust domain such as example.org", "identity", "certificates", "trust_domains", index)
    if identity.ca is None:
        return
    if not _DOMAIN.issuperset(identity.ca.trust_domain):
        yield error("expected a trust domain such as doorward.local", "identity", "ca", "trust_domain")
    shows = (listen.tls is not None and listen.tls.clients != "off") or (listen.proxy is not None and listen.proxy.client_cert)
    if not shows:
        yield note("nobody can show its certificates; set listen.tls.clients, or listen.proxy", "identity", "ca")


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)

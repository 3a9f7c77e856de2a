"""What a new document protects less than the one before it did, in words: told first of all changes, whatever the reason for them."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from doorward.config.addresses import is_loopback
from doorward.config.model import Document, Listen, Stdio, Tls, Upstream
from doorward.config.supply import Pin, Sandbox
from doorward.domain.catalog import Posture, Trust

_CLIENTS = ("off", "optional", "required")
_SWITCHES: tuple[tuple[str, object, str], ...] = (
    ("private", True, ".private: true"),
    ("plain_http", True, ".plain_http: true"),
    ("posture", Posture.OBSERVE, ".posture: what policy denies passes"),
    ("trust", Trust.FIRST_USE, ".trust: nobody reviews what is seen first"),
    ("hints", "believe", ".hints: what the server claims is believed"),
    ("extra_arguments", "allow", ".extra_arguments: arguments that no schema names pass"),
)
"""Fields of an upstream with the value that protects less."""
_PINS = ("off", "first-use", "review")


def weaker(old: Document, new: Document) -> tuple[str, ...]:
    """A sentence for each protection that is less than it was, each beginning with `weaker: `."""
    return tuple(f"weaker: {sentence}" for sentence in _all(old, new))


def _all(old: Document, new: Document) -> Iterator[str]:
    yield from _listen(old.listen, new.listen)
    for name, upstream in new.upstreams.items():
        if name in old.upstreams:
            yield from (f"upstreams.{name}{sentence}" for sentence in _upstream(old.upstreams[name], upstream))
    if old.policies.break_glass is None and new.policies.break_glass is not None:
        yield "policies.break_glass: somebody may let agents past every policy"
    if (old.audit.receipts, new.audit.receipts) == ("strict", "queued"):
        yield "audit.receipts: outcomes are no longer durable before the reply"


def _listen(old: Listen, new: Listen) -> Iterator[str]:
    if is_loopback(old.host) and not is_loopback(new.host):
        yield "listen.host: others than this machine can connect"
    for field, before, after in (
        ("allowed_hosts", old.allowed_hosts, new.allowed_hosts),
        ("allowed_origins", old.allowed_origins, new.allowed_origins),
    ):
        if more := sorted(set(after) - set(before)):
            yield f"listen.{field}: {', '.join(more)} may, too"
    if old.proxy is None and new.proxy is not None:
        yield "listen.proxy: somebody else tells who the client is"
    if old.tls is not None:
        yield from _tls(old.tls, new.tls)


def _tls(old: Tls, new: Tls | None) -> Iterator[str]:
    if new is None:
        yield "listen.tls: removed"
        return
    if _CLIENTS.index(new.clients) < _CLIENTS.index(old.clients):
        yield f"listen.tls.clients: {old.clients} → {new.clients}"
    if new.minimum < old.minimum:
        yield f"listen.tls.minimum: {old.minimum} → {new.minimum}"
    if old.crls and not new.crls:
        yield "listen.tls.crls: nothing is revoked any more"


def _upstream(old: Upstream, new: Upstream) -> Iterator[str]:
    """Behind its name."""
    if old.addresses and not _hosts(old) & _hosts(new):
        yield ": another server; what was accepted of the one before stands for it"
    if _authorities(old) is not None and _authorities(new) is None:
        yield ".tls.ca_file: any authority of the system will do"
    yield from (sentence for field, loose, sentence in _SWITCHES if getattr(new, field) == loose != getattr(old, field))
    if more := sorted(set(new.drift.accept) - set(old.drift.accept)):
        yield f".drift.accept: {', '.join(more)} without a look"
    if old.stdio is not None and new.stdio is not None:
        yield from _process(old.stdio, new.stdio)


def _hosts(upstream: Upstream) -> set[str]:
    """With their ports, where they are said; whether by http or https is another matter."""
    return {urlsplit(url).netloc.lower() for url in upstream.addresses}


def _authorities(upstream: Upstream) -> str | None:
    return None if upstream.tls is None else upstream.tls.ca_file


def _process(old: Stdio, new: Stdio) -> Iterator[str]:
    yield from _pin(old.pin, new.pin)
    if old.sandbox is not None:
        yield from _sandbox(old.sandbox, new.sandbox)


def _pin(old: Pin, new: Pin) -> Iterator[str]:
    if old.digest is not None and new.digest is None:
        yield ".stdio.pin.digest: removed"
    if _PINS.index(new.trust) < _PINS.index(old.trust):
        yield f".stdio.pin.trust: {old.trust} → {new.trust}"
    if gone := sorted(set(old.paths) - set(new.paths)):
        yield f".stdio.pin.paths: {', '.join(gone)} may change unseen"


def _sandbox(old: Sandbox, new: Sandbox | None) -> Iterator[str]:
    if new is None:
        yield ".stdio.sandbox: removed"
        return
    if (old.network, new.network) == ("none", "all"):
        yield ".stdio.sandbox.network: it may use the network"
    for field, before, after in (("read", {*old.read, *old.write}, {*new.read, *new.write}), ("write", set(old.write), set(new.write))):
        if more := sorted(after - before):
            yield f".stdio.sandbox.{field}: {', '.join(more)}, too"

"""Whether operators can sign in over the network, and what their groups may do is something they can do (`control.listen`)."""

from collections.abc import Iterator

from doorward.config.addresses import is_host, split_url
from doorward.config.ground import Found, error, note
from doorward.config.model import ControlListen, Document, OperatorGroup
from doorward.config.problems import Step, listed, meant, quoted

_AT: tuple[Step, ...] = ("control", "listen")
_TEAMED = ("approver", "owner")
_ANY = ("0.0.0.0", "::", "[::]")  # noqa: S104 -- compared with, not listened on


def operators(document: Document) -> Iterator[Found]:
    """Findings about the network door; its TLS files are looked at with those of the other listener."""
    rules = document.control.listen
    if rules is None:
        return
    yield from _place(rules, document)
    yield from _sign_in(rules, document)
    if not rules.groups:
        yield note("no group has a role, so whoever signs in may do nothing", *_AT, "groups")
    for name, group in rules.groups.items():
        yield from _group(group, (*_AT, "groups", name))


def _place(rules: ControlListen, document: Document) -> Iterator[Found]:
    if not is_host(rules.host):
        yield error("expected an address or host name to listen on, such as 127.0.0.1", *_AT, "host")
    elif rules.host in _ANY and rules.public_url is None:
        yield error("operators reach this by a name; set control.listen.public_url", *_AT, "host")
    if rules.port != 0 and rules.port == document.listen.port and _meet(rules.host, document.listen.host):
        yield error("agents connect to this port (listen.port); operators need another one", *_AT, "port")
    if rules.public_url is not None:
        yield from _public_url(rules.public_url, document)


def _public_url(url: str, document: Document) -> Iterator[Found]:
    at: tuple[Step, ...] = (*_AT, "public_url")
    parts = split_url(url)
    if isinstance(parts, str):
        yield error(parts, *at)
    elif parts.scheme != "https" or parts.query or parts.path not in {"", "/"}:
        yield error("expected https, host and perhaps a port alone, such as https://doorward.example.com", *at)
    elif document.listen.public_url is not None and url.lower().rstrip("/") == document.listen.public_url.lower().rstrip("/"):
        yield error("this is where agents connect (listen.public_url); operators need a place of their own", *at)


def _sign_in(rules: ControlListen, document: Document) -> Iterator[Found]:
    at: tuple[Step, ...] = (*_AT, "sign_in")
    issuer = document.identity.issuers.get(rules.sign_in)
    if issuer is None:
        guess = meant(rules.sign_in, document.identity.issuers)
        yield error(f"identity.issuers has no {quoted(rules.sign_in)}{guess}", *at)
    elif issuer.sign_in is None:
        yield error(f"people cannot sign in with {quoted(rules.sign_in)}; set its sign_in", *at)
    elif issuer.preset == "google" and not issuer.claims.groups:
        yield note("Google tells no groups of a person; the Workspace domain is the one group that everybody of it has", *at)


def _group(group: OperatorGroup, at: tuple[Step, ...]) -> Iterator[Found]:
    if group.role in _TEAMED and not group.teams:
        yield note(f"without teams an {group.role} speaks for nobody and owns nothing", *at, "teams")
    if group.role not in _TEAMED and group.teams:
        yield note(f"teams matter for {listed(_TEAMED)} alone; {group.role} is what it is everywhere", *at, "teams")


def _meet(one: str, other: str) -> bool:
    """Whether two listeners on the same port would be in one another's way."""
    return one == other or one in _ANY or other in _ANY

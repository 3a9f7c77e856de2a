"""Whether people can be told of questions and answer them (`approvals`): addresses, secrets and approvers of the webhooks."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult

from doorward.config.addresses import is_loopback, is_special, split_url
from doorward.config.approvals import Webhook
from doorward.config.ground import Found, Ground, error, note
from doorward.config.inline import by_form, by_name
from doorward.config.model import Document
from doorward.config.problems import Step, meant, quoted
from doorward.config.references import MalformedError, Resolver, UnresolvedError, references_in

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?")
"""What can stand in the path of `/hooks/approvals/NAME`."""
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{32,88}={0,2}")
"""24 to 64 bytes in base64."""
_AT: tuple[Step, ...] = ("approvals", "webhooks")


def approvals(document: Document, ground: Ground) -> Iterator[Found]:
    """Findings about the channels, in their order."""
    for name, webhook in document.approvals.webhooks.items():
        at = (*_AT, name)
        if not NAME.fullmatch(name):
            yield error("expected letters, digits, - and _ : answers come in at /hooks/approvals/NAME", *at)
        yield from _url(webhook, (*at, "url"))
        yield from _secret(webhook.secret, ground, (*at, "secret"))
        yield from _approvers(webhook.approvers, document, (*at, "approvers"))


def _url(webhook: Webhook, at: tuple[Step, ...]) -> Iterator[Found]:
    parts = split_url(webhook.url)
    if isinstance(parts, str):
        yield error(parts, *at)
        return
    if by_form(webhook.url) or any(by_name(key, value) for key, _, value in (pair.partition("=") for pair in parts.query.split("&"))):
        yield error("a secret may not stand in a URL; messages are signed with the secret of this webhook", *at)
    yield from _scheme(webhook, parts, at)
    if not webhook.private and is_special(parts.hostname or ""):
        yield error("this address is loopback, private or otherwise special-use; if that is meant, say private: true", *at)


def _scheme(webhook: Webhook, parts: SplitResult, at: tuple[Step, ...]) -> Iterator[Found]:
    if parts.scheme == "http" and not webhook.plain_http:
        yield error("expected https; if http is meant, say plain_http: true", *at)
    elif parts.scheme == "https" and webhook.plain_http:
        yield error("plain_http is said of an https url; one of them is a mistake", *at[:-1], "plain_http")
    elif parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        yield note("what calls are about travels unencrypted over http", *at)


def _secret(text: str, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    try:
        pointers = references_in(text)
    except MalformedError as malformed:
        yield error(str(malformed), *at)
        return
    if len(pointers) != 1 or text.strip() != str(pointers[0]):
        yield error("a secret may not stand here; write ${env:NAME} or ${file:path}, and nothing else", *at)
        return
    resolver = Resolver(ground.root, ground.environment)
    yield from (note(f"others may read the secret in {file}; chmod 600 it", *at) for file in resolver.exposed(text))
    try:
        if not resolver.is_like(text, _SECRET):
            yield error("expected whsec_ and 24 to 64 bytes in base64 where this leads", *at)
    except UnresolvedError as missing:
        yield note(str(missing), *at)


def _approvers(approvers: Mapping[str, tuple[str, ...]], document: Document, at: tuple[Step, ...]) -> Iterator[Found]:
    if approvers and document.control.listen is None:
        yield note("answers come in at the listener of operators; without control.listen this only tells", *at)
    for person, teams in approvers.items():
        issuer, colon, subject = person.partition(":")
        if not colon or not subject:
            yield error(f"expected issuer:subject, such as corp:ada, got {quoted(person)}", *at, person)
        elif issuer not in document.identity.issuers:
            yield error(f"identity.issuers has no {quoted(issuer)}{meant(issuer, document.identity.issuers)}", *at, person)
        if not teams:
            yield note("without teams nobody is spoken for", *at, person)

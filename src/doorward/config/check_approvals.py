"""Whether people can be told of questions and answer them (`approvals`): addresses, secrets and approvers of the webhooks."""

import re
from collections.abc import Iterator, Mapping

from doorward.config.check_webhooks import address, secret
from doorward.config.ground import Found, Ground, error, note
from doorward.config.model import Document
from doorward.config.problems import Step, meant, quoted

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62}[A-Za-z0-9])?")
"""What can stand in the path of `/hooks/approvals/NAME`."""
_AT: tuple[Step, ...] = ("approvals", "webhooks")


def approvals(document: Document, ground: Ground) -> Iterator[Found]:
    """Findings about the channels, in their order."""
    for name, webhook in document.approvals.webhooks.items():
        at = (*_AT, name)
        if not NAME.fullmatch(name):
            yield error("expected letters, digits, - and _ : answers come in at /hooks/approvals/NAME", *at)
        yield from address(webhook, (*at, "url"))
        yield from secret(webhook.secret, ground, (*at, "secret"))
        yield from _approvers(webhook.approvers, document, (*at, "approvers"))
        yield from _shared(name, document, (*at, "secret"))


def _shared(name: str, document: Document, at: tuple[Step, ...]) -> Iterator[Found]:
    """A service that knows the secret of another one can answer for its approvers."""
    webhooks = document.approvals.webhooks
    others = [other for other, webhook in webhooks.items() if other != name and webhook.secret == webhooks[name].secret]
    if others and webhooks[name].approvers:
        yield error(f"expected a secret of its own: with this one {quoted(others[0])} can answer for the approvers here", *at)


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

"""Whether people can sign in to connect accounts of their own (`connections`)."""

from collections.abc import Iterator
from typing import Final

from doorward.config.check_authority import place_of_people, sign_in_of
from doorward.config.credentials_user import UserCredential
from doorward.config.ground import Found, error
from doorward.config.model import Document
from doorward.config.problems import Step, quoted

_AT: Final[tuple[Step, ...]] = ("connections", "sign_in")


def connections(document: Document) -> Iterator[Found]:
    """Findings about where people sign in."""
    rules, authority = document.connections, document.identity.authority
    if rules.sign_in is not None and authority is not None and rules.sign_in != authority.sign_in:
        yield error(f"people sign in with {quoted(authority.sign_in)} (identity.authority), expected no other here", *_AT)
    elif rules.sign_in is not None and authority is None:
        yield from place_of_people(document.listen)
        yield from sign_in_of(rules.sign_in, document.identity, _AT)
    if rules.sign_in is None and authority is None:
        yield from _nobody(document)


def _nobody(document: Document) -> Iterator[Found]:
    """Upstreams at which people are to have accounts, where none can come to connect one."""
    for name, upstream in document.upstreams.items():
        if isinstance(upstream.credential, UserCredential):
            yield error("nobody can sign in to connect an account: expected connections.sign_in", "upstreams", name, "credential")

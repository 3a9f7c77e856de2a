"""Checks of the credentials of upstreams, and of every text that may hold references to secrets."""

from collections.abc import Iterator
from typing import assert_never

from doorward.config.credentials import AssertionCredential, BasicCredential, Credential, HeaderCredential, NoCredential, UserCredential
from doorward.config.credentials_oauth import ClientCredentials, IdJag, JwtBearer, OnBehalfOf, TokenExchange
from doorward.config.ground import Found, Ground, error, note
from doorward.config.inline import by_form
from doorward.config.problems import Step, quoted
from doorward.config.references import SYNTAX, MalformedError, Resolver, references_in

OURS = frozenset(
    "host connection content-length content-type content-encoding transfer-encoding te trailer upgrade accept accept-encoding keep-alive "
    "proxy-connection expect last-event-id origin".split()
)
"""Headers that Doorward or HTTP itself writes; besides them all that begin with `mcp-`."""

WRITE_A_REFERENCE = "a secret may not stand in the document; write ${env:NAME} or ${file:path} in its place"


def credential_of(credential: Credential, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    """What is wrong with a credential."""
    match credential:
        case NoCredential():
            return
        case ClientCredentials() | TokenExchange() | OnBehalfOf() | JwtBearer() | IdJag():
            # Looked at in `check_oauth.py`, with the issuers of the document.
            return
        case UserCredential():
            # Looked at in `check_user.py`.
            return
        case AssertionCredential(header=header):
            yield from _named(header, at)
        case HeaderCredential():
            yield from _header(credential, ground, at)
        case BasicCredential(username=username, password=password):
            if ":" in SYNTAX.sub("", username):
                yield error("a user name may not hold a colon (RFC 7617)", *at, "username")
            yield from text_of(username, ground, (*at, "username"))
            yield from secret_of(password, ground, (*at, "password"))
        case _:
            assert_never(credential)


def _named(header: str, at: tuple[Step, ...]) -> Iterator[Found]:
    if header.lower() in OURS or header.lower().startswith("mcp-"):
        yield error(f"the header {quoted(header)} is Doorward's own to write", *at, "header")


def _header(credential: HeaderCredential, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    yield from _named(credential.header, at)
    if not credential.value.isprintable():
        yield error("expected a text on one line", *at, "value")
    yield from secret_of(credential.value, ground, (*at, "value"))


def secret_of(text: str, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    """What is wrong with a text that must hold a reference."""
    found = list(text_of(text, ground, at))
    yield from found
    if not found and not references_in(text):
        yield error(WRITE_A_REFERENCE, *at)


def text_of(text: str, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    """What is wrong with a text that may hold references; missing variables and files are notes, for they may come later."""
    try:
        pointers = references_in(text)
    except MalformedError as malformed:
        yield error(str(malformed), *at)
        return
    literal = text
    for pointer in pointers:
        literal = literal.replace(str(pointer), "")
    if by_form(literal):
        yield error(WRITE_A_REFERENCE, *at)
    resolver = Resolver(ground.root, ground.environment)
    yield from (note(sentence, *at) for sentence in resolver.missing(text))
    yield from (note(f"others may read the secret in {file}; chmod 600 it", *at) for file in resolver.exposed(text))

"""Checks of processes that not everybody shares, and of the tokens that are in their environment."""

from collections.abc import Iterator
from typing import assert_never

from doorward.config.check_credentials import WRITE_A_REFERENCE
from doorward.config.credentials import AssertionCredential, BasicCredential, Credential, HeaderCredential, NoCredential, UserCredential
from doorward.config.credentials_oauth import ClientCredentials, Discovery, IdJag, JwtBearer, OnBehalfOf, TokenExchange
from doorward.config.ground import Found, error
from doorward.config.inline import by_form
from doorward.config.model import Stdio
from doorward.config.problems import Step
from doorward.config.references import SYNTAX, is_given

At = tuple[Step, ...]

_OF_HTTP = (NoCredential, HeaderCredential, BasicCredential, AssertionCredential)
_ONE_TOKEN = "a process has one token for all that it does; say them under scopes"


def token(value: str, at: At) -> Iterator[Found]:
    """What is wrong with a variable that holds `${credential}`."""
    if sum(match[1] is not None for match in SYNTAX.finditer(value)) != 1 or "${" in SYNTAX.sub("", value):
        yield error("expected ${credential} and plain text around it; another reference belongs into a variable of its own", *at)
    elif by_form(SYNTAX.sub("", value)):
        yield error(WRITE_A_REFERENCE, *at)


def process(stdio: Stdio, credential: Credential | None, at: At) -> Iterator[Found]:
    """What contradicts one another: whose processes there are, how many, and which credential they get."""
    if stdio.per != "everybody" and stdio.processes > 1:
        yield error(
            f"processes is a pool for everybody, and there is one for each by per: {stdio.per}; leave it out", *at, "stdio", "processes"
        )
    for field in ("most", "idle_seconds"):
        if stdio.per == "everybody" and field in stdio.model_fields_set:
            yield error("this is said of processes that not everybody shares; say per if that is meant", *at, "stdio", field)
    variables = [name for name, value in stdio.env.items() if is_given(value)]
    if credential is None:
        for name in variables:
            yield error("${credential} is the token of the upstream's credential, and there is none", *at, "stdio", "env", name)
        return
    if not variables and not isinstance(credential, _OF_HTTP):
        yield error(
            "a process is shown no credential unless a variable of stdio.env holds it; say which one, such as TOKEN: ${credential}",
            *at,
            "credential",
        )
    yield from _fit(credential, stdio, at)


def _fit(credential: Credential, stdio: Stdio, at: At) -> Iterator[Found]:
    match credential:
        case NoCredential() | HeaderCredential() | BasicCredential() | AssertionCredential():
            why = f"kind {credential.kind} is made for HTTP; a process takes tokens here, and other secrets as references in stdio.env"
            yield error(why, *at, "credential")
        case ClientCredentials():
            yield from _one_scope(credential, (*at, "credential"))
        case UserCredential():
            yield from _own(credential.discovery, (*at, "credential", "discovery"))
            yield from _connected(credential, (*at, "credential"))
            if stdio.per not in {"user", "principal"}:
                yield error(
                    f"expected per: user or principal, got {stdio.per}: each person's token is for that person alone", *at, "stdio", "per"
                )
        case TokenExchange() | OnBehalfOf() | JwtBearer() | IdJag():
            yield from _own(credential.discovery, (*at, "credential", "discovery"))
            yield from _one_scope(credential, (*at, "credential"))
            if stdio.per != "principal":
                yield error(
                    f"expected per: principal, got {stdio.per}: such a token is for one person and the agent that acts", *at, "stdio", "per"
                )
        case _:
            assert_never(credential)


def _own(discovery: Discovery | None, at: At) -> Iterator[Found]:
    """With what the gateway itself looks."""
    match discovery:
        case None | NoCredential():
            return
        case ClientCredentials():
            yield from _one_scope(discovery, at)
        case HeaderCredential() | BasicCredential():
            yield error(f"kind {discovery.kind} is made for HTTP; expected client_credentials or none", *at)
        case _:
            assert_never(discovery)


def _one_scope(credential: ClientCredentials | TokenExchange | OnBehalfOf | JwtBearer | IdJag, at: At) -> Iterator[Found]:
    if credential.scopes_for:
        yield error(_ONE_TOKEN, *at, "scopes_for")


def _connected(credential: UserCredential, at: At) -> Iterator[Found]:
    """What an upstream with a URL says by itself."""
    if credential.issuer is None and credential.token_url is None:
        yield error("expected issuer, or authorization_url and token_url: a process names no authorization server", *at)
    if credential.issuer is not None and credential.token_url is None and not credential.scopes:
        yield error("expected scopes: a process does not say which it needs", *at)
    if credential.resource is None:
        yield error("expected what tokens are for, as a process has no URL; an empty text where the service knows no such thing", *at)

"""Doorward as a client of the provider in process, and how its answers are refused."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from doorward.config.identity import Issuer
from doorward.config.identity import SignIn as Client
from doorward.domain.actors import Subject
from doorward.domain.ids import SubjectId
from doorward.domain.secret import Secret
from doorward.identity.sign_in import SignIn, SignInError
from tests.identity.fake_provider import CLIENT, SECRET, FakeProvider

NOW = 1_795_003_200.0
BACK = "https://doorward.example.com/signin/callback"
ALICE: dict[str, Any] = {"sub": "alice", "name": "Alice A.", "groups": ["sales", "ops"]}


def client(company: FakeProvider, secret: str | None = SECRET, **wanted: Any) -> SignIn:
    """Doorward as a client of the company."""
    issuer = Issuer(url=company.url, sign_in=Client(client_id=CLIENT, scopes=("profile", "groups")), **wanted)
    numbers = count(1)
    held = None if secret is None else Secret(secret)
    return SignIn(issuer, "corp", lambda: held, company, lambda size: next(numbers).to_bytes(size, "big"), company.clock)


async def refusal(sign_in: SignIn, company: FakeProvider, change: Callable[[dict[str, str]], None] = lambda params: None) -> SignInError:
    """How an answer of the provider is refused."""
    url, begun = await sign_in.begin(BACK)
    params = company.authorize(url, **ALICE)
    change(params)
    with pytest.raises(SignInError) as raised:
        await sign_in.finish(begun, params)
    return raised.value


async def signed_in(sign_in: SignIn, company: FakeProvider, **claims: Any) -> Subject:
    url, begun = await sign_in.begin(BACK)
    return (await sign_in.finish(begun, company.authorize(url, **claims))).subject


def subject(name: str, *groups: str) -> Subject:
    return Subject(SubjectId(f"corp:{name}"), frozenset(f"corp:{group}" for group in groups))


def claims(**changed: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    """An ID token that says something else; None: does not say it."""

    def forge(header: dict[str, Any], said: dict[str, Any]) -> None:
        said.update(changed)
        for name in [name for name, value in changed.items() if value is None]:
            del said[name]

    return forge

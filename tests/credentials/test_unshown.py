"""What holds credentials says nothing of them when it is shown: in a traceback, a debugger, a log."""

import dataclasses
from typing import Any

import msgspec
import pytest

from doorward.call.inbound import Inbound
from doorward.credentials.connections.client import Client
from doorward.credentials.connections.port import Begun
from doorward.credentials.connections.store import Kept, Registered
from doorward.credentials.connections.tokens import Given
from doorward.credentials.oauth.answer import Granted
from doorward.credentials.oauth.proof import Proof
from doorward.credentials.port import Minted, Use
from doorward.domain.leases import Lease
from doorward.domain.secret import Secret
from doorward.identity import sign_in
from doorward.identity.chain import Presented
from doorward.net.connection import Response
from doorward.net.fetch import Fetched
from doorward.serving.arrival import Arrival, Passed
from doorward.upstream.sessions import Session

CANARY = "canary-0123456789abcdef"
SECRET = Secret(CANARY)
RAW = (("authorization", CANARY),)

HOLDERS: list[tuple[type[Any], dict[str, object]]] = [
    (Lease, {"headers": (("Authorization", SECRET),), "environment": (("TOKEN", SECRET),)}),
    (Minted, {"headers": (("Authorization", SECRET),), "environment": (("TOKEN", SECRET),), "secrets": (SECRET,)}),
    (Use, {"presented": SECRET}),
    (Granted, {"token": SECRET}),
    (Given, {"access": SECRET, "refresh": SECRET, "id_token": SECRET}),
    (Client, {"secret": SECRET, "key": CANARY}),
    (Proof, {"fields": {"client_secret": CANARY}, "headers": RAW, "secrets": (SECRET,)}),
    (Kept, {"access": CANARY, "refresh": CANARY}),
    (Registered, {"secret": CANARY}),
    (Begun, {"nonce": CANARY, "verifier": CANARY}),
    (sign_in.Begun, {"nonce": CANARY, "verifier": CANARY}),
    (Session, {"credential": (("Authorization", SECRET),)}),
    (Fetched, {"headers": dict(RAW), "body": CANARY.encode()}),
    (Response, {"headers": {b"set-cookie": CANARY.encode()}, "body": CANARY.encode()}),
    (Arrival, {"headers": RAW}),
    (Passed, {"fields": dict(RAW), "authorization": f"Bearer {CANARY}", "dpop": CANARY}),
    (Inbound, {"headers": RAW}),
    (Presented, {"authorization": f"Bearer {CANARY}"}),
]


@pytest.mark.parametrize(("kind", "held"), HOLDERS, ids=lambda value: value.__name__ if isinstance(value, type) else "")
def test_what_holds_a_credential_does_not_show_it(kind: type[Any], held: dict[str, object]) -> None:
    assert set(held) <= {*kind.__annotations__, *getattr(kind, "__slots__", ())}
    assert CANARY not in f"{_made(kind, held)!r} {_made(kind, held)}"


def _made(kind: type[Any], held: dict[str, object]) -> object:
    """One that holds this, and something in all its other fields."""
    if issubclass(kind, msgspec.Struct):
        return kind(**{name: held.get(name, "x") for name in kind.__struct_fields__})
    made = object.__new__(kind)
    # What is made for each call is not always a dataclass.
    for name in {one.name for one in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else {*kind.__slots__}:
        object.__setattr__(made, name, held.get(name, "x"))
    return made


@pytest.mark.parametrize("written", [repr, str, "{}".format, "{:>40}".format, lambda secret: f"{secret!s}", lambda secret: f"{[secret]}"])
def test_a_secret_writes_nothing_of_itself(written: Any) -> None:
    assert CANARY not in written(SECRET)


def test_a_secret_is_not_serialised() -> None:
    with pytest.raises(TypeError):
        SECRET.__reduce__()

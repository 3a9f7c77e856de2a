"""The system's keyring: asked in a thread, for a bounded time, and what its backends say is not repeated."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from doorward.credentials.sources.keyring import AT_ONCE, KeyringSource
from doorward.credentials.sources.port import WHOLE, SourceError
from doorward.domain.secret import Secret

pytestmark = pytest.mark.anyio

KEPT = {("doorward", "github"): "canary-of-keyring", ("https://a.example.com", "me"): "x"}


async def test_a_password_is_found_by_service_and_name() -> None:
    source = KeyringSource(lambda service, name: KEPT.get((service, name)))
    for place, text in (("doorward/github", "canary-of-keyring"), ("https://a.example.com/me", "x")):
        assert (await source.read(place)).fields == {WHOLE: Secret(text)}
    with pytest.raises(SourceError, match="the keyring holds nothing for doorward/gitlab"):
        await source.read("doorward/gitlab")


async def test_an_error_of_a_backend_is_told_by_its_kind_alone() -> None:
    def locked(service: str, name: str) -> str:
        raise PermissionError("canary-of-backend")

    with pytest.raises(SourceError) as raised:
        await KeyringSource(locked).read("doorward/github")
    assert str(raised.value) == "the keyring cannot be read: PermissionError"
    assert raised.value.__cause__ is None


@pytest.fixture
def unlocked() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


async def test_a_keyring_that_waits_for_a_person_is_given_up_and_not_asked_for_ever(unlocked: threading.Event) -> None:
    def waiting(service: str, name: str) -> str:
        unlocked.wait(60)
        return "x"

    source = KeyringSource(waiting, seconds=0.01)
    for _ in range(AT_ONCE):
        with pytest.raises(SourceError, match=r"did not answer for doorward/github within 0\.01 s; is it locked\?"):
            await source.read("doorward/github")
    with pytest.raises(SourceError, match="has not answered 4 earlier questions"):
        await source.read("doorward/github")

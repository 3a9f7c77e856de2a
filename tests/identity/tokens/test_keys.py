"""An issuer's keys: where they come from, what they may be, how long they count, and how often they are asked for."""

from typing import Any

import anyio
import pytest
from joserfc.jwk import ECKey, OctKey

from doorward.config import identity as config
from doorward.identity.tokens.issuer import Issuer, issuer
from doorward.identity.tokens.keys import KEPT_SECONDS, KeysError, RemoteKeys, fresh_seconds, public_keys
from doorward.net.fetch import Fetched
from tests.identity.tokens.mint import EC, ED, NOW, OTHER, RSA, URL, Web, jwks
from tests.made import Clock

pytestmark = pytest.mark.anyio

OIDC = f"{URL}/.well-known/openid-configuration"
OAUTH = f"{URL}/.well-known/oauth-authorization-server"
KEYS = f"{URL}/keys"
SAID: dict[str, Any] = {"issuer": URL, "jwks_uri": KEYS}
ALGORITHMS = frozenset({"ES256", "RS256"})


def corp(**declared: Any) -> Issuer:
    return issuer("corp", config.Issuer.model_validate({"url": URL} | declared))


def held(web: Web, clock: Clock | None = None, **declared: Any) -> RemoteKeys:
    return RemoteKeys(corp(**declared), web, clock or Clock(NOW))


def web(**pages: Any) -> Web:
    found = Web()
    found.pages = {OIDC: SAID, KEYS: jwks(EC, RSA)} | pages
    return found


async def test_keys_are_found_by_the_issuers_metadata() -> None:
    keys = held(web())
    assert keys.find("one", "ES256") is None
    await keys.refresh()
    assert keys.find("one", "ES256") == ECKey.import_key(EC.as_dict(private=False))
    assert keys.find("one", "RS256") is None
    assert keys.find("two", "ES256") is None
    assert keys.find(None, "ES256") is keys.find("one", "ES256")
    assert keys.trouble == ""


async def test_metadata_of_a_pure_authorization_server_is_found_too() -> None:
    keys = held(web(**{OIDC: None, OAUTH: SAID}))
    await keys.refresh()
    assert keys.find("one", "ES256")


async def test_an_issuer_without_metadata_has_no_keys() -> None:
    keys = held(web(**{OIDC: None, OAUTH: None}))
    await keys.refresh()
    assert "no metadata" in keys.trouble


async def test_a_configured_place_needs_no_metadata() -> None:
    there = web(**{OIDC: None})
    keys = held(there, jwks_url=KEYS)
    await keys.refresh()
    assert keys.find("one", "ES256")
    assert there.asked == [KEYS]


@pytest.mark.parametrize(
    "said",
    [
        {**SAID, "issuer": URL + "/"},
        {**SAID, "issuer": "https://evil.example"},
        {"jwks_uri": KEYS},
        {"issuer": URL},
        {**SAID, "jwks_uri": "http://idp.example.com/keys"},
        {**SAID, "jwks_uri": "file:///etc/passwd"},
        {**SAID, "jwks_uri": 7},
        [],
        b'{"issuer": "https://idp.example.com", "issuer": "https://idp.example.com", "jwks_uri": "https://idp.example.com/keys"}',
        b"<html>",
    ],
)
async def test_metadata_that_is_not_wholly_the_issuers_brings_no_keys(said: object) -> None:
    keys = held(web(**{OIDC: said}))
    await keys.refresh()
    assert keys.find("one", "ES256") is None
    assert keys.trouble


PUBLIC = EC.as_dict(private=False)


@pytest.mark.parametrize(
    "jwk",
    [
        OctKey.generate_key(256, {"kid": "one"}).as_dict(private=True),
        EC.as_dict(private=True),
        {**PUBLIC, "use": "enc"},
        {**PUBLIC, "key_ops": ["sign"]},
        {**PUBLIC, "key_ops": "verify"},
        {**PUBLIC, "alg": "ES384"},
        {**PUBLIC, "crv": "P-384"},
        {**PUBLIC, "x": "AAAA"},
        {**PUBLIC, "kid": 7},
        {**PUBLIC, "kid": "x" * 257},
        {**PUBLIC, "kty": "RSA"},
        {"kty": "EC"},
        ED.as_dict(private=False),
        {**RSA.as_dict(private=False), "e": "Aw"},
        "one",
        None,
    ],
)
def test_a_key_that_may_not_verify_is_passed_over(jwk: object) -> None:
    with pytest.raises(KeysError):
        public_keys({"keys": [jwk]}, ALGORITHMS)
    assert ("two", "RS256") in public_keys({"keys": [jwk, RSA.as_dict(private=False)]}, ALGORITHMS)


def test_two_keys_of_one_name_are_none_and_the_same_twice_is_one() -> None:
    both = public_keys({"keys": [PUBLIC, OTHER.as_dict(private=False), RSA.as_dict(private=False)]}, ALGORITHMS)
    assert set(both) == {("two", "RS256"), (None, "RS256")}
    assert ("one", "ES256") in public_keys({"keys": [PUBLIC, PUBLIC]}, ALGORITHMS)


@pytest.mark.parametrize("document", [{}, {"keys": {}}, {"keys": []}, {"keys": [PUBLIC] * 65}])
def test_what_is_no_set_of_keys_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(KeysError):
        public_keys(document, ALGORITHMS)


@pytest.mark.parametrize(
    ("said", "fresh"),
    [
        ("", 3600),
        ("max-age=7200, public", 7200),
        ("public, Max-Age=1", 300),
        ('max-age="600"', 600),
        ("max-age=99999999999999999999999", 43_200),
        ("no-store", 300),
        ("max-age=-5", 3600),
        ("max-age=soon", 3600),
    ],
)
def test_an_issuer_says_how_long_its_keys_are_fresh_within_our_bounds(said: str, fresh: float) -> None:
    assert fresh_seconds(said) == fresh


async def test_keys_are_due_before_they_are_stale_and_the_same_key_stays_the_same_object() -> None:
    clock, there = Clock(NOW), web()
    there.headers = {"cache-control": "max-age=1000"}
    keys = held(there, clock)
    await keys.refresh()
    before = keys.find("one", "ES256")
    assert keys.due_in() == pytest.approx(800)
    clock.at += 800
    assert keys.due_in() == 0
    there.pages[KEYS] = jwks(EC, OTHER)
    there.pages[KEYS]["keys"][1]["kid"] = "next"
    await keys.refresh()
    assert keys.find("one", "ES256") is before
    assert keys.find("next", "ES256")
    assert keys.find("two", "RS256") is None


async def test_an_outage_is_outlasted_for_a_day_and_not_longer() -> None:
    clock, there = Clock(NOW), web()
    keys = held(there, clock)
    await keys.refresh()
    there.pages.clear()
    clock.at += KEPT_SECONDS - 1
    await keys.refresh()
    assert "no connection" in keys.trouble
    assert keys.find("one", "ES256")
    clock.at += 1
    assert keys.find("one", "ES256") is None
    there.pages |= web().pages
    clock.at += 15
    await keys.refresh()
    assert keys.find("one", "ES256")


async def test_a_broken_answer_replaces_nothing() -> None:
    clock, there = Clock(NOW), web()
    keys = held(there, clock)
    await keys.refresh()
    answers: tuple[object, ...] = ({"keys": []}, b"", None, {})
    for broken in answers:
        there.pages[KEYS] = broken
        clock.at += 15
        await keys.refresh()
        assert keys.find("one", "ES256")
        assert keys.trouble


async def test_an_issuer_is_not_asked_again_at_once() -> None:
    clock, there = Clock(NOW), web()
    keys = held(there, clock)
    for _ in range(50):
        await keys.refresh()
    assert len(there.asked) == 2
    clock.at += 14.9
    await keys.refresh()
    assert len(there.asked) == 2
    clock.at += 0.1
    await keys.refresh()
    assert len(there.asked) == 4


class Slow(Web):
    """Answers when it is let."""

    def __init__(self, pages: dict[str, Any]) -> None:
        super().__init__()
        self.pages = pages
        self.gate = anyio.Event()

    async def get(self, url: str, headers: Any = ()) -> Fetched:
        await self.gate.wait()
        return await super().get(url, headers)


async def test_all_who_wait_share_one_answer_and_one_who_leaves_does_not_spoil_it() -> None:
    there = Slow(web().pages)
    keys = held(there)
    async with anyio.create_task_group() as group:
        leaver = anyio.CancelScope()

        async def leave() -> None:
            with leaver:
                await keys.refresh()

        group.start_soon(leave)
        await anyio.lowlevel.checkpoint()
        for _ in range(5):
            group.start_soon(keys.refresh)
        await anyio.lowlevel.checkpoint()
        leaver.cancel()
        there.gate.set()
    assert len(there.asked) == 2
    assert keys.find("one", "ES256")

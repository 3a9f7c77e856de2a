"""Which published keys are taken, and what each of them can verify."""

import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from doorward.identity.provider import ProviderError
from doorward.identity.provider_keys import ProviderKeys, read_keys
from tests.identity.fake_provider import Given
from tests.made import Clock

pytestmark = pytest.mark.anyio

EC, ED, RSA = ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519"), RSAKey.generate_key(2048)


class Documents:
    """Gives one body, and counts how often."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.body = json.dumps({"keys": keys}).encode()
        self.asked = 0

    async def get(self, url: str, headers: object = ()) -> Given:
        self.asked += 1
        return Given(200, self.body)

    async def post(self, url: str, body: bytes, headers: object = ()) -> Given:
        raise AssertionError("keys are not posted for")


def public(key: Any, **changed: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), **changed}


async def test_each_kind_of_key_verifies_its_own_algorithms_alone() -> None:
    keys = ProviderKeys("u", Documents(public(EC, kid="ec"), public(ED, kid="ed"), public(RSA, kid="rsa")), Clock())
    await keys.refresh()
    fitting = {
        (kid, alg)
        for kid in ("ec", "ed", "rsa")
        for alg in ("ES256", "ES384", "RS256", "PS512", "EdDSA", "HS256", "none")
        if keys.find(kid, alg) is not None
    }
    assert fitting == {("ec", "ES256"), ("ed", "EdDSA"), ("rsa", "RS256"), ("rsa", "PS512")}
    assert keys.find(None, "ES256") is not None


def test_what_is_no_public_signature_key_of_some_strength_is_passed_over() -> None:
    weak = {"kty": "RSA", "n": "w" * 171, "e": "AQAB"}
    listed = [weak, public(EC, use="enc"), OctKey.generate_key(256).as_dict(private=True), {"kty": "EC"}, {"kty": "AKP"}, 7, public(ED)]
    assert len(read_keys(json.dumps({"keys": listed}).encode())) == 1


@pytest.mark.parametrize("body", [b"[]", b"{", b"{}", b'{"keys": {}}', b'{"keys": [], "keys": []}', b'{"keys": [%s1]}' % (b"1," * 100)])
def test_what_is_no_key_set_is_refused(body: bytes) -> None:
    with pytest.raises(ProviderError):
        read_keys(body)


async def test_keys_end_after_an_hour_without_a_look_and_looks_are_seconds_apart() -> None:
    clock, documents = Clock(), Documents(public(EC, kid="ec"))
    keys = ProviderKeys("u", documents, clock)
    for _ in range(3):
        await keys.refresh()
    assert documents.asked == 1
    clock.at += 3601
    assert keys.find("ec", "ES256") is None
    await keys.refresh()
    assert keys.find("ec", "ES256") is not None

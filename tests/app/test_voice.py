"""What Doorward signs with when it speaks for itself."""

import json
import stat
from pathlib import Path

import jwt
import pytest

from doorward.app.voice import NAME, Voice
from doorward.credentials.port import CredentialError


def test_what_it_signs_is_verified_with_the_keys_it_publishes(tmp_path: Path) -> None:
    voice = Voice(tmp_path)
    voice.speak_as("https://doorward.example")
    token = voice.sign({"aud": "https://up.example", "sub": "ada"}, "doorward-call+jwt").reveal()
    header = jwt.get_unverified_header(token)
    (key,) = jwt.PyJWKSet.from_dict(voice.jwks()).keys
    claims = jwt.decode(token, key.key, algorithms=["ES256"], audience="https://up.example", issuer="https://doorward.example")
    assert (header, claims["sub"]) == ({"alg": "ES256", "kid": key.key_id, "typ": "doorward-call+jwt"}, "ada")


def test_nothing_private_is_published_and_the_keys_are_its_owners_alone(tmp_path: Path) -> None:
    assert '"d"' not in json.dumps(Voice(tmp_path).jwks())
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_its_keys_outlive_it(tmp_path: Path) -> None:
    assert Voice(tmp_path).jwks() == Voice(tmp_path).jwks()


def test_without_a_name_it_signs_nothing(tmp_path: Path) -> None:
    with pytest.raises(CredentialError):
        Voice(tmp_path).sign({}, "JWT")

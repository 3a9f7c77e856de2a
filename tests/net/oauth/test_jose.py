"""A private key is read from PEM or JWK, signs with the algorithm of its kind, and is never shown."""

import json
from itertools import count

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, import_key

from doorward.domain.secret import Secret
from doorward.net.oauth.jose import UnfitKeyError, private_key, signed, usual_algorithm

EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
ED = ed25519.Ed25519PrivateKey.generate()
PKCS8, OLD = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL
Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def pem(key: Private | x25519.X25519PrivateKey, form: PrivateFormat = PKCS8) -> str:
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def jwk(**more: str) -> str:
    return json.dumps({**ECKey.generate_key("P-256").as_dict(private=True), **more})


@pytest.mark.parametrize(
    ("text", "alg"),
    [
        (pem(EC), "ES256"),
        (pem(EC, OLD), "ES256"),
        (pem(RSA), "RS256"),
        (pem(RSA, OLD), "RS256"),
        (pem(ED), "EdDSA"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "ES384"),
        (pem(ec.generate_private_key(ec.SECP521R1())), "ES512"),
        (jwk(), "ES256"),
        (jwk(kid="one", use="sig", alg="ES256"), "ES256"),
    ],
)
def test_a_key_signs_what_its_public_half_verifies(text: str, alg: str) -> None:
    key = private_key(Secret(text))
    assert usual_algorithm(key) == alg
    token = signed({"typ": "JWT", "kid": "k"}, {"sub": "alice", "exp": 7}, key, alg)
    read = jwt.decode(token.reveal(), import_key(key.as_dict(private=False)), algorithms=[alg])
    assert (read.header, read.claims) == ({"typ": "JWT", "kid": "k", "alg": alg}, {"sub": "alice", "exp": 7})


SECRET = "c0ffee-canary"


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        "{" + SECRET,
        json.dumps({"kty": "EC", "crv": "P-256", "d": SECRET}),
        json.dumps(ECKey.generate_key("P-256").as_dict(private=False)),
        json.dumps(OctKey.generate_key(256).as_dict(private=True)),
        jwk(alg="RS256"),
        pem(rsa.generate_private_key(65537, 1024)),
        pem(x25519.X25519PrivateKey.generate()),
        pem(ec.generate_private_key(ec.SECP256K1())),
        EC.private_bytes(Encoding.PEM, PKCS8, BestAvailableEncryption(b"a password")).decode(),
        EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
    ],
    ids=count(),
)
def test_what_is_no_private_key_that_can_be_used_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UnfitKeyError) as raised:
        private_key(Secret(text))
    assert SECRET not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_key_does_not_sign_with_the_algorithm_of_another_kind() -> None:
    with pytest.raises(UnfitKeyError):
        signed({}, {}, private_key(Secret(pem(EC))), "RS256")

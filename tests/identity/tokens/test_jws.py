"""Signatures at the edges of their mathematics and encoding, and keys that are no keys: none of them verifies anything."""

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

from doorward.domain.reasons import Refused
from doorward.identity.tokens.jws import Signed, check_signature, read
from doorward.identity.tokens.keys import public_key
from tests.identity.tokens.mint import EC, ED, RSA

MESSAGE = b"header.payload"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256."""
PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
EDWARDS_ORDER = 2**252 + 27742317777372353535851937790883648493
GOOD = JWSRegistry.algorithms["ES256"].sign(MESSAGE, EC)
R, S = int.from_bytes(GOOD[:32], "big"), int.from_bytes(GOOD[32:], "big")


def is_good(key: Key, alg: str, signature: bytes, message: bytes = MESSAGE) -> bool:
    try:
        check_signature(Signed({}, {}, alg, None, "", message, signature), key)
    except Refused:
        return False
    return True


def raw(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_a_right_signature_is_good_and_only_for_its_message() -> None:
    assert is_good(EC, "ES256", GOOD)
    assert not is_good(EC, "ES256", GOOD, MESSAGE + b".")


@pytest.mark.parametrize("r", [0, 1, R, ORDER - 1, ORDER, ORDER + 1, PRIME, 2**256 - 1], ids="0 1 r n-1 n n+1 p max".split())
@pytest.mark.parametrize("s", [0, 1, ORDER - 1, ORDER, ORDER + 1, PRIME, 2**256 - 1], ids="0 1 n-1 n n+1 p max".split())
def test_no_number_at_the_edge_is_a_signature(r: int, s: int) -> None:
    """Zeros among them (CVE-2022-21449)."""
    assert not is_good(EC, "ES256", raw(r, s))


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        GOOD[:-1],
        GOOD + b"\0",
        b"\0" + GOOD,
        GOOD[:32],
        GOOD[32:] + GOOD[:32],
        GOOD[:32] + b"\0" + GOOD[32:],
        b"\0" + GOOD[:32] + b"\0" + GOOD[32:],
        encode_dss_signature(R, S),
        GOOD * 2,
    ],
    ids="empty shorter longer shifted half swapped parted both-parted der twice".split(),
)
def test_a_signature_has_one_encoding(signature: bytes) -> None:
    assert not is_good(EC, "ES256", signature)


def test_rsa_signatures_have_one_padding_and_one_length() -> None:
    modulus = RSA.public_key.public_numbers().n
    pkcs, pss = (JWSRegistry.algorithms[alg].sign(MESSAGE, RSA) for alg in ("RS256", "PS256"))
    number = int.from_bytes(pkcs, "big")
    assert is_good(RSA, "RS256", pkcs)
    assert is_good(RSA, "PS256", pss)
    wrong = [pss, b"", pkcs[:-1], pkcs + b"\0", b"\0" + pkcs, (modulus - number).to_bytes(256, "big"), modulus.to_bytes(256, "big")]
    wrong += [edge.to_bytes(256, "big") for edge in (0, 1, 2, modulus - 1)]
    assert not any(is_good(RSA, "RS256", signature) for signature in wrong)
    assert not is_good(RSA, "PS256", pkcs)
    assert not is_good(RSA, "RS384", pkcs)


def test_an_edwards_signature_cannot_be_made_into_another() -> None:
    good = JWSRegistry.algorithms["EdDSA"].sign(MESSAGE, ED)
    shifted = int.from_bytes(good[32:], "little") + EDWARDS_ORDER
    assert is_good(ED, "EdDSA", good)
    assert is_good(ED, "Ed25519", good)
    assert not is_good(ED, "EdDSA", good[:32] + shifted.to_bytes(32, "little"))
    assert not is_good(ED, "EdDSA", bytes(64))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=12)
    | st.sampled_from(["AQAB", "P-256", "RSA", "EC", "OKP", "oct", "Ed25519", "secp256k1", "sig", "verify", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
MEMBERS = st.sampled_from(["kty", "crv", "x", "y", "n", "e", "d", "k", "alg", "use", "key_ops", "kid"])


@given(st.sampled_from([{"kty": "RSA"}, {"kty": "EC"}, {"kty": "OKP"}, {}]), st.dictionaries(MEMBERS, JSON) | JSON)
def test_nothing_that_is_no_key_is_one_or_breaks_anything(kind: dict[str, str], said: object) -> None:
    assert public_key({**kind, **said} if isinstance(said, dict) else said) is None


@given(st.text() | st.builds(".".join, st.lists(st.text("ABCabc019-_=", max_size=20), max_size=5)))
def test_what_cannot_be_read_is_refused_and_nothing_else(text: str) -> None:
    with pytest.raises(Refused):
        read(text)

"""The challenge of a verifier is the one that RFC 7636 prints."""

from doorward.wire.pkce import challenge


def test_the_challenge_is_that_of_the_rfc() -> None:
    assert challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

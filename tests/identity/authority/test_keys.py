"""Signing keys: verifiers know each before it signs, and for as long as its last token lives."""

import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from doorward.identity.authority.keys import AHEAD_SECONDS, BEHIND_SECONDS, DAY_SECONDS, SigningKeys
from tests.identity.authority.made import NOW, Draws, Vault


class Bench:
    """Keys of 90 days with a clock."""

    def __init__(self, before: "Bench | None" = None, days: float = 90) -> None:
        self.now = NOW
        self.vault: Vault = before.vault if before else Vault()
        self.draws: Draws = before.draws if before else Draws()
        self.keys = SigningKeys(self.vault, self.draws, lambda: self.now, days)
        self.keys.load()

    def kids(self) -> list[str]:
        listed = self.keys.jwks()["keys"]
        assert isinstance(listed, list)
        return [str(key["kid"]) for key in listed]


def test_the_first_key_is_made_and_signs_at_once() -> None:
    bench = Bench()
    kid, key = bench.keys.signer()
    token = jws.serialize_compact({"alg": "ES256", "kid": kid}, b"x", key, algorithms=["ES256"])
    listed = bench.keys.jwks()["keys"]
    assert isinstance(listed, list)
    assert [sorted(one) for one in listed] == [["alg", "crv", "kid", "kty", "use", "x", "y"]]
    assert jws.deserialize_compact(token, ECKey.import_key(listed[0]), algorithms=["ES256"]).payload == b"x"


def test_a_successor_is_known_a_day_before_it_signs() -> None:
    bench = Bench()
    first, _ = bench.keys.signer()
    bench.now = NOW + 90 * DAY_SECONDS - AHEAD_SECONDS - 1
    assert bench.kids() == [first]
    bench.now += 1
    second, _ = bench.kids()
    assert bench.keys.signer()[0] == first
    bench.now += AHEAD_SECONDS
    assert bench.keys.signer()[0] == second
    assert bench.kids() == [second, first]


def test_a_predecessor_goes_when_its_last_token_is_over() -> None:
    bench = Bench()
    first, _ = bench.keys.signer()
    bench.now = NOW + 90 * DAY_SECONDS - AHEAD_SECONDS
    bench.kids()
    bench.now = NOW + 90 * DAY_SECONDS + BEHIND_SECONDS - 1
    assert bench.keys.find(first, "ES256") is not None
    version = bench.keys.version
    bench.now += 1
    assert len(bench.kids()) == 1
    assert bench.keys.find(first, "ES256") is None
    assert bench.keys.version > version


def test_after_years_at_rest_the_old_key_signs_until_the_new_one_is_known() -> None:
    bench = Bench()
    first, _ = bench.keys.signer()
    later = Bench(bench)
    later.now = NOW + 1000 * DAY_SECONDS
    assert later.keys.signer()[0] == first
    assert len(later.kids()) == 2
    later.now += AHEAD_SECONDS
    assert later.keys.signer()[0] != first


def test_keys_survive_a_restart() -> None:
    bench = Bench()
    kid, key = bench.keys.signer()
    again = Bench(bench)
    assert again.keys.signer()[0] == kid
    assert again.keys.signer()[1].as_dict(private=True) == key.as_dict(private=True)
    assert len(bench.vault.keys) == 1


def test_keys_of_an_hour_still_overlap() -> None:
    bench = Bench(days=1 / 24)
    seen: dict[str, float] = {}
    signed: set[str] = set()
    for _ in range(200):
        for kid in bench.kids():
            seen.setdefault(kid, bench.now)
        kid, _ = bench.keys.signer()
        # Known for half its life before it signs, but for the first.
        assert kid in signed or not signed or bench.now - seen[kid] >= 1800
        signed.add(kid)
        bench.now += 60
    assert len(signed) == 4


@pytest.mark.parametrize(("kid", "alg"), [(None, "ES256"), ("nobody", "ES256"), ("own", "HS256"), ("own", "none")])
def test_nothing_else_is_found(kid: str | None, alg: str) -> None:
    bench = Bench()
    own, _ = bench.keys.signer()
    assert bench.keys.find(own if kid == "own" else kid, alg) is None


def test_a_stored_key_says_nothing_of_itself() -> None:
    bench = Bench()
    assert str(bench.vault.keys[0].scalar) not in repr(bench.vault.keys)

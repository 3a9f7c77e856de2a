"""The providers of the configuration in force: the same object while its declaration is the same."""

import pytest

from doorward.config.identity import Issuer
from doorward.config.identity import SignIn as Client
from doorward.domain.errors import DoorwardError
from doorward.identity.sign_in import SignIn
from doorward.identity.sign_ins import SignIns
from tests.identity.fake_provider import FakeProvider
from tests.made import Clock

CORP = Issuer(url="https://corp.example.com", sign_in=Client(client_id="doorward"))
OTHER = Issuer(url="https://other.example.com", sign_in=Client(client_id="doorward"))
ROBOTS = Issuer(url="https://robots.example.com")


def made(name: str, issuer: Issuer) -> SignIn:
    if name == "broken":
        raise DoorwardError("no authorities")
    clock = Clock()
    return SignIn(issuer, name, lambda: None, FakeProvider(clock), bytes, clock)


def test_a_provider_stays_itself_until_its_declaration_changes_and_goes_with_it() -> None:
    sign_ins = SignIns(made)
    sign_ins.adopt({"corp": CORP, "other": OTHER, "robots": ROBOTS})
    corp, other = sign_ins.of("corp"), sign_ins.of("other")
    assert corp is not None
    assert corp.issuer == ("corp", "https://corp.example.com")
    assert sign_ins.of("robots") is None
    sign_ins.adopt({"corp": CORP, "other": OTHER.model_copy(update={"preset": "okta"})})
    assert sign_ins.of("corp") is corp
    assert sign_ins.of("other") not in (None, other)
    sign_ins.adopt({})
    assert sign_ins.of("corp") is None


def test_a_declaration_that_cannot_be_used_changes_nothing() -> None:
    sign_ins = SignIns(made)
    sign_ins.adopt({"corp": CORP})
    before = sign_ins.of("corp")
    with pytest.raises(DoorwardError):
        sign_ins.adopt({"corp": OTHER, "broken": CORP})
    assert sign_ins.of("corp") is before

"""Which issuers are trusted: by their URLs, across reloads, with keys that are there before they are needed."""

import pytest

from doorward.config.identity import Issuer
from doorward.domain.errors import DoorwardError
from doorward.domain.reasons import Ran
from doorward.identity.tokens.trusted import Means, Trust, Trusted, own_issuer
from doorward.net.errors import NetError, Trouble
from tests.identity.tokens.mint import EC, NOW, URL, Held, Web, jwks
from tests.made import Clock

pytestmark = pytest.mark.anyio

CORP = Issuer(url=URL, jwks_url=f"{URL}/keys")
OTHER = Issuer(url="https://other.example.com", jwks_url=f"{URL}/none")


class Kept:
    """Trust, and the one web that all of it asks."""

    def __init__(self) -> None:
        self.clock = Clock(NOW)
        self.web = Web()
        self.web.pages[f"{URL}/keys"] = jwks(EC)
        self.trust = Trust(Means(lambda _declared: self.web, lambda _name: None, self.clock))

    def of(self, url: str) -> Trusted:
        found = self.trust.of(url)
        assert found is not None
        return found


async def test_keys_that_are_due_are_renewed_and_others_are_left() -> None:
    kept = Kept()
    kept.trust.adopt({"corp": CORP, "other": OTHER}, None)
    await kept.trust.renew()
    assert sorted(kept.web.asked) == [f"{URL}/keys", f"{URL}/none"]
    assert kept.of(URL).keys.find("one", "ES256")
    assert kept.trust.troubles() == {"other": "no connection"}
    kept.clock.at += 15
    await kept.trust.renew()
    assert sorted(kept.web.asked) == [f"{URL}/keys", f"{URL}/none", f"{URL}/none"]


async def test_what_stays_as_it_is_keeps_its_keys_and_what_changes_is_made_anew() -> None:
    kept = Kept()
    kept.trust.adopt({"corp": CORP}, None)
    before, version = kept.of(URL), kept.trust.version
    kept.trust.adopt({"corp": CORP.model_copy(deep=True)}, None)
    assert (kept.of(URL), kept.trust.version) == (before, version)
    kept.trust.adopt({"corp": CORP.model_copy(update={"audiences": ("api",)})}, None)
    assert kept.of(URL).keys is not before.keys
    assert kept.trust.version > version
    kept.trust.adopt({"renamed": CORP}, None)
    assert kept.of(URL).issuer.name == "renamed"
    kept.trust.adopt({}, None)
    assert kept.trust.of(URL) is None


def test_our_own_authority_is_trusted_beside_others_and_under_no_url_of_theirs() -> None:
    kept, keys = Kept(), Held(EC)
    kept.trust.adopt({"corp": CORP}, own_issuer("https://mcp.example.com", keys))
    version = kept.trust.version
    assert kept.of("https://mcp.example.com").issuer.is_own
    kept.trust.adopt({"corp": CORP}, own_issuer("https://mcp.example.com", keys))
    assert kept.trust.version == version
    with pytest.raises(DoorwardError):
        kept.trust.adopt({"corp": CORP}, own_issuer(URL, keys))
    assert kept.trust.version == version


def test_an_issuer_that_nobody_can_ask_changes_nothing() -> None:
    clock = Clock(NOW)

    def web(_declared: Issuer) -> Web:
        raise NetError(Trouble.TLS, "certificates were expected", Ran.NO)

    trust = Trust(Means(web, lambda _name: None, clock))
    with pytest.raises(DoorwardError):
        trust.adopt({"corp": CORP}, None)
    assert (trust.of(URL), trust.version) == (None, 0)

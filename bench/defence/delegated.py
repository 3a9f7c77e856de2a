"""Scenarios of handed-on tokens: each is shown to the endpoint of the upstream that is called, as an access token of its issuer.

Where a scenario gives the issuer's keys, its tokens are shown as they are. Where it says that signatures are not its matter
(`structural`), the same claims are signed with a key of ours: Doorward believes nothing that is not signed.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, Key

from bench.defence.verdict import NOTHING, Fixture, Verdict, stopped
from doorward.domain.reasons import Reason, Refused
from doorward.identity.tokens import claims as told
from doorward.identity.tokens.issuer import Habits, Issuer
from doorward.identity.tokens.jws import read
from doorward.identity.tokens.verify import verified

_TYPES = Habits(types=frozenset({"jwt", "at+jwt"}))


async def request(fixture: Fixture) -> Verdict:
    """The tokens that a request carries for its upstream."""
    target = fixture["upstreams"][fixture["request"]["target"]]
    shown = fixture["request"]["headers"].get(target["incomingHeader"])
    if shown is None:
        return stopped("no token for this upstream")
    try:
        _check(shown, target["audience"], fixture)
    except Refused as refused:
        return stopped(refused.detail)
    return NOTHING


def _check(shown: str, audience: str, fixture: Fixture) -> None:
    """Stage 1 as the endpoint of the upstream does it; raises `Refused`."""
    key, text = _signed(shown, fixture["trust"])
    signed = read(text)
    url = fixture["trust"].get("issuer", "https://idp.travel.test")
    policy = fixture["policy"]
    issuer = Issuer(
        "travel",
        url,
        "generic",
        _TYPES,
        frozenset({"ES256"}),
        leeway_seconds=policy["clockSkewSeconds"],
        longest_seconds=policy["maxLifetimeSeconds"],
        longest_chain=policy["maxChainDepth"],
    )
    good = verified(signed, key, issuer, audience, fixture["now"])
    registered = set(policy["allowedActors"])
    speaking, *_ = told.actors(good.claims, issuer) or (None,)
    if speaking is not None and speaking.client not in registered:
        raise Refused(Reason.UNAUTHENTICATED, f"{speaking.client} is not registered")


def _signed(shown: str, trust: Fixture) -> tuple[Key, str]:
    if trust["mode"] == "signature":
        [key] = [ECKey.import_key(one) for one in trust["jwks"]["keys"]]
        return key, shown
    key = ECKey.generate_key("P-256", {"kid": "ours"})
    payload = json.loads(_decoded(shown.split(".")[1]))
    header: dict[str, Any] = {"alg": "ES256", "kid": "ours", "typ": "at+jwt"}
    return key, jws.serialize_compact(header, json.dumps(payload), key)


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

"""What goes with a 401, and with a 403 that another token would cure."""

from dataclasses import replace

import pytest

from doorward.domain.actors import Proof
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.chain import Presented
from doorward.identity.challenge import Challenges, challenge, silent
from doorward.identity.metadata import Advertised
from doorward.identity.own import own
from doorward.identity.resources import Resources
from doorward.identity.tokens.dpop import INVALID_PROOF

RESOURCES = Resources("https://mcp.example.com")
CHALLENGES = Challenges(
    Advertised(("https://login.example.com",), ("mcp",), {"entra": {"api://x": ("mcp",)}}, dpop_algorithms=("ES256", "EdDSA")), RESOURCES
)
WHERE = 'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"'
UNKNOWN = Refused(Reason.UNAUTHENTICATED, "the operator's detail")


def presented(authorization: str | None, endpoint: str | None = None) -> Presented:
    return Presented(authorization, "10.0.0.1", loopback=False, endpoint=None if endpoint is None else UpstreamId(endpoint))


@pytest.mark.parametrize("authorization", [None, "", "Basic YTpi", "Negotiate x"])
def test_who_presented_no_bearer_token_is_told_of_no_error(authorization: str | None) -> None:
    assert challenge(presented(authorization)) == 'Bearer realm="doorward"'


@pytest.mark.parametrize("authorization", ["Bearer x", "bearer dw_x", "Bearer", "Bearer a, Bearer b"])
def test_who_presented_one_is_told_that_it_is_invalid_and_never_why(authorization: str) -> None:
    assert challenge(presented(authorization)) == 'Bearer realm="doorward", error="invalid_token"'


@pytest.mark.parametrize("authorization", [None, "Bearer x", "DPoP x"])
def test_nothing_of_oauth_is_said_where_nobody_gives_out_tokens(authorization: str | None) -> None:
    assert silent().unauthenticated(presented(authorization), UNKNOWN) == (challenge(presented(authorization)),)


@pytest.mark.parametrize(
    ("authorization", "extra", "bearer", "dpop"),
    [
        (None, {}, "", ""),
        ("Basic YTpi", {}, "", ""),
        ("Bearer x", {}, 'error="invalid_token", ', ""),
        ("DPoP x", {}, "", 'error="invalid_token", '),
        ("dpop x", {"error": INVALID_PROOF}, "", 'error="invalid_dpop_proof", '),
        ("Bearer x", {"error": INVALID_PROOF}, 'error="invalid_token", ', ""),
        ("DPoP x", {"error": 'x", realm="y'}, "", 'error="invalid_token", '),
    ],
)
def test_both_schemes_say_where_to_get_a_token_and_the_one_that_was_used_says_what_is_wrong(
    authorization: str | None, extra: dict[str, object], bearer: str, dpop: str
) -> None:
    refused = Refused(Reason.UNAUTHENTICATED, "the operator's detail", extra=extra)
    assert CHALLENGES.unauthenticated(presented(authorization), refused) == (
        f'Bearer realm="doorward", {bearer}{WHERE}, scope="mcp"',
        f'DPoP {dpop}algs="ES256 EdDSA", {WHERE}, scope="mcp"',
    )


def test_challenge_of_one_upstream_names_its_own_metadata() -> None:
    for told in CHALLENGES.unauthenticated(presented(None, "git"), UNKNOWN):
        assert 'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp/git"' in told


def test_no_scope_is_named_where_the_servers_know_none() -> None:
    told = Challenges(Advertised(("https://accounts.google.com",), ()), RESOURCES).unauthenticated(presented(None), UNKNOWN)
    assert told[0] == f'Bearer realm="doorward", {WHERE}'


@pytest.mark.parametrize(
    ("authorization", "issuer", "told"),
    [
        ("Bearer x", "corp", f'Bearer realm="doorward", error="insufficient_scope", {WHERE}, scope="mcp:git"'),
        ("Bearer x", "entra", f'Bearer realm="doorward", error="insufficient_scope", {WHERE}, scope="api://x"'),
        ("DPoP x", "self", f'DPoP error="insufficient_scope", algs="ES256 EdDSA", {WHERE}, scope="mcp:git"'),
    ],
)
def test_scope_that_would_do_is_named_under_the_scheme_that_was_used(authorization: str, issuer: str, told: str) -> None:
    principal = replace(own(), proof=Proof(frozenset({"mcp:read"}), issuer=issuer))
    assert CHALLENGES.insufficient(presented(authorization), principal, "mcp:git") == (told,)


def test_scope_is_named_without_metadata_where_there_is_none() -> None:
    assert silent().insufficient(presented("Bearer x"), own(), "mcp") == (
        'Bearer realm="doorward", error="insufficient_scope", scope="mcp"',
    )

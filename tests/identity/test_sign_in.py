"""People sign in at their own provider: what is asked, who comes back, and every answer that lets nobody in."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey, OctKey

from doorward.config.identity import Issuer
from doorward.config.identity import SignIn as Client
from doorward.domain.errors import DoorwardError
from doorward.domain.secret import Secret
from doorward.identity.sign_in import BEGUN_SECONDS, BROKEN, SignIn, SignInError, Welcome
from tests.identity.fake_provider import CLIENT, URL, FakeProvider, b64
from tests.identity.signing_in import ALICE, BACK, NOW, claims, client, refusal, signed_in, subject
from tests.made import Clock

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def company(clock: Clock) -> FakeProvider:
    return FakeProvider(clock)


async def test_a_person_signs_in_under_the_names_of_their_issuer(company: FakeProvider) -> None:
    sign_in = client(company)
    url, begun = await sign_in.begin(BACK)
    person = await sign_in.finish(begun, company.authorize(url, **ALICE))
    assert person.subject == subject("alice", "sales", "ops")
    assert person.name == "Alice A."
    assert person.claims["aud"] == CLIENT
    assert company.asked == ["/.well-known/openid-configuration", "/token", "/keys"]


async def test_the_browser_is_sent_with_everything_that_binds_the_answer(company: FakeProvider) -> None:
    company.metadata["authorization_endpoint"] = f"{URL}/authorize?p=x"
    url, begun = await client(company).begin(BACK)
    assert url.startswith(f"{URL}/authorize?p=x&response_type=code&")
    asked = {name: values for name, values in parse_qs(urlsplit(url).query).items() if name not in ("state", "nonce", "code_challenge")}
    assert asked == {
        "p": ["x"],
        "response_type": ["code"],
        "client_id": [CLIENT],
        "redirect_uri": [BACK],
        "scope": ["openid profile groups"],
        "code_challenge_method": ["S256"],
    }
    assert begun.verifier not in url
    assert {begun.nonce, begun.verifier} & set(repr(begun).split("'")) == set()


async def test_the_provider_is_told_to_ask_where_that_is_wanted(company: FakeProvider) -> None:
    sign_in = client(company)
    prompts = [parse_qs(urlsplit((await sign_in.begin(BACK, welcome))[0]).query).get("prompt") for welcome in Welcome]
    assert prompts == [None, ["login"]]


async def test_no_two_sign_ins_share_anything(company: FakeProvider) -> None:
    sign_in = client(company)
    begun = [(await sign_in.begin(BACK))[1] for _ in range(3)]
    assert len({text for one in begun for text in (one.state, one.nonce, one.verifier)}) == 9


@pytest.mark.parametrize("methods", [["client_secret_basic"], ["client_secret_post"], ["client_secret_post", "client_secret_basic"]])
async def test_the_clients_secret_is_shown_as_the_provider_takes_it(company: FakeProvider, methods: list[str]) -> None:
    company.metadata["token_endpoint_auth_methods_supported"] = methods
    assert await signed_in(client(company), company, **ALICE) == subject("alice", "sales", "ops")


async def test_a_public_client_shows_none(company: FakeProvider) -> None:
    company.secret = None
    assert await signed_in(client(company, secret=None), company, **ALICE) == subject("alice", "sales", "ops")


async def test_a_secret_that_the_provider_cannot_be_shown_or_does_not_know_lets_nobody_in(company: FakeProvider) -> None:
    assert (await refusal(client(company, secret="another"), company)).args == ("the token endpoint answered 401, invalid_client",)
    company.metadata["token_endpoint_auth_methods_supported"] = ["private_key_jwt"]
    assert "neither by" in str(await refusal(client(company), company))


async def test_a_secret_that_cannot_be_read_is_told_to_operators_alone(company: FakeProvider) -> None:
    def unreadable() -> Secret | None:
        raise DoorwardError("no file idp.secret")

    issuer = Issuer(url=URL, sign_in=Client(client_id=CLIENT))
    told = await refusal(SignIn(issuer, "corp", unreadable, company, bytes, company.clock), company)
    assert (told.public, str(told)) == (BROKEN, "no file idp.secret")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"issuer": "https://idp.example.com/other"}, "expected 'https://idp.example.com/tenant'"),
        ({"issuer": URL + "/"}, "expected 'https://idp.example.com/tenant'"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
        ({"token_endpoint": "http://idp.example.com/token"}, "https"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "cannot be used"),
        ({"jwks_uri": None}, "no jwks_uri"),
    ],
)
async def test_metadata_of_somebody_else_or_of_too_little_is_not_used(company: FakeProvider, change: dict[str, Any], told: str) -> None:
    company.metadata = change
    with pytest.raises(SignInError, match=told) as raised:
        await client(company).begin(BACK)
    assert raised.value.public == BROKEN


async def test_a_provider_that_does_not_speak_of_pkce_is_used_with_it(company: FakeProvider) -> None:
    company.metadata["code_challenge_methods_supported"] = None
    assert await signed_in(client(company), company, **ALICE) == subject("alice", "sales", "ops")


async def test_a_provider_that_is_down_is_not_asked_at_each_sign_in(company: FakeProvider, clock: Clock) -> None:
    sign_in = client(company)
    company.is_down = True
    for _ in range(3):
        with pytest.raises(SignInError, match="nobody answers"):
            await sign_in.begin(BACK)
    assert len(company.asked) == 1
    company.is_down, clock.at = False, clock.at + 5
    await sign_in.begin(BACK)


async def test_metadata_is_read_again_after_an_hour_and_the_old_goes_on_where_it_cannot_be(company: FakeProvider, clock: Clock) -> None:
    sign_in = client(company)
    await sign_in.begin(BACK)
    clock.at += 3600
    company.is_down = True
    url, _ = await sign_in.begin(BACK)
    company.is_down, clock.at = False, clock.at + 5
    company.metadata["authorization_endpoint"] = f"{URL}/new"
    assert url.startswith(f"{URL}/authorize?")
    assert (await sign_in.begin(BACK))[0].startswith(f"{URL}/new?")


def setting(**fields: str) -> Callable[[dict[str, str]], None]:
    return lambda params: params.update(fields)


def without(name: str) -> Callable[[dict[str, str]], None]:
    return lambda params: params.__delitem__(name)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (setting(state="another"), "the state is another"),
        (setting(state="ä"), "the state is another"),
        (without("state"), "the state is another"),
        (setting(iss="https://evil.example.com"), "the answer is of"),
        (setting(iss=URL + "/"), "the answer is of"),
        (without("iss"), "has no iss"),
        (setting(code=""), "no proper code"),
        (setting(code="a\nb"), "no proper code"),
        (setting(code="x" * 5000), "no proper code"),
        (without("code"), "no proper code"),
        (setting(code="invented"), "invalid_grant"),
        (setting(error="access_denied"), "access_denied"),
        (setting(error="<b>buy</b>"), "the provider answered an error"),
    ],
)
async def test_an_answer_that_does_not_fit_lets_nobody_in(
    company: FakeProvider, change: Callable[[dict[str, str]], None], told: str
) -> None:
    refused = await refusal(client(company), company, change)
    assert told in str(refused)
    assert "<" not in refused.public


async def test_not_even_an_error_is_believed_of_another_issuer(company: FakeProvider) -> None:
    refused = await refusal(client(company), company, setting(error="access_denied", iss="https://evil.example.com"))
    assert "access_denied" not in refused.public


async def test_a_wrong_answer_is_refused_before_anything_is_sent(company: FakeProvider) -> None:
    await refusal(client(company), company, setting(iss="https://evil.example.com"))
    assert company.asked == ["/.well-known/openid-configuration"]


async def test_a_provider_that_never_said_it_names_itself_need_not(company: FakeProvider) -> None:
    company.metadata["authorization_response_iss_parameter_supported"] = None
    assert await signed_in(client(company), company, **ALICE) == subject("alice", "sales", "ops")
    assert "the answer is of" in str(await refusal(client(company), company, setting(iss="https://evil.example.com")))


async def test_what_was_promised_when_it_began_must_be_kept(company: FakeProvider, clock: Clock) -> None:
    """Metadata that changes meanwhile does not lift the check."""
    sign_in = client(company)
    url, begun = await sign_in.begin(BACK)
    params = company.authorize(url, **ALICE)
    company.metadata["authorization_response_iss_parameter_supported"] = None
    del params["iss"]
    with pytest.raises(SignInError, match="has no iss"):
        await sign_in.finish(begun, params)


async def test_a_sign_in_ends(company: FakeProvider, clock: Clock) -> None:
    sign_in = client(company)
    url, begun = await sign_in.begin(BACK)
    params = company.authorize(url, **ALICE)
    clock.at += BEGUN_SECONDS + 1
    with pytest.raises(SignInError, match="too long"):
        await sign_in.finish(begun, params)


async def test_a_code_of_one_sign_in_is_no_use_in_another(company: FakeProvider) -> None:
    sign_in = client(company)
    (theirs, _), (_, begun) = await sign_in.begin(BACK), await sign_in.begin(BACK)
    stolen = company.authorize(theirs, **ALICE)
    with pytest.raises(SignInError, match="invalid_grant"):
        await sign_in.finish(begun, {**stolen, "state": begun.state})


async def test_an_answer_is_good_once(company: FakeProvider) -> None:
    sign_in = client(company)
    url, begun = await sign_in.begin(BACK)
    params = company.authorize(url, **ALICE)
    await sign_in.finish(begun, params)
    with pytest.raises(SignInError, match="invalid_grant"):
        await sign_in.finish(begun, params)


@pytest.mark.parametrize(
    ("forge", "told"),
    [
        (claims(iss="https://evil.example.com"), "is of 'https://evil"),
        (claims(iss=None), "is of 'None'"),
        (claims(aud="another"), "another client"),
        (claims(aud=[CLIENT, "another"]), "asked for by another"),
        (claims(aud=[CLIENT], azp="another"), "asked for by another"),
        (claims(aud=None), "another client"),
        (claims(exp=int(NOW) - 60), "expired"),
        (claims(exp=None), "expected exp and iat"),
        (claims(exp="soon"), "a number as exp"),
        (claims(exp=True), "a number as exp"),
        (claims(iat=int(NOW) + 61), "future"),
        (claims(nbf=int(NOW) + 61), "future"),
        (claims(iat=int(NOW) - 700), "long ago"),
        (claims(iat=None), "expected exp and iat"),
        (claims(nonce="another"), "nonce"),
        (claims(nonce=None), "nonce"),
        (claims(at_hash=b64(bytes(16))), "at_hash"),
        (claims(sub=None), "no usable claim sub"),
        (claims(sub=""), "no usable claim sub"),
        (claims(sub="a\nb"), "no usable claim sub"),
        (claims(sub=7), "no usable claim sub"),
        (lambda header, said: header.update(typ="at+jwt"), "expected an ID token"),
        (lambda header, said: header.update(kid="k2"), "a key that the provider does not have"),
    ],
)
async def test_an_id_token_that_is_not_of_this_sign_in_lets_nobody_in(
    company: FakeProvider, forge: Callable[[dict[str, Any], dict[str, Any]], None], told: str
) -> None:
    company.forge = forge
    company.in_token = frozenset({"groups"})
    assert told in str(await refusal(client(company), company))


@pytest.mark.parametrize(
    "forge", [claims(aud=[CLIENT, "another"], azp=CLIENT), claims(exp=int(NOW) - 59), claims(iat=int(NOW) + 59), claims(at_hash=None)]
)
async def test_clocks_may_differ_by_a_minute_and_what_may_be_left_out_may(
    company: FakeProvider, forge: Callable[[dict[str, Any], dict[str, Any]], None]
) -> None:
    company.forge = forge
    assert await signed_in(client(company), company, **ALICE) == subject("alice", "sales", "ops")


async def test_a_signature_of_another_key_under_the_same_name_is_wrong(company: FakeProvider) -> None:
    company.published = [ECKey.generate_key("P-256", {"kid": "k1"}).as_dict(private=False)]
    assert "signature is wrong" in str(await refusal(client(company), company))


async def test_a_symmetric_algorithm_is_no_signature_here_even_with_a_key_that_is_published(company: FakeProvider) -> None:
    shared = OctKey.generate_key(256, {"kid": "k1"})
    company.published = [shared.as_dict(private=True)]
    company.key = shared
    company.forge = lambda header, said: header.update(alg="HS256")
    assert "an asymmetric signature" in str(await refusal(client(company), company))


async def test_a_published_key_for_another_use_or_algorithm_or_one_of_two_verifies_nothing(company: FakeProvider) -> None:
    own = company.key.as_dict(private=False)
    for change in ({"use": "enc"}, {"alg": "ES384"}, {"kid": "k2"}):
        company.published = [{**own, **change}]
        assert "does not have" in str(await refusal(client(company), company))
    company.published = [own, {**ECKey.generate_key("P-256").as_dict(private=False), "kid": "k1"}]
    assert "does not have" in str(await refusal(client(company), company))


async def test_a_new_key_is_learnt_when_it_is_met_and_unknown_ones_do_not_make_us_ask_again_and_again(
    company: FakeProvider, clock: Clock
) -> None:
    sign_in = client(company)
    assert await signed_in(sign_in, company, **ALICE) == subject("alice", "sales", "ops")
    company.key = ECKey.generate_key("P-256", {"kid": "k2"})
    company.forge = lambda header, said: header.update(kid="k2")
    clock.at += 15
    assert await signed_in(sign_in, company, **ALICE) == subject("alice", "sales", "ops")
    company.forge = lambda header, said: header.update(kid="k3")
    for _ in range(3):
        assert "does not have" in str(await refusal(sign_in, company))
    assert company.asked.count("/keys") == 2

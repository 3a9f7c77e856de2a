"""Whatever comes in: an answer, or an `OAuthError` whose text can be sent; never another exception, never anything given for a changed token."""

import asyncio
import json
from collections.abc import Awaitable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.identity.authority.grants.exchange import ACCESS_TOKEN
from doorward.identity.authority.port import Grant, OAuthError, TokenRequest
from doorward.net.oauth.asking import CLIENT_ASSERTION
from tests.identity.authority.made import RESOURCE, SUB_KEY, House, answer, page

pytestmark = pytest.mark.anyio

TEXT = st.text(st.characters(categories=None, exclude_categories=()), max_size=40)
"""Any characters, lone surrogates among them."""
TOKENS = st.sampled_from(["a.b.c", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJFUzI1NiJ9.e30.AAAA", "dwr_AAAA", "dwc_AAAA", "..", "é.é.é"])
NAMES = (
    "client_id grant_type code redirect_uri code_verifier refresh_token resource scope assertion subject_token subject_token_type "
    "requested_token_type actor_token audience client_assertion client_assertion_type client_secret token token_type_hint "
    "response_type response_mode code_challenge code_challenge_method state dpop_jkt request request_uri prompt"
).split()
LIKELY = st.sampled_from(
    ["desk", "agent", "code", "S256", "mcp", RESOURCE, CLIENT_ASSERTION, ACCESS_TOKEN, "https://desk.example/cb", "https://tool.example/c"]
    + [grant.wire for grant in Grant]
)
FIELDS = st.dictionaries(st.sampled_from(NAMES), st.one_of(LIKELY, TEXT, TOKENS))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT | LIKELY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
CLIENT = ("client_name", "redirect_uris", "grant_types", "response_types", "token_endpoint_auth_method", "software_statement")


def is_refused(work: Awaitable[object]) -> bool:
    """Whether a request got an error, one that can be sent."""

    async def ran() -> OAuthError | None:
        try:
            await work
        except OAuthError as error:
            return error
        return None

    error = asyncio.run(ran())
    if error is None:
        return False
    assert all(" " <= letter <= "~" and letter not in '"\\' for letter in error.description + error.error)
    assert error.redirect is None or (error.redirect.isascii() and error.redirect.isprintable())
    assert error.status in (400, 401, 403, 503)
    return True


@given(FIELDS)
def test_no_fields_break_an_endpoint(fields: dict[str, str]) -> None:
    house = House()
    assert is_refused(house.token(fields))
    is_refused(house.server.revoke(TokenRequest(fields, None, None, "192.0.2.1")))


@given(FIELDS)
def test_no_question_breaks_the_authorization_endpoint(fields: dict[str, str]) -> None:
    house = House()
    is_refused(house.server.asked(fields))
    is_refused(house.server.asked({**house.question(), **fields}))


@given(st.dictionaries(st.sampled_from(CLIENT) | TEXT, JSON))
def test_no_body_breaks_registration(body: dict[str, object]) -> None:
    is_refused(House().server.register(body))
    is_refused(House().server.register({"redirect_uris": ["https://a.example/cb"], **body}))


DOCUMENT = (*CLIENT, "client_id", "jwks", "jwks_uri")


@given(st.dictionaries(st.sampled_from(DOCUMENT) | TEXT, JSON), st.sampled_from(["none", "private_key_jwt"]))
def test_no_document_of_a_client_breaks_anything(document: dict[str, object], method: str) -> None:
    url = "https://tool.example/c"
    fixed: dict[str, object] = {
        "client_id": url,
        "client_name": "T",
        "redirect_uris": ["https://desk.example/cb"],
        "token_endpoint_auth_method": method,
    }
    for said in (document, {**fixed, **document}, {**document, **fixed}):
        house = House()
        house.net.pages[url] = page(json.dumps(said).encode())
        is_refused(house.server.asked(house.question(client_id=url)))
        is_refused(house.token({"grant_type": "refresh_token", "refresh_token": "dwr_x", **house.signed(url)}))


def changed(text: str) -> list[str]:
    """A text with each of its characters changed in turn, cut short, and made longer."""
    other = ["B" if letter == "A" else "A" for letter in text]
    return [text[:at] + other[at] + text[at + 1 :] for at in range(len(text))] + [text[:-1], text + "A", text + "=", f" {text}"]


async def accepted(work: Awaitable[object]) -> bool:
    """Whether anything was given."""
    try:
        await work
    except OAuthError:
        return False
    return True


async def test_no_changed_assertion_is_taken() -> None:
    house = House()
    good = house.signed()
    fields = {"grant_type": "client_credentials", "resource": RESOURCE, **good}
    for token in changed(good["client_assertion"]):
        assert not await accepted(house.token({**fields, "client_assertion": token}))
    assert await accepted(house.token(fields))


async def test_no_changed_identity_assertion_is_taken() -> None:
    house = House()
    good = house.id_jag()
    for token in changed(good):
        assert not await accepted(house.token({"grant_type": Grant.ASSERTION.wire, "assertion": token, **house.signed()}))
    assert await accepted(house.token({"grant_type": Grant.ASSERTION.wire, "assertion": good, **house.signed()}))


async def test_no_changed_subject_token_is_taken() -> None:
    house = House()
    good = str((await house.redeemed())["access_token"])
    fields = {"grant_type": Grant.EXCHANGE.wire, "subject_token_type": ACCESS_TOKEN}
    for token in changed(good)[::3]:
        assert not await accepted(house.token({**fields, "subject_token": token, **house.signed("sub", SUB_KEY)}))
    assert await accepted(house.token({**fields, "subject_token": good, **house.signed("sub", SUB_KEY)}))


async def test_a_changed_refresh_token_or_code_gets_nothing_and_ends_nothing() -> None:
    house = House()
    code, refresh = await house.code(), str((await house.redeemed())["refresh_token"])
    for text in changed(code):
        assert not await accepted(house.token(house.redemption(text)))
    for text in changed(refresh):
        assert not await accepted(house.refreshed(text))
    assert house.ended == []
    assert await accepted(house.token(house.redemption(code)))
    assert await accepted(house.refreshed(refresh))


async def test_nothing_of_a_request_gets_into_another_part_of_the_redirect() -> None:
    house = House()
    state = "x&code=stolen&iss=https://evil.example#f"
    with pytest.raises(OAuthError) as caught:
        await house.server.asked(house.question(state=state, scope="no&iss=https://evil.example"))
    assert caught.value.redirect is not None
    said = answer(caught.value.redirect)
    assert (set(said), said["state"], "#" in caught.value.redirect) == ({"error", "error_description", "state", "iss"}, state, False)

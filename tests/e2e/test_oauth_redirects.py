"""Where browsers are sent and by whom: RFC 9207 `iss`, mix-up, codes that are put into another's hands, and redirects that are nobody's."""

import http.client
from collections.abc import Iterator
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from tests.browser import Browser, Page
from tests.e2e.grants import asked_for, authorize, call, challenge, connected, granted, redeemed, refreshed, told
from tests.e2e.oauth import CALLBACK, ELSEWHERE, House, Visit, house
from tests.oidc import sign_in

pytestmark = pytest.mark.peer

EVIL = "https://evil.example"


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway with declared clients."""
    with house(tmp_path_factory.mktemp("redirects")) as made:
        yield made


def answered(ours: House, path: str, **headers: str) -> tuple[int, str]:
    """Status and `Location` of a GET, byte for byte."""
    connection = http.client.HTTPConnection("127.0.0.1", ours.running.port, timeout=20)
    try:
        connection.putrequest("GET", path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("Location") or ""
    finally:
        connection.close()


def test_every_redirect_to_a_client_says_who_sends_it(ours: House) -> None:
    alice = Visit("alice")
    backs = {
        "granted": asked_for(ours.running, alice),
        "denied": asked_for(ours.running, Visit("alice", answer="deny")),
        "too much": asked_for(ours.running, alice, scope="mcp admin"),
        "another kind": asked_for(ours.running, alice, response_type="token"),
        "without a challenge": asked_for(ours.running, alice, code_challenge=None, code_challenge_method=None),
        "with a plain challenge": asked_for(ours.running, alice, code_challenge_method="plain"),
        "for no endpoint": asked_for(ours.running, alice, resource=None),
        "for another's endpoint": asked_for(ours.running, alice, resource="https://mcp.example.com/mcp"),
        "without asking": asked_for(ours.running, alice, prompt="none"),
        "by reference": asked_for(ours.running, alice, request_uri="https://evil.example/request"),
    }
    assert {why: (back["iss"], back["state"]) for why, back in backs.items()} == dict.fromkeys(backs, (ours.origin, "the state"))
    errors = {why: back.get("error", "") for why, back in backs.items()}
    assert errors == {
        "granted": "",
        "denied": "access_denied",
        "too much": "invalid_scope",
        "another kind": "unsupported_response_type",
        "without a challenge": "invalid_request",
        "with a plain challenge": "invalid_request",
        "for no endpoint": "invalid_target",
        "for another's endpoint": "invalid_target",
        "without asking": "interaction_required",
        "by reference": "request_uri_not_supported",
    }


@pytest.mark.parametrize(
    "redirect",
    [
        EVIL,
        f"{EVIL}/back",
        f"{ELSEWHERE}/../../evil",
        f"{ELSEWHERE}/more",
        f"{ELSEWHERE}?more=1",
        f"{ELSEWHERE}#fragment",
        f"{ELSEWHERE}%2f",
        "https://desk.example.evil.example/back",
        "https://desk.example@evil.example/back",
        "https://desk.example:443/back",
        "https://DESK.example/back",
        "http://desk.example/back",
        "//evil.example/back",
        "/oauth/signout",
        "javascript:alert(1)//127.0.0.1/callback",
        "data:text/html,x",
        "http://127.0.0.1:9/callback/",
        "http://127.0.0.1:9@evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://localhost:9/callback",
        "http://[::1]:9/callback",
        "http://2130706433:9/callback",
        f"{CALLBACK}\r\nLocation: {EVIL}",
        f"{CALLBACK}\\@evil.example",
        " https://desk.example/back",
        "",
    ],
)
def test_a_browser_is_never_sent_where_no_client_lives(ours: House, redirect: str) -> None:
    for wrong in ({}, {"scope": "admin"}, {"response_type": "none"}):
        path = authorize(ours.running, redirect_uri=redirect, **wrong).removeprefix(ours.origin)
        assert answered(ours, path) == (400, ""), wrong


def test_a_query_that_can_be_read_in_two_ways_is_not_read(ours: House) -> None:
    path = authorize(ours.running).removeprefix(ours.origin)
    for more in (
        f"&redirect_uri={quote(EVIL)}",
        "&client_id=night",
        f"&state={quote('another')}",
        "&resource=" + quote("https://mcp.example.com/mcp"),
        "&scope=%",
        "&nonce=%ff",
        "&" + "&".join(f"x{number}=1" for number in range(100)),
    ):
        status, location = answered(ours, path + more)
        assert (status, location) == (400, ""), more


@pytest.mark.parametrize(
    "path",
    [
        f"//{EVIL[8:]}/oauth/authorize",
        f"/oauth/authorize/../../{EVIL}",
        f"/oauth/callback?state=x&code=y&redirect_uri={EVIL}",
        f"/oauth/callback?state=x&error=access_denied&error_uri={EVIL}",
        f"/oauth/signout?next={EVIL}",
        f"/oauth/consent?next={EVIL}",
        f"/oauth/authorize?next={EVIL}",
        f"/oauth/authorize?client_id=desk&redirect_uri={EVIL}&error=x",
        f"/\\{EVIL[8:]}",
        f"/mcp//{EVIL[8:]}",
        f"/.well-known/oauth-authorization-server/{EVIL}",
    ],
)
def test_no_path_of_ours_sends_a_browser_away(ours: House, path: str) -> None:
    status, location = answered(ours, path)
    assert (status >= 400, location) == (True, ""), (status, location)


def test_a_foreign_host_is_not_spoken_for(ours: House) -> None:
    for path in ("/.well-known/oauth-authorization-server", "/oauth/jwks", authorize(ours.running).removeprefix(ours.origin)):
        status, location = answered(ours, path, Host="evil.example")
        assert (status, location) in ((400, ""), (403, "")), path


def at_the_door(ours: House, name: str) -> tuple[Browser, Page]:
    """A browser whose person has signed in at the provider, held just before it comes back to us."""
    browser = Browser(stops_at=(CALLBACK, f"{ours.origin}/oauth/callback"))
    return browser, sign_in(browser, browser.get(authorize(ours.running)), name)


def test_a_sign_in_that_another_has_begun_is_nobodys_here(ours: House) -> None:
    mallory, mallorys = at_the_door(ours, "mallory")
    alice, alices = at_the_door(ours, "alice")
    state = parse_qs(urlsplit(alices.url).query)["state"][0]
    code = parse_qs(urlsplit(mallorys.url).query)["code"][0]
    for browser in (alice, mallory):
        browser.stops_at = (CALLBACK,)
    # Login CSRF: mallory's whole answer in alice's browser.
    assert alice.get(mallorys.url).status == 400
    # Code injection: mallory's code in alice's own answer; the provider knows another verifier, and the sign-in is over.
    injected = f"{ours.origin}/oauth/callback?{urlencode({'state': state, 'code': code, 'iss': ours.company.issuer})}"
    assert (alice.get(injected).status, alice.get(alices.url).status) == (403, 400)
    assert [browser.get(authorize(ours.running)).url.startswith(ours.company.issuer) for browser in (alice,)] == [True]


@pytest.mark.parametrize("said", ["https://evil.example", None, "http://127.0.0.1"])
def test_an_answer_of_another_provider_or_of_none_is_not_taken(ours: House, said: str | None) -> None:
    alice, back = at_the_door(ours, "alice")
    alice.stops_at = (CALLBACK,)
    fields = {name: values[0] for name, values in parse_qs(urlsplit(back.url).query).items() if name != "iss"}
    answer = fields if said is None else {**fields, "iss": said}
    page = alice.get(f"{ours.origin}/oauth/callback?{urlencode(answer)}")
    assert (page.status, page.forms) == (403, [])


def test_a_provider_that_refuses_lets_nobody_in_and_nothing_of_its_words_is_shown(ours: House) -> None:
    alice, back = at_the_door(ours, "alice")
    alice.stops_at = (CALLBACK,)
    state = parse_qs(urlsplit(back.url).query)["state"][0]
    words = {"state": state, "iss": ours.company.issuer, "error": "access_denied", "error_description": "<b>call 555-0100</b>"}
    page = alice.get(f"{ours.origin}/oauth/callback?{urlencode(words)}")
    assert (page.status, "555-0100" in page.text, "access_denied" in page.text) == (403, False, True)


def test_a_code_is_of_no_use_to_whoever_saw_it_and_is_not_spoiled_by_them(ours: House) -> None:
    code = asked_for(ours.running, Visit("alice"))["code"]
    tried = [
        redeemed(ours.running, code, code_verifier="w" * 43),
        redeemed(ours.running, code, code_verifier=challenge()),
        redeemed(ours.running, code, code_verifier=""),
        redeemed(ours.running, code, client_id="courier"),
        redeemed(ours.running, code, client_id="night"),
        redeemed(ours.running, code, redirect_uri=ELSEWHERE),
        redeemed(ours.running, code, redirect_uri="http://127.0.0.1:10/callback"),
        redeemed(ours.running, code, resource=ours.running.url("up")),
        redeemed(ours.running, code[:-1]),
    ]
    assert {status for status, _ in tried} <= {400, 401}
    assert call(ours.running.url(), granted(redeemed(ours.running, code))["access_token"]).status == 200


def test_a_code_of_one_person_is_not_anothers_session(ours: House) -> None:
    had = {name: connected(ours.running, name) for name in ("alice", "bob")}
    swapped = refreshed(ours.running, had["alice"]["refresh_token"], access_token=had["bob"]["access_token"])
    assert granted(swapped)["access_token"]
    back = told(Visit("alice").consents(authorize(ours.running, state="a state & more=1")))
    assert back["state"] == "a state & more=1"


@pytest.mark.parametrize("prompt", ["login", "select_account", "login consent"])
def test_a_client_that_wants_a_fresh_sign_in_makes_the_provider_ask(ours: House, prompt: str) -> None:
    alice = Visit("alice")
    assert "code" in asked_for(ours.running, alice)
    page = alice.browser.get(authorize(ours.running, prompt=prompt))
    assert page.url.startswith(ours.company.issuer)
    assert [form for form in page.forms if "login" in form.fields]
    # It is asked once: the same request goes on with whoever has signed in.
    shown = sign_in(alice.browser, page, "alice")
    assert (shown.url.startswith(f"{ours.origin}/oauth/authorize"), "corp:alice" in shown.text) == (True, True)

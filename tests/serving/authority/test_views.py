"""What people read: outside text as text, what is proven and what is not, warnings where they belong; and that the pages travel with the package."""

from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from doorward.identity.authority.port import Asked, OAuthError, Origin
from doorward.serving.authority.views import Views
from doorward.serving.authority.words import Standing, clean, question, words
from tests.serving.asgi import Exchange
from tests.serving.authority.made import ASKED, LOCAL, PUBLIC, Browser, House, Somebody, authorize, person, read

pytestmark = pytest.mark.anyio

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)><form action=https://evil.example>{{ 7*7 }}</title></style>"
ELEMENTS = {
    *"html head meta title style body main h1 bdi p strong code dl div dt dd h2 ul li form input button".split(),
}
ATTRIBUTES = {"lang", "charset", "name", "content", "class", "role", "method", "action", "type", "value"}


def shown(asked: Asked, who: Somebody | None = None) -> str:
    answer = Views(PUBLIC).consent(asked, who or person("alice"), "t", 86_400.0)
    return bytes(answer.body).decode()


def texts(page: str) -> str:
    exchange = Exchange.__new__(Exchange)
    exchange.head, exchange.raw = {"headers": [(b"content-type", b"text/html; charset=utf-8")]}, page.encode()
    found = read(exchange)
    assert {tag for tag, _ in found.elements} <= ELEMENTS
    assert {name for _, attributes in found.elements for name in attributes} <= ATTRIBUTES
    assert [attributes["action"] for tag, attributes in found.elements if tag == "form"] in (
        [],
        ["/oauth/consent", "/oauth/signout"],
        ["/oauth/signout"],
    )
    return found.text


@pytest.mark.parametrize("field", ["client_name", "client_id", "redirect_uri", "resource", "state"])
def test_outside_text_is_shown_as_text(field: str) -> None:
    page = shown(replace(ASKED, **{field: f"https://x.example/{EVIL}"}))
    texts(page)
    assert EVIL not in page


def test_scopes_and_names_of_people_are_shown_as_text() -> None:
    texts(shown(replace(ASKED, scopes=(EVIL,)), Somebody(person(EVIL).subject, EVIL)))


@given(st.text(max_size=200), st.sampled_from(["client_name", "client_id", "resource"]), st.sampled_from(Origin))
def test_no_text_makes_an_element(text: str, field: str, origin: Origin) -> None:
    texts(shown(replace(ASKED, origin=origin, **{field: f"https://h.example/{text}"})))


async def test_error_of_a_client_is_shown_as_text() -> None:
    house = House()
    house.authority.fails = OAuthError("invalid_request", EVIL)
    page = await Browser(house).get(authorize())
    assert EVIL not in page.raw.decode()
    texts(page.raw.decode())


@given(st.text(max_size=400))
def test_clean_text_is_one_short_line_without_what_hides(text: str) -> None:
    found = clean(text)
    assert len(found) <= 64
    assert found == clean(found)
    assert found.isprintable()


def test_characters_that_reorder_a_name_are_gone() -> None:
    assert clean("Clau\u202ede\u200b\n\x00 ok") == "Clau de ok"
    assert question(replace(ASKED, client_name="\u202e\u200b")).name == "A client without a name"


@pytest.mark.parametrize(
    ("asked", "standing"),
    [
        (ASKED, Standing.HOST),
        (replace(ASKED, redirect_uri="https://elsewhere.example/back"), Standing.NOT),
        (replace(ASKED, redirect_uri="https://client.example:8443/back"), Standing.NOT),
        (LOCAL, Standing.NOT),
        (replace(ASKED, client_id="https://localhost/id", redirect_uri="https://localhost/back"), Standing.NOT),
        (replace(ASKED, origin=Origin.REGISTERED), Standing.NOT),
        (replace(ASKED, origin=Origin.DECLARED), Standing.DECLARED),
    ],
)
def test_name_is_proven_only_by_us_or_by_the_host_that_gets_the_code(asked: Asked, standing: Standing) -> None:
    assert question(asked).standing is standing


def test_page_says_who_asks_where_it_goes_for_what_and_for_whom() -> None:
    text = texts(shown(ASKED))
    for expected in (
        "Let “Claude” act for you at mcp.example.com?",
        "client.example gives itself this name, and the access goes there.",
        "https://client.example/id.json",
        "Where the access goes client.example",
        "Everything behind mcp.example.com",
        "Alice corp:alice",
        "Use everything on “git” that policy allows",
        "Read everything: see what is there, and use what changes nothing",
        "you will not be asked again for 1 day.",
    ):
        assert expected in text


def test_program_on_the_own_machine_is_warned_about() -> None:
    page = shown(LOCAL)
    text = texts(page)
    assert "Did you start this yourself, just now?" in text
    assert "127.0.0.1:4711, on your own computer" in text
    assert "Unverified. The name comes from client.example; the access goes elsewhere." in text
    assert "not be asked again" not in text
    assert "Did you start this yourself" not in shown(ASKED)


def test_client_that_registered_itself_is_unverified() -> None:
    text = texts(shown(replace(ASKED, client_id="dyn-1", origin=Origin.REGISTERED)))
    assert "Unverified. It has registered itself; anybody can, under any name." in text


def test_one_upstream_is_named() -> None:
    assert "“git” behind mcp.example.com" in texts(shown(replace(ASKED, resource=f"{PUBLIC}/mcp/git")))


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("mcp", "Use everything behind this gateway that its policy allows"),
        ("mcp:read", "Read everything: see what is there, and use what changes nothing"),
        ("mcp:read:read", "Read on “read”: see what is there, and use what changes nothing"),
        ("mcp:git", "Use everything on “git” that policy allows"),
        ("mcp:git:read", "Read on “git”: see what is there, and use what changes nothing"),
        ("offline_access", "Stay connected without asking you each time"),
        ("mcp:git:write", "“mcp:git:write”, which gives no right at this gateway"),
        ("mcp:Git", "“mcp:Git”, which gives no right at this gateway"),
    ],
)
def test_scope_in_plain_words(scope: str, expected: str) -> None:
    assert words(scope) == expected


def test_form_may_end_where_the_client_is() -> None:
    """Browsers hold every redirect after a form to `form-action`: a client on loopback has no https."""
    views = Views(PUBLIC)
    assert views.consent(LOCAL, person("alice"), "t", 1.0).headers["content-security-policy"].endswith("; form-action 'self' https: http:")
    assert views.stopped(400, "a", "b").headers["content-security-policy"].endswith("; form-action 'none'")


def test_pages_are_part_of_the_package() -> None:
    folder = resources.files("doorward.serving.authority") / "templates"
    assert {entry.name for entry in folder.iterdir()} == {
        "connect.html",
        "connected.html",
        "connections.html",
        "consent.html",
        "frame.html",
        "stopped.html",
        "style.css",
    }


def test_pages_load_nothing() -> None:
    assert "http" not in (resources.files("doorward.serving.authority") / "templates" / "style.css").read_text()
    assert "url(" not in shown(ASKED)

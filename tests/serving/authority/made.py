"""The authority's pages on a door, with an authority, a provider and a log that are made up; and browsers that keep cookies as browsers do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec.structs import replace

from doorward.config.model import Listen
from doorward.domain.actors import Subject
from doorward.domain.errors import StoreError
from doorward.domain.ids import SubjectId
from doorward.domain.receipts import Event
from doorward.identity.authority.port import Asked, Client, OAuthError, Origin, Person, TokenRequest
from doorward.identity.consents import Consents
from doorward.identity.sign_in import Begun, SignInError, Welcome
from doorward.serving.app import Door, Settings, Surroundings
from doorward.serving.authority.browser import Browsers, Departed, Jar, Sealing
from doorward.serving.authority.endpoints import Endpoints
from doorward.serving.authority.entrance import Hall
from doorward.serving.authority.flow import Around, Flow
from doorward.serving.authority.places import places
from doorward.serving.authority.views import Views
from doorward.serving.authority.visits import Visits
from doorward.serving.edge import allowed
from doorward.serving.pages import Pages
from doorward.stores.memory_consents import MemoryConsents
from doorward.wire.sealed import Seal
from tests.made import Clock
from tests.serving.asgi import Counted, Exchange, FakeSpine

PUBLIC = "https://mcp.example.com"
IDP = "https://idp.example.com/authorize"
REMEMBERED_SECONDS = 30 * 86_400.0
ASKED = Asked(
    client_id="https://client.example/id.json",
    client_name="Claude",
    origin=Origin.DOCUMENT,
    redirect_uri="https://client.example/back",
    state="s1",
    scopes=("mcp:git", "mcp:read"),
    resource=f"{PUBLIC}/mcp",
    code_challenge="c" * 43,
    dpop_jkt="",
)
LOCAL = replace(ASKED, redirect_uri="http://127.0.0.1:4711/back")


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person."""

    subject: Subject
    name: str


def person(name: str) -> Somebody:
    return Somebody(Subject(SubjectId(f"corp:{name}"), frozenset({"corp:sales"})), name.title())


@dataclass(slots=True)
class FakeAuthority:
    """Knows the requests in `known` by their `client_id`; remembers what it granted and was asked at its endpoints."""

    known: dict[str, Asked] = field(default_factory=lambda: {ASKED.client_id: ASKED})
    granted_to: list[tuple[Asked, str]] = field(default_factory=list)
    fails: OAuthError | None = None
    requests: list[TokenRequest] = field(default_factory=list)
    registered: list[Mapping[str, object]] = field(default_factory=list)
    issuer: str = PUBLIC

    def metadata(self) -> dict[str, object]:
        return {"issuer": self.issuer}

    def jwks(self) -> dict[str, object]:
        return {"keys": []}

    async def client(self, client_id: str) -> Client:
        raise NotImplementedError

    async def asked(self, params: Mapping[str, str]) -> Asked:
        self._fail()
        asked = self.known.get(params.get("client_id", ""))
        if asked is None:
            raise OAuthError("invalid_client", "this client is not known", 401)
        return asked

    async def granted(self, asked: Asked, person: Person) -> str:
        self._fail()
        self.granted_to.append((asked, person.subject.id))
        return f"{asked.redirect_uri}?code=c{len(self.granted_to)}&state={asked.state}&iss={self.issuer}"

    def denied(self, asked: Asked, error: str) -> str:
        return f"{asked.redirect_uri}?error={error}&state={asked.state}&iss={self.issuer}"

    async def token(self, request: TokenRequest) -> dict[str, object]:
        self._fail()
        self.requests.append(request)
        return {"access_token": "at", "token_type": "Bearer"}

    async def revoke(self, request: TokenRequest) -> None:
        self._fail()
        self.requests.append(request)

    async def register(self, body: Mapping[str, object]) -> dict[str, object]:
        self._fail()
        self.registered.append(body)
        return {"client_id": "new"}

    def _fail(self) -> None:
        if self.fails is not None:
            raise self.fails


@dataclass(slots=True)
class FakeSignIn:
    """A provider at which a code is the name of a person."""

    clock: Clock
    began: int = 0
    finished: int = 0
    fails: bool = False

    async def begin(self, redirect_uri: str, welcome: Welcome) -> tuple[str, Begun]:
        del welcome
        if self.fails:
            raise SignInError("The identity provider could not be used.", "it is down")
        self.began += 1
        begun = Begun(redirect_uri, f"state{self.began}", "n" * 43, "v" * 43, self.clock(), names_itself=True)
        return f"{IDP}?{urlencode({'redirect_uri': redirect_uri, 'state': begun.state})}", begun

    async def finish(self, begun: Begun, params: Mapping[str, str]) -> Person:
        self.finished += 1
        if params.get("state") != begun.state or "code" not in params:
            raise SignInError("The sign-in did not fit together.", "no code")
        return person(params["code"])


@dataclass(slots=True)
class Told:
    """A log of events; while it is `broken` nothing can be written."""

    events: list[Event] = field(default_factory=list)
    broken: bool = False

    async def __call__(self, event: Event) -> None:
        if self.broken:
            raise StoreError("the log is away")
        self.events.append(event)

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]


class House:
    """A door with the authority's pages on it."""

    def __init__(self, public: str = PUBLIC) -> None:
        self.public = public
        self.clock = Clock()
        self.authority = FakeAuthority(issuer=public)
        self.sign_in = FakeSignIn(self.clock)
        self.told = Told()
        self.strangers: set[str] = set()
        self.consents = Consents(MemoryConsents(), self.clock, REMEMBERED_SECONDS)
        numbers = count(1)

        def draw(size: int) -> bytes:
            return next(numbers).to_bytes(size, "big")

        self.visits = Visits(draw, self.clock)
        self.hall = Hall(
            public,
            self.sign_in,
            self.visits,
            Browsers(Jar(public), Sealing(Seal((bytes(32),)), draw, self.clock), Departed),
            Views(public),
            lambda person: person.subject.id not in self.strangers,
            self.told,
            lambda subject: f"veiled({subject})",
        )
        self.around = Around(self.authority, self.consents, self.hall)
        self.pages = Pages(places(Endpoints(self.authority), Flow(self.around)), public, lambda: 0.0)
        around = Surroundings(FakeSpine(), lambda _, __: False, Counted(), lambda: 0.0, lambda: "j", self.pages)
        self.door = Door(around, Settings(allowed(Listen(public_url=public), 8420), is_loopback=True))

    async def send(self, method: str, url: str, headers: list[tuple[str, str]], body: bytes = b"") -> Exchange:
        """One request to a path with its query, and its whole answer."""
        path, _, query = url.partition("?")
        host = urlsplit(self.public).netloc
        sent = [("host", host), *headers]
        if body:
            sent.append(("content-length", str(len(body))))
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode("latin-1"),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent],
            "client": ("127.0.0.1", 50_000),
        }
        return await Exchange(self.door, scope, [body]).done()

    async def post(self, path: str, body: bytes | Mapping[str, str], **headers: str) -> Exchange:
        """Posts a form to an endpoint; `headers` with `_` for `-`."""
        raw = body if isinstance(body, bytes) else urlencode(body).encode()
        named = {"content-type": "application/x-www-form-urlencoded", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self.send("POST", path, [(name, value) for name, value in named.items() if value], raw)


@dataclass(slots=True)
class Browser:
    """One person's browser: keeps cookies, follows redirects on this host, submits forms; does not run scripts."""

    house: House
    cookies: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    """Of the cookies that were ever set, by name."""
    visited: list[str] = field(default_factory=list)

    async def get(self, url: str) -> Exchange:
        """One page; redirects are not followed."""
        return self._kept(await self.house.send("GET", url, self._carried()))

    async def post(self, path: str, fields: Mapping[str, str], origin: str | None = "") -> Exchange:
        """One form, as our own page sends it, or as a page of another origin does."""
        headers = [*self._carried(), ("content-type", "application/x-www-form-urlencoded")]
        if origin is not None:
            headers.append(("origin", origin or self.house.public))
        return self._kept(await self.house.send("POST", path, headers, urlencode(fields).encode()))

    async def connect(self, who: str = "alice", asked: Asked = ASKED, **more: str) -> Exchange:
        """Opens an authorization request, signs in where that is asked for, and stops at the first page or foreign address."""
        return await self.follow(await self.get(authorize(asked, **more)), who)

    async def follow(self, page: Exchange, who: str) -> Exchange:
        while page.status == 303:
            location = page.headers["location"]
            self.visited.append(location)
            if location.startswith(IDP):
                page = await self.get(back(location, code=who))
            elif location.startswith("/"):
                page = await self.get(location)
            else:
                break
        return page

    async def answer(self, page: Exchange, decision: str) -> Exchange:
        """Presses a button of the consent page."""
        return await self.post("/oauth/consent", {"question": token(page), "decision": decision})

    def _carried(self) -> list[tuple[str, str]]:
        return [("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))] if self.cookies else []

    def _kept(self, answer: Exchange) -> Exchange:
        assert answer.head is not None
        for name, value in answer.head["headers"]:
            if name == b"set-cookie":
                pair, _, attributes = value.decode().partition("; ")
                cookie, _, content = pair.partition("=")
                self.attributes[cookie] = attributes
                if "Max-Age=0" in attributes.split("; "):
                    self.cookies.pop(cookie, None)
                else:
                    self.cookies[cookie] = content
        return answer


def authorize(asked: Asked = ASKED, **more: str) -> str:
    return f"/oauth/authorize?{urlencode({'client_id': asked.client_id, 'response_type': 'code', **more})}"


def back(location: str, **params: str) -> str:
    """Where the provider sends the browser back to."""
    sent = dict(parse_qsl(urlsplit(location).query))
    return f"{urlsplit(sent['redirect_uri']).path}?{urlencode({'state': sent['state'], **params})}"


@dataclass(slots=True)
class Read:
    """What a page says, its elements, and their attributes."""

    text: str = ""
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = Read()
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._hidden += tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag == "style"

    def handle_data(self, data: str) -> None:
        self.found.text += "" if self._hidden else data


def read(page: Exchange) -> Read:
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    reader = _Reader()
    reader.feed(page.raw.decode())
    reader.found.text = " ".join(reader.found.text.split())
    return reader.found


def token(page: Exchange) -> str:
    """The token in the consent page's form."""
    return next(attributes["value"] for tag, attributes in read(page).elements if attributes.get("name") == "question")


def heading(page: Exchange) -> str:
    text: Any = page.raw.decode().split("<h1>")[1].split("</h1>")[0]
    return str(text)

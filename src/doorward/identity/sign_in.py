"""People sign in with their own identity provider (OpenID Connect: authorization code flow with PKCE S256, RFC 9207).

LAW: what `finish` gives was said by the provider that `begin` sent the browser to, for this client, for this sign-in, once.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlencode

import msgspec
from msgspec.structs import replace

from doorward.config import identity as config
from doorward.domain.errors import DoorwardError
from doorward.domain.secret import Secret
from doorward.identity.id_tokens import Expected, verified
from doorward.identity.people import Person as Person
from doorward.identity.people import PersonError, habits, has_groups, has_overage, person
from doorward.identity.provider import Provider, ProviderError, provider
from doorward.identity.tokens.issuer import issuer as described
from doorward.identity.tokens.keys import Keys, RemoteKeys
from doorward.net.fetch import Web, json_object
from doorward.net.oauth.asking import BASIC, FORM, POST, basic, error_code, shown_by
from doorward.wire.pkce import METHOD, challenge

BEGUN_SECONDS = 600.0
"""How long a person may take at the provider."""
_METADATA_SECONDS = 3600.0
_RETRY_SECONDS = 5.0
_CODE_LENGTH = 4096
_CODE = re.compile(r"[\x21-\x7e]+")
_ERROR = re.compile(r"[a-z_]{1,60}")

AGAIN = "The sign-in did not fit together; please begin again."
BROKEN = "The identity provider could not be used; an operator of this gateway can read why."
OVERAGE = (
    "You are in more groups than the identity provider puts into its token, so your rights cannot be told. "
    "Ask its administrator to emit only the groups that are assigned to this application."
)


class SignInError(DoorwardError):
    """A sign-in that let nobody in: `public` is a sentence for the person, the message is for operators."""

    def __init__(self, public: str, detail: str) -> None:
        super().__init__(detail)
        self.public = public


class Welcome(Enum):
    """Who will do."""

    ANYBODY = "anybody"
    """Also who is signed in at the provider already."""
    ASKED = "asked"
    """Who has been asked by the provider just now."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What must be remembered, by the browser's own session alone, until the provider sends the person back. Use it once."""

    redirect_uri: str
    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    at: float
    """Unix seconds."""
    names_itself: bool
    """The provider had said that it says `iss` in its answer (RFC 9207)."""


class _Known(msgspec.Struct, frozen=True):
    """A provider that was read, and its keys."""

    provider: Provider
    keys: Keys


class SignIn:
    """One identity provider, as the configuration names it, and Doorward as its client."""

    __slots__ = ("_client", "_draw", "_due_at", "_found", "_habits", "_issuer", "_now", "_secret", "_trouble", "_web")

    def __init__(
        self,
        issuer: config.Issuer,
        name: str,
        secret: Callable[[], Secret | None],
        web: Web,
        draw: Callable[[int], bytes],
        now: Callable[[], float],
    ) -> None:
        """`secret` gives the client's secret as it is now (None: a public client); it may raise `DoorwardError`."""
        assert issuer.sign_in is not None
        self._client, self._habits, self._issuer = issuer.sign_in, habits(issuer), described(name, issuer)
        self._secret, self._web, self._draw, self._now = secret, web, draw, now
        self._found: _Known | None = None
        self._due_at = 0.0
        self._trouble = ""

    @property
    def issuer(self) -> tuple[str, str]:
        """The issuer's name here, and its URL."""
        return self._issuer.name, self._issuer.url

    async def begin(self, redirect_uri: str, welcome: Welcome = Welcome.ANYBODY) -> tuple[str, Begun]:
        """Where the browser goes now, and what to remember until it is back at `redirect_uri`; raises `SignInError`."""
        found = (await self._known()).provider
        begun = Begun(redirect_uri, self._random(), self._random(), self._random(), self._now(), found.names_itself)
        asked = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(dict.fromkeys(("openid", *self._client.scopes))),
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": challenge(begun.verifier),
            "code_challenge_method": METHOD,
        }
        if welcome is Welcome.ASKED:
            # OpenID Connect Core 3.1.2.1 and 15.1: every provider knows `login`, but Google, which documents this one in its place.
            asked["prompt"] = "select_account" if self._issuer.preset == "google" else "login"
        joint = "&" if "?" in found.authorization else "?"
        return f"{found.authorization}{joint}{urlencode(asked)}", begun

    async def finish(self, begun: Begun, params: Mapping[str, str]) -> Person:
        """Who came back, by the parameters that the provider sent along (each at most once); raises `SignInError`."""
        code = self._code(begun, params)
        found = await self._known()
        try:
            answer = await self._tokens(found.provider, begun, code)
            token = _text(answer, "access_token")
            claims = await verified(_text(answer, "id_token"), found.keys, self._expected(begun), token)
            return await self._person(found.provider, claims, token)
        except PersonError as error:
            raise SignInError(str(error), str(error)) from error
        except DoorwardError as error:
            raise SignInError(BROKEN, str(error)) from error

    def _code(self, begun: Begun, params: Mapping[str, str]) -> str:
        """The code of an answer that is the one expected; its issuer is checked before a word of it is believed (RFC 9207)."""
        if not hmac.compare_digest(params.get("state", "").encode(), begun.state.encode()):
            raise SignInError(AGAIN, "the state is another than the one this browser began with")
        if self._now() > begun.at + BEGUN_SECONDS:
            raise SignInError("The sign-in took too long; please begin again.", "the sign-in took too long")
        said = params.get("iss")
        if said is None and begun.names_itself:
            raise SignInError(AGAIN, "the answer has no iss, though the provider says that it gives one")
        if said is not None and said != self._issuer.url:
            raise SignInError(AGAIN, f"the answer is of {said[:200]!r}, expected {self._issuer.url!r}")
        error = params.get("error")
        if error is not None:
            name = error if _ERROR.fullmatch(error) else "an error"
            raise SignInError(f"The identity provider did not let you in ({name}).", f"the provider answered {name}")
        code = params.get("code", "")
        if len(code) > _CODE_LENGTH or not _CODE.fullmatch(code):
            raise SignInError(AGAIN, "the answer has no proper code")
        return code

    async def _tokens(self, found: Provider, begun: Begun, code: str) -> dict[str, object]:
        """The answer of the token endpoint."""
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": begun.redirect_uri, "code_verifier": begun.verifier}
        headers = list(FORM)
        secret = self._secret()
        way = shown_by(found.secrets)
        if secret is None:
            fields["client_id"] = self._client.client_id
        elif way == BASIC:
            headers.append(("Authorization", basic(self._client.client_id, secret)))
        elif way == POST:
            fields |= {"client_id": self._client.client_id, "client_secret": secret.reveal()}
        else:
            raise ProviderError("the provider takes a client's secret neither by client_secret_basic nor by client_secret_post")
        answer = await self._web.post(found.token, urlencode(fields).encode(), headers)
        said = json_object(answer)
        if answer.status != 200:
            raise ProviderError(f"the token endpoint answered {answer.status}, {error_code(said)}")
        return said

    async def _person(self, found: Provider, claims: Mapping[str, object], access_token: str | None) -> Person:
        wanted = self._habits
        if wanted.asks_userinfo and not has_groups(claims, wanted) and found.userinfo is not None and access_token is not None:
            more = await self._userinfo(found.userinfo, access_token)
            if more.get("sub") != claims.get("sub"):
                # OpenID Connect Core 5.3.2: another person's claims must not be mixed in.
                raise ProviderError("the UserInfo endpoint spoke of somebody else")
            claims = {**more, **claims}
        if has_overage(claims, wanted):
            raise PersonError(OVERAGE)
        return person(self._issuer.name, claims, wanted)

    async def _userinfo(self, url: str, access_token: str) -> dict[str, object]:
        if not _CODE.fullmatch(access_token):
            raise ProviderError("the access token has characters that no header may have")
        answer = await self._web.get(url, (("Authorization", f"Bearer {access_token}"), ("Accept", "application/json")))
        if answer.status != 200:
            raise ProviderError(f"the UserInfo endpoint answered {answer.status}")
        return json_object(answer)

    async def _known(self) -> "_Known":
        """The provider as it was read within the hour; an older reading goes on where it cannot be read again."""
        if self._now() >= self._due_at:
            try:
                read = await provider(self._issuer, self._web)
            except DoorwardError as error:
                # Everybody may begin a sign-in: a provider that is down is not asked at each.
                self._due_at, self._trouble = self._now() + _RETRY_SECONDS, str(error)
            else:
                keys = self._found.keys if self._found and self._found.provider.keys == read.keys else None
                self._found = _Known(read, keys or RemoteKeys(replace(self._issuer, jwks_url=read.keys), self._web, self._now))
                self._due_at = self._now() + _METADATA_SECONDS
        if self._found is None:
            raise SignInError(BROKEN, self._trouble)
        return self._found

    def _expected(self, begun: Begun) -> Expected:
        issuer = self._issuer
        return Expected(issuer.url, self._client.client_id, begun.nonce, issuer.algorithms, issuer.leeway_seconds, self._now())

    def _random(self) -> str:
        return urlsafe_b64encode(self._draw(32)).rstrip(b"=").decode()


def _text(answer: Mapping[str, object], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str):
        raise ProviderError(f"the answer of the token endpoint has no {name}")
    return value

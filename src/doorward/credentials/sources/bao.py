"""A client of OpenBao, or of Vault, over its HTTP API: signs in, keeps its token alive, and says what went wrong without a value.

A 403 is looked into once: a token that has ended is replaced and the request made again; one that still holds has been refused indeed.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final
from urllib.parse import quote

import msgspec

from doorward.credentials.port import CredentialError
from doorward.credentials.sources.logins import Login
from doorward.domain.secret import Secret
from doorward.net.errors import NetError
from doorward.net.fetch import Fetched, Web, json_object
from doorward.net.single import Single

AGAIN_AFTER_SECONDS: Final = 5.0
"""How long after a sign-in a refusal is believed without signing in once more."""


class Trouble(StrEnum):
    """What came instead of an answer."""

    MISSING = "missing"
    DENIED = "denied"
    SEALED = "sealed"
    REFUSED = "refused"
    """It was understood and not done: 400, such as a lease that is not there any more."""
    FAILED = "failed"
    """No answer, or one that says nothing."""


class BaoError(CredentialError):
    """An exchange that brought nothing; the message holds the path and the status, never what was said in the body."""

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble


Seen = Callable[[str], None]
"""Takes note of a secret that must be seen nowhere else (`Fingerprints.add`)."""


def _unseen(secret: str) -> None:
    """Nobody takes note."""


class Place(msgspec.Struct, frozen=True):
    """Where an OpenBao is."""

    address: str
    """Scheme, host and port, such as `https://bao.example.com:8200`."""
    namespace: str = ""


class Token(msgspec.Struct):
    """One token and what is known of its life."""

    secret: Secret
    number: int
    """Counts sign-ins: what was lent under another number has ended, or soon will."""
    seconds: float | None
    """How long it held when it was last asked about; None: no end."""
    since: float
    is_renewable: bool
    is_ours: bool
    """Whether we signed in for it, and so give it back."""


class Bao:
    """One OpenBao as one client sees it."""

    __slots__ = ("_login", "_monotonic", "_number", "_place", "_seen", "_signing_in", "_token", "_web")

    def __init__(self, place: Place, login: Login, web: Web, monotonic: Callable[[], float], seen: Seen = _unseen) -> None:
        """`seen` hears every text that opens this OpenBao, before it is used."""
        self._place = place
        self._seen = seen
        self._login = login
        self._web = web
        self._monotonic = monotonic
        self._signing_in: Single[Token] = Single()
        self._token: Token | None = None
        self._number = 0

    @property
    def number(self) -> int:
        """Which sign-in is in force: what was lent under an earlier one ends with the token of that one."""
        return self._number

    async def read(self, path: str, query: str = "") -> Mapping[str, object]:
        """The answer to a GET of an API path such as `secret/data/app`; raises `BaoError`."""
        return await self._asked(path, None, query)

    async def write(self, path: str, body: Mapping[str, object]) -> Mapping[str, object]:
        """The answer to a POST, empty where there is none to read; raises `BaoError`."""
        return await self._asked(path, msgspec.json.encode(body), "")

    async def upkeep(self) -> None:
        """Renews the token once half of its life is over, and signs in anew where that gains too little; raises `BaoError`."""
        token = self._token
        if token is None or token.seconds is None or self._monotonic() - token.since < token.seconds / 2:
            return
        before = token.seconds
        if token.is_renewable:
            await self._renew(token)
        if not token.is_renewable or token.seconds < before * 0.75:
            # Near the most that it may live. Whoever lent something under it reads it anew meanwhile.
            await self._sign_in(token.number)

    async def close(self) -> None:
        """Gives the token back, and with it all that was lent under it; raises `BaoError`."""
        await self._signing_in.stop()
        token, self._token = self._token, None
        if token is not None and token.is_ours:
            _answer(await self._exchange("auth/token/revoke-self", b"{}", "", token), "auth/token/revoke-self")

    async def _asked(self, path: str, body: bytes | None, query: str) -> Mapping[str, object]:
        token = self._token or await self._sign_in(self._number)
        fetched = await self._exchange(path, body, query, token)
        if fetched.status == 403 and not await self._holds(token):
            token = await self._sign_in(token.number)
            fetched = await self._exchange(path, body, query, token)
        return _answer(fetched, path)

    async def _holds(self, token: Token) -> bool:
        """Whether a token that was refused something is good still; one that is just made is believed to be."""
        if token.is_ours and self._monotonic() - token.since < AGAIN_AFTER_SECONDS:
            return True
        return (await self._exchange("auth/token/lookup-self", None, "", token)).status == 200

    async def _sign_in(self, number: int) -> Token:
        """Another token than the one of that number: somebody may have got it already."""
        if self._token is not None and self._token.number > number:
            return self._token
        return await self._signing_in.run(self._signed_in)

    async def _signed_in(self) -> Token:
        request = self._login.request()
        if isinstance(request, Secret):
            self._seen(request.reveal())
            token = self._counted(Token(request, 0, None, self._monotonic(), is_renewable=False, is_ours=False))
            data = _object(_answer(await self._exchange("auth/token/lookup-self", None, "", token), "auth/token/lookup-self"), "data")
            token.seconds, token.is_renewable = _seconds(data.get("ttl")), data.get("renewable") is True
        else:
            body = request.body()
            for _, shown in request.fields:
                self._seen(shown.reveal())
            answer = _answer(await self._exchange(request.path, msgspec.json.encode(body), "", None), request.path)
            auth = _object(answer, "auth")
            text, seconds = auth.get("client_token"), _seconds(auth.get("lease_duration"))
            if not isinstance(text, str) or not text:
                raise BaoError(Trouble.FAILED, f"expected a token from {request.path}, there was none")
            self._seen(text)
            token = self._counted(
                Token(Secret(text), 0, seconds, self._monotonic(), is_renewable=auth.get("renewable") is True, is_ours=True)
            )
        self._token = token
        return token

    def _counted(self, token: Token) -> Token:
        self._number += 1
        token.number = self._number
        return token

    async def _renew(self, token: Token) -> None:
        path = "auth/token/renew-self"
        try:
            auth = _object(_answer(await self._exchange(path, b"{}", "", token), path), "auth")
        except BaoError as error:
            if error.trouble not in {Trouble.DENIED, Trouble.REFUSED}:
                raise
            token.is_renewable = False
            return
        token.seconds, token.since = _seconds(auth.get("lease_duration")), self._monotonic()
        token.is_renewable = auth.get("renewable") is True
        if token.seconds is None:
            token.seconds = 0.0

    async def _exchange(self, path: str, body: bytes | None, query: str, token: Token | None) -> Fetched:
        url = f"{self._place.address}/v1/{quote(path, safe='/')}{query and '?'}{query}"
        headers = [("X-Vault-Request", "true")]
        if self._place.namespace:
            headers.append(("X-Vault-Namespace", self._place.namespace))
        if token is not None:
            headers.append(("X-Vault-Token", token.secret.reveal()))
        try:
            if body is None:
                return await self._web.get(url, tuple(headers))
            return await self._web.post(url, body, (*headers, ("Content-Type", "application/json")))
        except NetError as error:
            raise BaoError(Trouble.FAILED, f"OpenBao cannot be reached for {path}: {error}") from error


def _answer(fetched: Fetched, path: str) -> Mapping[str, object]:
    """What an answer of success says; everything else is an error without its body, which may repeat what was asked."""
    match fetched.status:
        case 204:
            return {}
        case 200:
            try:
                return json_object(fetched)
            except NetError as error:
                raise BaoError(Trouble.FAILED, f"OpenBao answered {path} with something that is not strict JSON") from error
        case 404:
            raise BaoError(Trouble.MISSING, f"OpenBao has nothing at {path}")
        case 403:
            raise BaoError(Trouble.DENIED, f"OpenBao denies {path} to this gateway")
        case 503:
            raise BaoError(Trouble.SEALED, "OpenBao is sealed, or not ready (503)")
        case 400:
            raise BaoError(Trouble.REFUSED, f"OpenBao refused {path} (400)")
        case status:
            raise BaoError(Trouble.FAILED, f"OpenBao answered {path} with {status}")


def _object(answer: Mapping[str, object], field: str) -> Mapping[str, object]:
    found = answer.get(field)
    if not isinstance(found, Mapping):
        raise BaoError(Trouble.FAILED, f"expected the object {field!r} in an answer of OpenBao, there was none")
    return found


def _seconds(value: object) -> float | None:
    """A length of time; 0 is how tokens without an end say so."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None

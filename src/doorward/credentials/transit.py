"""Key-encryption keys that never leave OpenBao or Vault: its transit engine wraps and unwraps (`aes256-gcm96`, with associated data).

Versions of the key are its own. They are retired there, by whoever operates it (`min_decryption_version`): this gateway needs no right to.
"""

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from doorward.credentials.wrapping import Held, KeyLostError, Wrapped, WrappingError
from doorward.domain.errors import DoorwardError


class Exchanges(Protocol):
    """A signed-in client of it (`sources/bao.py`). Raises a `DoorwardError` that holds no value."""

    async def read(self, path: str, query: str = "") -> Mapping[str, object]:
        """The answer to a GET of an API path."""
        ...

    async def write(self, path: str, body: Mapping[str, object]) -> Mapping[str, object]:
        """The answer to a POST."""
        ...


class Transit:
    """One named key of a transit engine (`Wrapping`)."""

    __slots__ = ("_bao", "_key", "_mount")

    def __init__(self, bao: Exchanges, mount: str, key: str) -> None:
        self._bao, self._mount, self._key = bao, mount, key

    @property
    def kind(self) -> str:
        """Ids are `openbao:MOUNT/KEY:vN`."""
        return "openbao"

    async def prepare(self) -> None:
        """Nothing: a key that is not there is the operator's to make, so that a mistyped name never makes another one."""

    async def has(self, key: str) -> bool:
        """Whether it is a version of this key."""
        return key.startswith(f"{self.kind}:{self._name}:v")

    async def held(self) -> tuple[Held, ...]:
        """Every version that still opens; needs the right to read the key's description, which nothing else does."""
        data = self._read(await self._asked("keys", None), "keys")
        made, latest, least = data.get("keys"), data.get("latest_version"), data.get("min_decryption_version")
        if not isinstance(made, Mapping) or not isinstance(latest, int) or not isinstance(least, int):
            raise WrappingError(f"the versions of {self._name} were expected from OpenBao, there were none")
        return tuple(Held(self._id(number), _seconds(made.get(str(number)))) for number in range(max(1, least), latest + 1))

    async def wrap(self, key: bytes, context: bytes) -> Wrapped:
        """Under the latest version."""
        body = {"plaintext": _text(key), "associated_data": _text(context)}
        sealed = self._read(await self._asked("encrypt", body), "encrypt").get("ciphertext")
        version = sealed.split(":")[1] if isinstance(sealed, str) and sealed.count(":") == 2 else ""
        if not isinstance(sealed, str) or not version.startswith("v") or not version[1:].isdecimal():
            raise WrappingError(f"a wrapped key was expected from {self._name} of OpenBao, there was none")
        return Wrapped(self._id(int(version[1:])), sealed.encode())

    async def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """Under whichever version wrapped it."""
        if not await self.has(wrapped.by):
            raise KeyLostError(f"the key-encryption key {wrapped.by} is needed, {self._name} is configured")
        body = {"ciphertext": wrapped.sealed.decode("ascii", "replace"), "associated_data": _text(context)}
        plain = self._read(await self._asked("decrypt", body), "decrypt").get("plaintext")
        try:
            return b64decode(plain if isinstance(plain, str) else "!", validate=True)
        except Error as error:
            raise WrappingError(f"a key was expected from {self._name} of OpenBao, there was none") from error

    async def rotate(self, used: frozenset[str]) -> None:
        """Has another version made, which needs the right to `keys/KEY/rotate`."""
        del used
        await self._asked("rotate", {})

    async def retire(self, needed: frozenset[str]) -> tuple[str, ...]:
        """None: they are not ours."""
        del needed
        return ()

    @property
    def _name(self) -> str:
        return f"{self._mount}/{self._key}"

    def _id(self, version: int) -> str:
        return f"{self.kind}:{self._name}:v{version}"

    async def _asked(self, what: str, body: Mapping[str, object] | None) -> Mapping[str, object]:
        try:
            if body is None:
                return await self._bao.read(f"{self._mount}/keys/{self._key}")
            path = f"keys/{self._key}/rotate" if what == "rotate" else f"{what}/{self._key}"
            return await self._bao.write(f"{self._mount}/{path}", body)
        except DoorwardError as error:
            raise WrappingError(f"the key-encryption key {self._name} of OpenBao cannot be used: {error}") from error

    def _read(self, answer: Mapping[str, object], what: str) -> Mapping[str, object]:
        data = answer.get("data")
        if not isinstance(data, Mapping):
            raise WrappingError(f"an answer with data was expected from OpenBao to {what} of {self._name}")
        return data


def _text(raw: bytes) -> str:
    return b64encode(raw).decode()


def _seconds(made: object) -> float | None:
    """When a version was made: transit says it in Unix seconds for symmetric keys, in RFC 3339 for others."""
    match made:
        case int():
            return float(made)
        case str():
            try:
                return datetime.fromisoformat(made).timestamp()
            except ValueError:
                return None
        case _:
            return None

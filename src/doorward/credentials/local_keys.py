"""Key-encryption keys that this process holds itself: a few lines of text in a file or in the keyring of the operating system.

A line is 64 hexadecimal characters, then if known when the key was made (RFC 3339); the last line wraps, all open. So `openssl rand -hex 32`
makes a fit text. A key is called by a hash of itself: one that was mistaken for another is noticed before anything is decrypted with it.
"""

import asyncio
import hashlib
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from doorward.config.whole import write_whole
from doorward.credentials.wrapping import Held, KeyLostError, Wrapped, WrappingError
from doorward.domain.moments import rfc3339

KEY_BYTES = 32
_NONCE_BYTES = 12
_MOST = 256
"""Keys in one place: more are no keys of ours."""
_LONGEST = 64 * 1024


class Place(Protocol):
    """Where the text is kept. Raises `WrappingError`, and is bounded in time."""

    def __str__(self) -> str:
        """How an operator finds it."""
        ...

    async def read(self) -> str | None:
        """The whole text; None where there is none, which is not to be mistaken for one that cannot be read."""
        ...

    async def write(self, text: str) -> None:
        """Puts another text in its place, whole and durably or not at all."""
        ...


class FilePlace(msgspec.Struct, frozen=True):
    """A file that its owner alone can read."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    async def read(self) -> str | None:
        """The text of the file."""
        return await asyncio.to_thread(self._read)

    async def write(self, text: str) -> None:
        """Replaces the file."""
        try:
            await asyncio.to_thread(write_whole, self.path, text.encode(), 0o600)
        except OSError as error:
            raise WrappingError(f"{self.path} cannot be written: {error.strerror}") from error

    def _read(self) -> str | None:
        try:
            found = self.path.stat()
            if stat.S_IMODE(found.st_mode) & 0o077:
                raise WrappingError(
                    f"{self.path} must be readable by its owner alone (0600), its mode is {stat.S_IMODE(found.st_mode):04o}"
                )
            if found.st_size > _LONGEST:
                raise WrappingError(f"keys in hexadecimal were expected in {self.path}, it holds {found.st_size} bytes")
            return self.path.read_text("ascii")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            # Without the cause: it may quote what is there.
            raise WrappingError(f"keys in hexadecimal were expected in {self.path}: it cannot be read") from error


@dataclass(frozen=True, slots=True, repr=False)
class _Key:
    raw: bytes
    made: str
    """As the line has it; empty where it does not say."""

    @property
    def name(self) -> str:
        return hashlib.sha256(b"doorward key-encryption key\0" + self.raw).hexdigest()[:16]

    @property
    def line(self) -> str:
        return f"{self.raw.hex()} {self.made}".rstrip() + "\n"


class LocalKeys:
    """The keys of one place (`Wrapping`)."""

    __slots__ = ("_draw", "_kind", "_now", "_place")

    def __init__(self, kind: str, place: Place, draw: Callable[[int], bytes], now: Callable[[], float]) -> None:
        self._kind, self._place = kind, place
        self._draw, self._now = draw, now

    @property
    def kind(self) -> str:
        """`file` or `keyring`."""
        return self._kind

    async def prepare(self) -> None:
        """Makes the first key."""
        if not await self._read():
            await self._write((self._fresh(),))

    async def has(self, key: str) -> bool:
        """Whether it is there."""
        return key in {self._id(one) for one in await self._read()}

    async def held(self) -> tuple[Held, ...]:
        """Every key."""
        return tuple(Held(self._id(key), _seconds(key.made)) for key in await self._read())

    async def wrap(self, key: bytes, context: bytes) -> Wrapped:
        """Under the last key."""
        keys = await self._read()
        if not keys:
            raise WrappingError(f"a key-encryption key was expected in {self._place}, there is none")
        nonce = self._draw(_NONCE_BYTES)
        return Wrapped(self._id(keys[-1]), nonce + AESGCM(keys[-1].raw).encrypt(nonce, key, context))

    async def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """Under the key of its id."""
        keys = {self._id(key): key for key in await self._read()}
        key = keys.get(wrapped.by)
        if key is None:
            there = ", ".join(keys) or "nothing"
            raise KeyLostError(f"the key-encryption key {wrapped.by} was expected in {self._place}, {there} is there")
        try:
            return AESGCM(key.raw).decrypt(wrapped.sealed[:_NONCE_BYTES], wrapped.sealed[_NONCE_BYTES:], context)
        except (InvalidTag, ValueError) as error:
            raise WrappingError(f"a store key that was wrapped by {wrapped.by} was expected, it was altered") from error

    async def rotate(self, used: frozenset[str]) -> None:
        """Adds a key, unless somebody has added one already: an operator where this process may not write, or a rotation that was broken off."""
        keys = await self._read()
        if not keys or self._id(keys[-1]) in used:
            await self._write((*keys, self._fresh()))

    async def retire(self, needed: frozenset[str]) -> tuple[str, ...]:
        """Takes lines out."""
        keys = await self._read()
        gone = tuple(key for key in keys[:-1] if self._id(key) not in needed)
        if gone:
            await self._write(tuple(key for key in keys if key not in gone))
        return tuple(self._id(key) for key in gone)

    def _id(self, key: _Key) -> str:
        return f"{self._kind}:{key.name}"

    def _fresh(self) -> _Key:
        return _Key(self._draw(KEY_BYTES), rfc3339(self._now()))

    async def _read(self) -> tuple[_Key, ...]:
        text = await self._place.read()
        return () if text is None else _parsed(text, str(self._place))

    async def _write(self, keys: tuple[_Key, ...]) -> None:
        await self._place.write("".join(key.line for key in keys))


def _parsed(text: str, place: str) -> tuple[_Key, ...]:
    lines = text.splitlines()
    if not any(lines) or len(lines) > _MOST:
        raise WrappingError(f"1 to {_MOST} keys were expected in {place}, a line each, {len(lines)} lines are there")
    keys = []
    for number, line in enumerate(lines, start=1):
        raw, _, made = line.strip().partition(" ")
        try:
            key = _Key(bytes.fromhex(raw), made.strip())
        except ValueError:
            key = _Key(b"", "")
        if len(key.raw) != KEY_BYTES:
            raise WrappingError(f"{2 * KEY_BYTES} hexadecimal characters were expected in line {number} of {place}")
        keys.append(key)
    return tuple(keys)


def _seconds(made: str) -> float | None:
    try:
        return datetime.fromisoformat(made).timestamp()
    except ValueError:
        return None

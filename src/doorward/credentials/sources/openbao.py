"""Secrets of OpenBao: KV in both versions, and those that are made for whoever asks, with a lease.

https://openbao.org/api-docs/secret/kv/ and https://openbao.org/api-docs/system/leases/ say what is spoken here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import msgspec

from doorward.credentials.sources.bao import Bao, BaoError, Trouble
from doorward.credentials.sources.port import EndedError, Found, GoneError, Loan, SourceError
from doorward.domain.secret import Secret

MOST_NAMES: Final = 1000
"""Names listed below all declared paths together."""
MOST_FIELDS: Final = 100


class _Mount(msgspec.Struct, frozen=True):
    """Where a secrets engine begins, and how it is asked."""

    path: str
    """With a slash at its end."""
    is_versioned: bool
    """KV version 2: `data/` and `metadata/` stand between the mount and the path."""


class OpenBaoSource:
    """Reads places such as `secret/ci` and `database/creds/readonly`."""

    __slots__ = ("_bao", "_listed", "_mounts")

    def __init__(self, bao: Bao, listed: Sequence[str] = ()) -> None:
        self._bao = bao
        self._listed = listed
        self._mounts: dict[str, _Mount] = {}

    async def read(self, place: str) -> Found:
        """The secret at a path; raises `SourceError`."""
        try:
            mount = await self._mount(place)
            # Taken before: what was borrowed while a token was replaced counts as the old one's, and is soon borrowed anew.
            number = self._bao.number
            answer = await self._bao.read(f"{mount.path}data/{place.removeprefix(mount.path)}" if mount.is_versioned else place)
        except BaoError as error:
            raise self._gone_or_not(error) from error
        return self._found(place, mount, answer, number)

    async def names(self) -> Sequence[str]:
        """The KV secrets below the declared paths; raises `SourceError`."""
        try:
            return await self._below([f"{path.rstrip('/')}/" for path in self._listed])
        except BaoError as error:
            raise SourceError(str(error)) from error

    async def _below(self, folders: list[str]) -> Sequence[str]:
        found: list[str] = []
        while folders and len(found) < MOST_NAMES:
            folder = folders.pop()
            keys = await self._keys(folder)
            found += [folder + key for key in keys if not key.endswith("/")]
            folders += [folder + key for key in keys if key.endswith("/")]
        return tuple(sorted(found[:MOST_NAMES]))

    async def upkeep(self) -> None:
        """Keeps the token alive; raises `SourceError`."""
        try:
            await self._bao.upkeep()
        except BaoError as error:
            raise SourceError(str(error)) from error

    async def close(self) -> None:
        """Gives the token back; raises `SourceError`."""
        try:
            await self._bao.close()
        except BaoError as error:
            raise SourceError(str(error)) from error

    async def _mount(self, place: str) -> _Mount:
        known = next((mount for path, mount in self._mounts.items() if place.startswith(path)), None)
        if known is not None:
            return known
        try:
            data = _mapping(await self._bao.read(f"sys/internal/ui/mounts/{place}"), "data")
        except BaoError as error:
            if error.trouble is Trouble.DENIED:
                raise BaoError(Trouble.DENIED, f"OpenBao denies {place} to this gateway, or has no mount for it") from error
            raise
        path, options = data.get("path"), data.get("options")
        if not isinstance(path, str) or not place.startswith(path):
            raise BaoError(Trouble.FAILED, f"expected the mount of {place}, OpenBao named another")
        is_versioned = data.get("type") == "kv" and isinstance(options, Mapping) and options.get("version") == "2"
        mount = self._mounts[path] = _Mount(path, is_versioned)
        return mount

    async def _keys(self, folder: str) -> Sequence[str]:
        mount = await self._mount(folder)
        path = f"{mount.path}metadata/{folder.removeprefix(mount.path)}" if mount.is_versioned else folder
        try:
            keys = _mapping(await self._bao.read(path.rstrip("/"), "list=true"), "data").get("keys")
        except BaoError as error:
            if error.trouble is Trouble.MISSING:
                return ()
            raise
        return [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else ()

    def _gone_or_not(self, error: BaoError) -> SourceError:
        if error.trouble not in {Trouble.MISSING, Trouble.DENIED}:
            return SourceError(str(error))
        # Mounts are moved and upgraded, too: the next reading looks for them.
        self._mounts.clear()
        return GoneError(str(error))

    def _found(self, place: str, mount: _Mount, answer: Mapping[str, object], number: int) -> Found:
        data = _mapping(answer, "data")
        if mount.is_versioned:
            metadata = _mapping(data, "metadata")
            return Found(_texts(_mapping(data, "data"), place), str(metadata.get("version", "")), _moment(metadata.get("created_time")))
        lease, seconds = answer.get("lease_id"), answer.get("lease_duration")
        if not isinstance(lease, str) or not lease:
            return Found(_texts(data, place))
        if not isinstance(seconds, int) or seconds <= 0:
            raise SourceError(f"expected a lease with a length for {place}, OpenBao said none")
        loan = Loan(
            id=lease,
            seconds=float(seconds),
            is_renewable=answer.get("renewable") is True,
            renew=partial(self._renewed, lease, place),
            revoke=partial(self._revoke, lease, place),
            is_sound=lambda: self._bao.number == number,
        )
        return Found(_texts(data, place), version=lease, loan=loan)

    async def _renewed(self, lease: str, place: str) -> float:
        try:
            answer = await self._bao.write("sys/leases/renew", {"lease_id": lease})
        except BaoError as error:
            if error.trouble in {Trouble.REFUSED, Trouble.DENIED, Trouble.MISSING}:
                raise EndedError(f"the lease of {place} has ended, or cannot be renewed") from error
            raise SourceError(f"the lease of {place} was not renewed: {error}") from error
        seconds = answer.get("lease_duration")
        return float(seconds) if isinstance(seconds, int) else 0.0

    async def _revoke(self, lease: str, place: str) -> None:
        try:
            await self._bao.write("sys/leases/revoke", {"lease_id": lease, "sync": True})
        except BaoError as error:
            if error.trouble is Trouble.REFUSED:
                return  # it has ended by itself
            raise SourceError(f"the lease of {place} was not given back: {error}") from error


def _mapping(answer: Mapping[str, object], field: str) -> Mapping[str, object]:
    found = answer.get(field)
    if not isinstance(found, Mapping):
        raise SourceError(f"expected the object {field!r} in an answer of OpenBao, there was none")
    return found


def _texts(data: Mapping[str, object], place: str) -> Mapping[str, Secret]:
    """The fields that are texts, or numbers as KV stores ports; others cannot be referred to."""
    if len(data) > MOST_FIELDS:
        raise SourceError(f"expected at most {MOST_FIELDS} fields at {place}")
    plain = {name: value for name, value in data.items() if isinstance(value, str | int) and not isinstance(value, bool)}
    return {name: Secret(str(value)) for name, value in plain.items()}


def _moment(text: object) -> float | None:
    """A time of RFC 3339 as Unix seconds."""
    try:
        return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else None
    except ValueError:
        return None

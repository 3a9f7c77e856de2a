"""Sources as a document declares them, opened; one whose declaration stays is the same source still."""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, assert_never, cast

import msgspec

from doorward.config.check_secrets import GROUP
from doorward.config.references import Resolver
from doorward.config.secrets import AppRoleAuth, Auth, JwtAuth, KubernetesAuth, OpenBao, Secrets, TokenAuth
from doorward.credentials.sources.bao import Bao, Place, Seen
from doorward.credentials.sources.custody import Kept
from doorward.credentials.sources.keyring import Get, KeyringSource
from doorward.credentials.sources.logins import AppRoleLogin, JwtLogin, Login, TokenLogin
from doorward.credentials.sources.openbao import OpenBaoSource
from doorward.credentials.sources.port import Opener, SourceError
from doorward.net.addresses import Reach, Rule
from doorward.net.fetch import Caps, Fetch

REFRESH_SECONDS: Final = 60.0
"""How old a secret of the keyring, or of a source of others, may get before it is looked at again."""

CAPS: Final = Caps(body_bytes=2**20, seconds=5.0)


class Ground(msgspec.Struct, frozen=True):
    """What sources are opened with."""

    root: Path
    """What relative paths of the document are relative to."""
    resolver: Resolver
    """Reads variables and files, for what sources themselves are opened with."""
    monotonic: Callable[[], float]
    seen: Seen
    keyring: Get
    """`keyring.get_password` of the package, which is imported when it is first asked."""


def opened(declared: Secrets, ground: Ground, before: Mapping[str, Kept]) -> Mapping[str, Kept]:
    """The sources of a document by their scheme; raises a `DoorwardError` where one cannot be opened, with nothing left open."""
    sources = {"keyring": before.get("keyring") or Kept(KeyringSource(ground.keyring), REFRESH_SECONDS, None)}
    if declared.openbao is not None:
        sources["openbao"] = _same(before, "openbao", declared.openbao) or _openbao(declared.openbao, ground)
    for scheme, settings in declared.sources.items():
        sources[scheme] = _same(before, scheme, settings) or _of_others(scheme, settings, ground)
    return sources


def bao_of(declared: OpenBao, ground: Ground) -> Bao:
    """A client of the OpenBao that a document declares; raises `NetError` where its authorities cannot be read."""
    rule = Rule(Reach.PRIVATE if declared.private else Reach.PUBLIC, frozenset({"https", "http"} if declared.plain_http else {"https"}))
    ca_file = None if declared.ca_file is None else str(ground.root / declared.ca_file)
    place = Place(declared.address.rstrip("/"), declared.namespace or "")
    return Bao(place, _login(declared.auth, ground.resolver), Fetch(rule, ca_file=ca_file, caps=CAPS), ground.monotonic, ground.seen)


def _openbao(declared: OpenBao, ground: Ground) -> Kept:
    return Kept(OpenBaoSource(bao_of(declared, ground), declared.listed), declared.refresh_seconds, declared)


def _login(auth: Auth, resolver: Resolver) -> Login:
    match auth:
        case TokenAuth(token=token):
            return TokenLogin(token, resolver.resolve)
        case AppRoleAuth(mount=mount, role_id=role, secret_id=secret):
            return AppRoleLogin(mount, role, secret, resolver.resolve)
        case JwtAuth(mount=mount, role=role, token=token) | KubernetesAuth(mount=mount, role=role, token=token):
            return JwtLogin(mount, role, token, resolver.resolve)
        case _:
            assert_never(auth)


def _of_others(scheme: str, settings: Mapping[str, str], ground: Ground) -> Kept:
    found = tuple(entry_points(group=GROUP, name=scheme))
    if len(found) != 1:
        raise SourceError(f"expected one installed package that brings the source {scheme}, there are {len(found)}")
    opener = cast(Opener, found[0].load())
    return Kept(opener({name: ground.resolver.resolve(text) for name, text in settings.items()}), REFRESH_SECONDS, settings)


def _same(before: Mapping[str, Kept], scheme: str, declared: object) -> Kept | None:
    kept = before.get(scheme)
    return kept if kept is not None and kept.declared == declared else None

"""How a client of OpenBao shows who it is: a token from a file, AppRole, or a signed token (JWT, Kubernetes)."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from doorward.domain.secret import Secret


class Request(msgspec.Struct, frozen=True):
    """What is posted where, to be given a token."""

    path: str
    fields: tuple[tuple[str, Secret], ...]
    named: tuple[tuple[str, str], ...] = ()
    """Fields that are no secrets: names, which stand in honest texts too."""

    def body(self) -> Mapping[str, str]:
        """The fields in clear, for the request alone."""
        return {**dict(self.named), **{name: value.reveal() for name, value in self.fields}}


class Login(Protocol):
    """One way to sign in."""

    def request(self) -> Request | Secret:
        """What to post, or the token itself; read anew each time, for both are rotated. Raises a `DoorwardError` that names no value."""
        ...


Resolve = Callable[[str], Secret]
"""Reads a text with references to the environment and to files; raises a `DoorwardError`."""


class TokenLogin(msgspec.Struct, frozen=True):
    """A token that somebody else made and keeps in a file or variable."""

    token: str
    resolve: Resolve

    def request(self) -> Secret:
        """The token as it is now."""
        return Secret(self.resolve(self.token).reveal().strip())


class AppRoleLogin(msgspec.Struct, frozen=True):
    """A role id and a secret id (auth method `approle`)."""

    mount: str
    role_id: str
    secret_id: str
    resolve: Resolve

    def request(self) -> Request:
        """Both ids as they are now."""
        fields = (("role_id", self.resolve(self.role_id)), ("secret_id", self.resolve(self.secret_id)))
        return Request(f"auth/{self.mount}/login", fields)


class JwtLogin(msgspec.Struct, frozen=True):
    """A role and a signed token that says who this process is (auth methods `jwt` and `kubernetes`)."""

    mount: str
    role: str
    token: str
    resolve: Resolve

    def request(self) -> Request:
        """The role, and the token as it is now: Kubernetes renews its file every hour or so."""
        token = Secret(self.resolve(self.token).reveal().strip())
        return Request(f"auth/{self.mount}/login", (("jwt", token),), (("role", self.role),))

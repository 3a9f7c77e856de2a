"""Where secrets are kept besides the gateway's own environment and files, and what is said of those that are old or unused."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from doorward.config.part import Part, Reference

Mount = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*$", max_length=128)]
Scheme = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$", max_length=32)]


class TokenAuth(Part):
    """A token that somebody else makes and keeps alive or replaces."""

    kind: Literal["token"] = Field(description="A token from a file or variable")
    token: Reference = Field(description="A reference to it, such as `${file:/run/openbao/token}`; read anew when it was refused")


class AppRoleAuth(Part):
    """A role id and a secret id."""

    kind: Literal["approle"] = Field(description="AppRole")
    mount: Mount = Field("approle", description="Where the method is mounted")
    role_id: Reference = Field(min_length=1, description="The role id; it may be a reference")
    secret_id: Reference = Field(description="A reference to the secret id")


class JwtAuth(Part):
    """A signed token that says who this process is."""

    kind: Literal["jwt"] = Field(description="A JWT, such as of a CI system or SPIFFE")
    mount: Mount = Field("jwt", description="Where the method is mounted")
    role: str = Field(min_length=1, max_length=256, description="The role to sign in as")
    token: Reference = Field(description="A reference to the token; read anew at each sign-in")


class KubernetesAuth(Part):
    """The service account of the pod."""

    kind: Literal["kubernetes"] = Field(description="The service account of a pod")
    mount: Mount = Field("kubernetes", description="Where the method is mounted")
    role: str = Field(min_length=1, max_length=256, description="The role to sign in as")
    token: Reference = Field(
        "${file:/var/run/secrets/kubernetes.io/serviceaccount/token}", description="Its token; read anew at each sign-in"
    )


Auth = Annotated[TokenAuth | AppRoleAuth | JwtAuth | KubernetesAuth, Field(discriminator="kind")]

SECRETS: Mapping[type[Part], tuple[str, ...]] = {
    TokenAuth: ("token",),
    AppRoleAuth: ("role_id", "secret_id"),
    JwtAuth: ("token",),
    KubernetesAuth: ("token",),
}
"""Fields whose texts hold references; of these, only references are told."""


class OpenBao(Part):
    """An OpenBao, or a Vault: what `${openbao:path#field}` is read from."""

    address: str = Field(description="Scheme, host and port, such as `https://bao.example.com:8200`")
    auth: Auth = Field(description="How this gateway signs in there")
    namespace: str | None = Field(None, min_length=1, max_length=256, description="The namespace that paths are in")
    ca_file: str | None = Field(None, description="The only authorities (PEM) it is trusted by, instead of the system's")
    private: bool = Field(False, description="The address may be loopback, private or otherwise special-use")
    plain_http: bool = Field(False, description="http instead of https is meant")
    refresh_seconds: float = Field(60, ge=1, le=86400, description="How old a secret without a lease may get before it is looked at again")
    listed: tuple[Mount, ...] = Field(
        (), max_length=64, description="Paths of KV, such as `secret/doorward`, below which secrets that nothing refers to are named"
    )


class Secrets(Part):
    """Sources of secrets, and what is watched of them."""

    openbao: OpenBao | None = Field(None, description="What `${openbao:path#field}` is read from")
    sources: dict[Scheme, dict[str, Reference]] = Field(
        default_factory=dict,
        description="Sources of other packages by their scheme (entry points of the group `doorward.secret_sources`), each with its own settings; "
        "none is loaded that does not stand here",
    )
    directories: tuple[str, ...] = Field(
        (), max_length=64, description="Directories of secrets, relative to the document; files in them that nothing refers to are named"
    )
    rotate_after_days: int | None = Field(None, ge=1, le=3650, description="How old a secret may get before it is warned of")

"""With which credential an upstream is met: one way each, told apart by `kind`."""

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field

from doorward.config.part import Part, Reference

_USUAL = "header"


class NoCredential(Part):
    """The upstream is shown none."""

    kind: Literal["none"] = Field(description="No credential")


class HeaderCredential(Part):
    """A static secret in a header of each request (HTTP only)."""

    kind: Literal["header"] = Field("header", description="A static secret in a header; what is meant where no kind is said")
    header: str = Field("Authorization", pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", description="The header that carries it")
    value: Reference = Field(description="The header's text with a reference in it, such as `Bearer ${env:GITHUB_TOKEN}`")


class BasicCredential(Part):
    """A user name and a password in each request (RFC 7617)."""

    kind: Literal["basic"] = Field(description="HTTP Basic")
    username: Reference = Field(min_length=1, description="The user name; it may be a reference, or hold one")
    password: Reference = Field(description="A reference to the password, such as `${file:secrets/ci-password}`")


def _with_kind(value: object) -> object:
    """A credential without a kind is a header: that is the one that most have."""
    return {"kind": _USUAL, **value} if isinstance(value, Mapping) and "kind" not in value else value


_Kinds = NoCredential | HeaderCredential | BasicCredential

PARTS: tuple[type[Part], ...] = get_args(_Kinds)
"""Every kind there is."""

SECRETS: dict[type[Part], tuple[str, ...]] = {
    NoCredential: (),
    HeaderCredential: ("value",),
    BasicCredential: ("username", "password"),
}
"""Of each kind, the fields whose texts hold references to secrets: of these nothing else is ever told."""

Credential = Annotated[
    Annotated[_Kinds, Field(discriminator="kind")],
    BeforeValidator(_with_kind, json_schema_input_type=Annotated[_Kinds, Field(discriminator="kind")]),
]

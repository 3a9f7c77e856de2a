"""Credentials of upstreams that are the same for everybody, and need nobody but us."""

from typing import Literal

from pydantic import Field

from doorward.config.part import Part, Reference


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


class AssertionCredential(Part):
    """A token that Doorward signs for each call: it says who calls what, for whom, and is verified with Doorward's public keys (HTTP only)."""

    kind: Literal["assertion"] = Field(description="A signed assertion about each call")
    header: str = Field(
        "Authorization", pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", description="The header that carries it; in `Authorization` as `Bearer`"
    )
    audience: str | None = Field(None, min_length=1, max_length=2048, description="For whom it is (`aud`); default: the upstream's URL")
    seconds: int = Field(60, ge=5, le=300, description="How long it is valid")

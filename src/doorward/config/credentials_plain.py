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

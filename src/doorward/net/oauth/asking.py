"""Asking a token endpoint (RFC 6749): how a client's secret is shown, and what of an error may be repeated."""

import re
from base64 import b64encode
from collections.abc import Container, Mapping
from typing import Final
from urllib.parse import quote_plus

from doorward.domain.secret import Secret

FORM: Final = (("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json"))
"""The headers of every token request."""

BASIC: Final = "client_secret_basic"
POST: Final = "client_secret_post"
CLIENT_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""The `client_assertion_type` of a client that signs (RFC 7523 §2.2)."""

_ERROR: Final = re.compile(r"[a-z_]{1,60}")


def basic(client: str, secret: Secret) -> str:
    """Client id and secret as RFC 6749 2.3.1 writes them: form-encoded, then as HTTP Basic."""
    return "Basic " + b64encode(f"{quote_plus(client)}:{quote_plus(secret.reveal())}".encode()).decode()


def shown_by(taken: Container[str]) -> str | None:
    """How a client's secret is shown to a server that takes these ways: in the header if it can be (RFC 6749 §2.3.1); None for no way of ours."""
    return next((way for way in (BASIC, POST) if way in taken), None)


def error_code(said: Mapping[str, object]) -> str:
    """The error of an answer (§5.2) by its code alone: descriptions may repeat what was sent."""
    error = said.get("error")
    return error if isinstance(error, str) and _ERROR.fullmatch(error) else "no error that is known"

"""The `Authorization` header of a request (RFC 6750 §2.1): one bearer token, or none that we understand."""

import re

_SCHEME = "bearer "
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_LONGEST = 8192
"""Characters; half of what all headers of a request may take."""


def token(authorization: str) -> str | None:
    """The token of `Bearer <b64token>`, scheme in any case; None for another scheme, two credentials or a broken header."""
    if len(authorization) > _LONGEST or authorization[: len(_SCHEME)].lower() != _SCHEME:
        return None
    text = authorization[len(_SCHEME) :].lstrip(" ")
    return text if _TOKEN.fullmatch(text) else None


def is_bearer(authorization: str) -> bool:
    """Whether the header means to be a bearer token, well-formed or not."""
    return authorization[: len(_SCHEME)].lower().rstrip(" ") == _SCHEME.rstrip(" ")

"""Parameters as OAuth takes them from a query or a form (RFC 6749 §3.1, §3.2, appendix B): each once, or the request is refused."""

import re
from urllib.parse import parse_qsl

from starlette.requests import Request

from doorward.identity.authority.port import OAuthError

FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 64
_HALF_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})")


def fields(encoded: str) -> dict[str, str]:
    """The parameters of a query or form, those without a value left out; raises `OAuthError` for one that can be read in two ways."""
    if not encoded.isascii() or _HALF_ENCODED.search(encoded):
        raise OAuthError("invalid_request", "the parameters are not well-formed")
    try:
        # Blank ones are kept until duplicates have been looked for.
        pairs = parse_qsl(encoded, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise OAuthError("invalid_request", "the parameters are not well-formed") from error
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise OAuthError("invalid_request", "a parameter is there more than once")
        found[name] = value
    return {name: value for name, value in found.items() if value}


def query(request: Request) -> dict[str, str]:
    """The parameters of the URL; raises `OAuthError`."""
    return fields(written(request))


def written(request: Request) -> str:
    """The query as it was sent."""
    raw: bytes = request.scope["query_string"]
    return raw.decode("latin-1")


async def form(request: Request) -> dict[str, str]:
    """The parameters of a posted form; raises `OAuthError` for another content type, or a query beside it."""
    expect(request, FORM)
    if request.scope["query_string"]:
        # RFC 6749 §3.2: credentials in a URL end up in logs.
        raise OAuthError("invalid_request", "parameters belong in the body")
    return fields((await request.body()).decode("latin-1"))


def expect(request: Request, content_type: str) -> None:
    """Raises `OAuthError` 415 for a body of another type."""
    said = single(request, "content-type") or ""
    if said.partition(";")[0].strip().lower() != content_type:
        raise OAuthError("invalid_request", f"the content type must be {content_type}", 415)


def single(request: Request, name: str) -> str | None:
    """The value of a header that may be there once; raises `OAuthError` where it is there twice."""
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise OAuthError("invalid_request", f"the header {name} must not be repeated")
    return values[0] if values else None

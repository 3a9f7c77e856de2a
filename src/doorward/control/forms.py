"""What a browser's form or a signed message carries: bounded before it is read, each field once."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from doorward.control.routes import ControlError

_FIELDS = 16


async def body_of(request: Request, most_bytes: int) -> bytes:
    """The whole body; raises `ControlError` 413 as soon as it is more."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most_bytes:
            raise ControlError(413, "too_large", f"expected at most {most_bytes} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def fields_of(raw: bytes) -> dict[str, str]:
    """The fields of a form, each once; raises `ControlError`."""
    try:
        given = parse_qsl(raw.decode("utf-8", "replace"), max_num_fields=_FIELDS)
    except ValueError as error:
        raise ControlError(400, "invalid_body", f"at most {_FIELDS} fields were expected") from error
    if len(dict(given)) != len(given):
        raise ControlError(400, "invalid_body", "each field was expected once")
    return dict(given)


def address_of(request: Request) -> str:
    """Where a request comes from, as the listener sees it."""
    return request.client.host if request.client is not None else "unknown"

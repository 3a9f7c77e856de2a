"""An HTTP/1.1 response as a value (RFC 9112): bytes in, a bounded response out; no socket, no clock."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

import msgspec
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from doorward.domain.clipping import clipped
from doorward.domain.reasons import Ran
from doorward.net.again import Same, same
from doorward.net.errors import NetError, Trouble


class Limits(msgspec.Struct, frozen=True):
    """How much of an answer is taken in before it is given up."""

    head_bytes: int = 16 * 1024
    headers: int = 100
    body_bytes: int = 4 * 2**20
    """Of a body that is collected; one that streams is bounded by its reader."""
    interim: int = 8
    """Responses of status 1xx before the real one."""


LIMITS: Final = Limits()


class Stage(Enum):
    """How far the current response has been read."""

    IDLE = 0
    HEAD = 1
    BODY = 2
    DONE = 3


_IDLE, _HEAD, _BODY, _DONE = Stage
EVENT_STREAM: Final = b"text/event-stream"
_JSON: Final = b"application/json"
_READ_EACH_TIME: Final = (b"connection", b"transfer-encoding", b"upgrade")
"""Headers that say how to go on with the connection."""


def media_type(value: bytes) -> bytes:
    """The type of a `Content-Type` without parameters, in lower case."""
    return value.partition(b";")[0].strip().lower()


class Reader:
    """Collects one response after the other. `begin` says that one is due; anything that comes unasked is an error."""

    __slots__ = (
        "_again",
        "_fields",
        "_first",
        "_head_bytes",
        "_interim",
        "_is_soiled",
        "_known",
        "_left",
        "_limits",
        "_parser",
        "_quiet_bytes",
        "chunks",
        "headers",
        "is_kept",
        "is_stream",
        "size",
        "stage",
        "status",
        "until_end",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser = HttpResponseParser(self)
        self._again: Same | None = None
        """How the head is known that came last."""
        self._known: tuple[int, Mapping[bytes, bytes]] = (0, {})
        """The status and the headers that it stands for."""
        self._first = b""
        """The first piece of a response that is being read."""
        self._left = 0
        """Bytes that are still to come of a body whose head was known."""
        self.headers: Mapping[bytes, bytes] = {}
        """Names in lower case; the values of a repeated header joined by comma and space."""
        self._is_soiled = True
        """Whether there is anything left of the response before."""
        self.begin()
        self.stage = _IDLE
        self.status = 0
        self.is_stream = False
        self.is_kept = False
        """Whether the connection may carry another exchange; known once the stage is DONE."""
        self.until_end = False
        """The body has no length of its own: it ends with the connection."""

    def begin(self) -> None:
        """Makes ready for the response to a request that is being sent."""
        self.stage = _HEAD
        if self._is_soiled:
            self._clean()

    def whole(self, octets: bytes) -> bytes | None:
        """The body of a response that came in one piece, with a head that came last time as well: then nothing else has to be done.

        None, and nothing is taken in, for all others, which are for `feed`.
        """
        known = self._again
        if known is None or self.stage is not _HEAD or self._is_soiled:
            return None
        body = known.body(octets)
        if body is None or len(body) > self._limits.body_bytes:
            return None
        self.status, self.headers = self._said(known, len(body))
        self.stage, self.is_kept = _IDLE, True
        return body

    def _said(self, known: Same, length: int) -> tuple[int, Mapping[bytes, bytes]]:
        """The status and the headers that a known head stands for, where the body is so long."""
        digits = b"%d" % length
        status, headers = self._known
        return self._known if digits == known.digits else (status, {**headers, b"content-length": digits})

    def _clean(self) -> None:
        self._is_soiled = False
        self._fields: dict[bytes, bytes] = {}
        self.chunks: list[bytes] = []
        self.size = 0
        self._head_bytes = 0
        self._quiet_bytes = 0
        self._interim = 0

    def feed(self, octets: bytes) -> None:
        """Takes in what came; raises NetError, after which the reader is of no more use."""
        self._is_soiled = True
        if self._left:
            self._take(octets)
        elif self.stage is not _HEAD:
            self._feed_body(octets)
        elif self._head_bytes == 0:
            self._feed_first(octets)
        else:
            self._feed_head(octets)

    @property
    def has_begun(self) -> bool:
        """Whether any byte of the response has come."""
        return self._head_bytes > 0

    def end(self) -> bool:
        """Whether the response is whole now that the connection has ended."""
        if self.stage is _BODY and self.until_end:
            self.stage = _DONE
            self.is_kept = False
        return self.stage is _DONE

    def _feed_first(self, octets: bytes) -> None:
        """Feeds the first piece of a response; a head that came last time as well is not read again, nor is the body behind it."""
        known, place = self._again, None if self._again is None else self._again.found(octets)
        if known is None or place is None or place[1] > self._limits.body_bytes or len(octets) > sum(place):
            self._first = octets
            self._feed_head(octets)
            return
        start, length = place
        self.status, self.headers = self._said(known, length)
        self.is_stream = self.until_end = False
        self._head_bytes, self._left, self.stage = start, length, _BODY
        self._take(octets[start:])

    def _take(self, octets: bytes) -> None:
        """A piece of a body whose head was known. INVARIANT: the parser has seen nothing of this response."""
        self._left -= len(octets)
        if self._left < 0:
            raise _broken(Trouble.GARBAGE, "no further response was expected")
        if octets:
            self.chunks.append(octets)
            self.size += len(octets)
        if not self._left:
            self.stage, self.is_kept = _DONE, True

    def _feed_head(self, octets: bytes) -> None:
        if self._head_bytes + len(octets) > self._limits.head_bytes:
            self._feed_carefully(octets)
        else:
            self._head_bytes += len(octets)
            self._parse(octets)

    def _note(self) -> None:
        """Notes the head of a response that is whole, to know it when it comes again; not of one that says a length and has no body."""
        is_plain = self.is_kept and not self.is_stream and not self._interim and self._fields.keys().isdisjoint(_READ_EACH_TIME)
        if is_plain and self._fields.get(b"content-length") == b"%d" % self.size:
            self._again = same(self._first, self._fields, self._limits.head_bytes)
            self._known = self.status, self._fields
        self._first = b""

    def _feed_carefully(self, octets: bytes) -> None:
        """Feeds no more than the head may hold first, so that an endless header is never held in memory."""
        room = max(0, self._limits.head_bytes - self._head_bytes)
        self._head_bytes = self._limits.head_bytes
        self._parse(octets[:room])
        if self.stage is _HEAD:
            raise _broken(Trouble.OVERSIZE, f"a response head of at most {self._limits.head_bytes} bytes was expected")
        self._parse(octets[room:])

    def _feed_body(self, octets: bytes) -> None:
        """Feeds a body; what is no body (trailers, chunk extensions) is bounded like a head, for the parser holds it until it ends."""
        size = self.size
        self._parse(octets)
        self._quiet_bytes = 0 if self.size > size else self._quiet_bytes + len(octets)
        if self._quiet_bytes > self._limits.head_bytes:
            raise _broken(Trouble.OVERSIZE, f"trailers of at most {self._limits.head_bytes} bytes were expected")

    def _parse(self, octets: bytes) -> None:
        try:
            self._parser.feed_data(octets)
        except HttpParserUpgrade as error:
            raise _broken(Trouble.GARBAGE, "an HTTP/1.1 response was expected, not an upgrade") from error
        except HttpParserError as error:
            if isinstance(error.__context__, NetError):
                raise error.__context__ from None
            raise _broken(Trouble.GARBAGE, f"an HTTP/1.1 response was expected: {clipped(str(error), 120).lower()}") from error

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A response begins; one is due only in stage HEAD."""
        if self.stage is not _HEAD:
            raise _broken(Trouble.GARBAGE, "no further response was expected")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; a trailer, which comes after the body, is left."""
        if self.stage is not _HEAD:
            return
        headers = self._fields
        name = name.lower()
        headers[name] = headers[name] + b", " + value if name in headers else value

    def on_headers_complete(self) -> None:
        """The head is whole: what kind of body follows is decided here."""
        self.status = status = self._parser.get_status_code()
        if 100 <= status < 200:
            self._skip_interim()
            return
        headers = self.headers = self._fields
        if not 200 <= status < 600:
            raise _broken(Trouble.GARBAGE, f"a status from 200 to 599 was expected, not {status}")
        if len(headers) > self._limits.headers:
            raise _broken(Trouble.OVERSIZE, f"at most {self._limits.headers} headers were expected")
        if b"content-encoding" in headers and headers[b"content-encoding"].lower() != b"identity":
            raise _broken(Trouble.ENCODED, "a body without content coding was expected")
        kind = headers.get(b"content-type", _JSON)
        self.is_stream = kind != _JSON and media_type(kind) == EVENT_STREAM
        if self.is_stream:
            self._first = b""
        length = headers.get(b"content-length")
        if length is not None:
            self.until_end = False
            self._check_length(length)
        else:
            self._check_coding(headers.get(b"transfer-encoding"))
        self.stage = _BODY

    def _check_length(self, length: bytes) -> None:
        if int(length) > self._limits.body_bytes and not self.is_stream:
            raise self._too_big()

    def _check_coding(self, coding: bytes | None) -> None:
        self.until_end = coding is None
        if coding is not None and coding.lower() != b"chunked":
            raise _broken(Trouble.GARBAGE, "no transfer coding but `chunked` was expected")

    def _skip_interim(self) -> None:
        self._interim += 1
        self._fields.clear()
        if self._interim > self._limits.interim:
            raise _broken(Trouble.GARBAGE, f"at most {self._limits.interim} interim responses were expected")

    def on_body(self, octets: bytes) -> None:
        """A piece of the body."""
        self.chunks.append(octets)
        self.size += len(octets)
        if self.size > self._limits.body_bytes and not self.is_stream:
            raise self._too_big()

    def on_message_complete(self) -> None:
        """The response is whole, unless it was an interim one."""
        if self.stage is _BODY:
            self.stage = _DONE
            self.is_kept = self._parser.should_keep_alive()
            self._note()

    def _too_big(self) -> NetError:
        return _broken(Trouble.OVERSIZE, f"an answer of at most {self._limits.body_bytes} bytes was expected")


def _broken(trouble: Trouble, message: str) -> NetError:
    return NetError(trouble, message, Ran.MAYBE)

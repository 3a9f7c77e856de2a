"""One signed message to a service (Standard Webhooks 1.0): the way out, the headers, and what counts as taken."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from doorward.approval.channels.signature import KeyFormError, Message, key_of, sign
from doorward.domain.errors import DoorwardError
from doorward.domain.moments import rfc3339
from doorward.domain.secret import Secret
from doorward.net.errors import NetError
from doorward.net.fetch import Fetched
from doorward.net.http import Headers


class PostError(DoorwardError):
    """A message that a service did not take; the message is for operators and holds no secret."""

    def __init__(self, message: str, status: int | None = None) -> None:
        """`status`: what the service answered; None where it did not."""
        super().__init__(message)
        self.status = status


class Post(Protocol):
    """The way out (`net.fetch.Fetch`): to checked addresses alone, following nothing, bounded in time and size."""

    async def post(self, url: str, body: bytes, headers: Headers = ()) -> Fetched:
        """The answer; raises `NetError`."""
        ...


class SignedPost(msgspec.Struct, frozen=True):
    """Where messages go, and what signs them."""

    url: str
    secret: Callable[[], Secret]
    """Read anew at each use; raises a `DoorwardError`."""
    out: Post
    now: Callable[[], float]

    async def send(self, kind: str, message_id: str, fields: Mapping[str, object]) -> int:
        """The status of the answer, which is 2xx; raises `PostError` for any other, and for none."""
        now = self.now()
        body = msgspec.json.encode({"type": kind, "timestamp": rfc3339(now), "data": fields})
        message = Message(message_id, str(int(now)), body)
        headers = (
            ("Content-Type", "application/json"),
            ("webhook-id", message.id),
            ("webhook-timestamp", message.timestamp),
            ("webhook-signature", sign(self._key(), message)),
        )
        try:
            answer = await self.out.post(self.url, body, headers)
        except NetError as error:
            raise PostError(f"{error.trouble}: {error}") from error
        if not 200 <= answer.status < 300:
            raise PostError(f"expected a status of 2xx, got {answer.status}", answer.status)
        return answer.status

    def _key(self) -> bytes:
        try:
            return key_of(self.secret().reveal())
        except KeyFormError as error:
            raise PostError(f"its secret: {error}") from None
        except DoorwardError as error:
            raise PostError(f"its secret cannot be read: {error}") from error

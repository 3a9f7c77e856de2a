"""The two ways out: a signed webhook (Standard Webhooks 1.0), and a syslog message with structured data (RFC 5424)."""

import os
import socket
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from doorward.approval.channels.signed_post import PostError, SignedPost
from doorward.config.alerts import Alerts, AlertWebhook
from doorward.domain.secret import Secret
from doorward.net.addresses import Reach, Rule
from doorward.net.errors import NetError
from doorward.net.fetch import Caps, Fetch
from doorward.net.syslog import Server
from doorward.runtime.alerts.letter import Letter
from doorward.runtime.alerts.sink import Sink, SinkError, TurnedDownError

ELEMENT: Final = "doorward@32473"
"""The name of the structured data; 32473 is the number that RFC 5612 sets aside for those who have none."""
MESSAGE_BYTES: Final = 2048
"""What every receiver should take (RFC 5424 section 6.1)."""
_PRIORITY: Final = 13 * 8 + 4
"""Facility *log audit*, severity *warning* (RFC 5424 section 6.2.1)."""
_ANSWER_BYTES: Final = 16_384
_ESCAPED: Final = str.maketrans({'"': '\\"', "\\": "\\\\", "]": "\\]"})


class WebhookSink(msgspec.Struct, frozen=True):
    """One service, as `alerts.webhooks` declares it."""

    name: str
    post: SignedPost

    async def deliver(self, letter: Letter) -> str:
        """Sends `alert.<kind>`; raises `SinkError` unless the service says 2xx."""
        fields = {
            "sentence": letter.sentence,
            "about": letter.key,
            "count": letter.count,
            "reference": letter.reference,
            "raised_at": letter.time,
            "fields": letter.fields,
        }
        try:
            return str(await self.post.send(f"alert.{letter.kind}", f"alert_{letter.id}", fields))
        except PostError as error:
            raise (SinkError if error.status is None else TurnedDownError)(str(error)) from error


class SyslogSink(msgspec.Struct, frozen=True):
    """One syslog server, as `alerts.syslog` declares it."""

    server: Server

    @property
    def name(self) -> str:
        """Protocol and address."""
        return f"syslog {self.server}"

    async def deliver(self, letter: Letter) -> str:
        """Sends one message; raises `SinkError` where it is known not to have arrived."""
        try:
            await self.server.send(message(letter, socket.gethostname(), os.getpid()))
        except NetError as error:
            raise SinkError(f"{error.trouble}: {error}") from error
        return "sent"


def sinks(declared: Alerts, secret: Callable[[str], Secret], now: Callable[[], float]) -> tuple[Sink, ...]:
    """Everything that a configuration declares, in its order. `secret`: what a reference leads to, read at each use."""
    hooks = (_webhook(name, rules, secret, now) for name, rules in declared.webhooks.items())
    servers = (SyslogSink(Server(one.host, one.port, one.protocol)) for one in declared.syslog)
    return (*hooks, *servers)


def message(letter: Letter, host: str, process: int) -> bytes:
    """A letter as one syslog message of at most `MESSAGE_BYTES`."""
    head = f"<{_PRIORITY}>1 {letter.time} {_word(host)} doorward {process} alert [{ELEMENT}{''.join(_params(letter))}] "
    # A text that is not ASCII says so with a byte order mark (section 6.4).
    text = letter.sentence if letter.sentence.isascii() else f"\ufeff{letter.sentence}"
    return f"{head}{text}".encode()[:MESSAGE_BYTES].decode(errors="ignore").encode()


def _params(letter: Letter) -> Iterator[str]:
    """The structured data: what finds the receipt comes first, and what of the fields is left out is the end."""
    given = {
        "kind": letter.kind,
        "id": letter.id,
        "reference": letter.reference,
        "about": letter.key,
        "count": letter.count,
        **letter.fields,
    }
    room = MESSAGE_BYTES // 2
    for name, value in given.items():
        text = f' {_word(name)}="{str(value).translate(_ESCAPED)}"'
        room -= len(text.encode())
        if room >= 0:
            yield text


def _word(text: str) -> str:
    """A name as section 6.3.3 has it: visible ASCII without what parts names."""
    return "".join(letter if "!" <= letter <= "~" and letter not in '="]' else "_" for letter in text)[:32] or "-"


def _webhook(name: str, rules: AlertWebhook, secret: Callable[[str], Secret], now: Callable[[], float]) -> WebhookSink:
    reach = Reach.PRIVATE if rules.private else Reach.PUBLIC
    schemes = frozenset({"https", "http"} if rules.plain_http else {"https"})
    out = Fetch(Rule(reach, schemes), caps=Caps(body_bytes=_ANSWER_BYTES, seconds=rules.timeout_seconds))
    return WebhookSink(name, SignedPost(rules.url, lambda: secret(rules.secret), out, now))

"""Which notifications of an upstream reach the caller of one request: its progress, and the log messages it asked for."""

from typing import Final

from doorward.domain.calls import Notice
from doorward.wire.jsonrpc import Notification

LEVELS: Final = {
    level: rank for rank, level in enumerate(("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"))
}

CHANGES: Final = frozenset(
    {"notifications/tools/list_changed", "notifications/prompts/list_changed", "notifications/resources/list_changed"}
)


def rank(level: str | None) -> int | None:
    """How severe a log level is (RFC 5424), 0 for `debug`; None for no level or one that is not known."""
    return None if level is None else LEVELS.get(level)


class Relay:
    """Picks what belongs to one request. `token` is the progress token we minted for it, if its caller wants progress."""

    __slots__ = ("_least", "_token")

    def __init__(self, token: int | None, log_level: str | None) -> None:
        self._token = token
        self._least = rank(log_level)

    def progress(self, message: Notification) -> Notice | None:
        """A progress notification with our token, as a notice without it."""
        params = message.params
        if message.method != "notifications/progress" or self._token is None or params.get("progressToken") != self._token:
            return None
        return Notice(message.method, {key: value for key, value in params.items() if key != "progressToken"})

    def log(self, message: Notification) -> Notice | None:
        """A log message that is severe enough for a caller who asked for any."""
        if message.method != "notifications/message" or self._least is None:
            return None
        level = message.params.get("level")
        severity = rank(level) if isinstance(level, str) else None
        return Notice(message.method, message.params) if severity is not None and severity >= self._least else None

    @classmethod
    def of(cls, token: int | None, log_level: str | None) -> "Relay":
        """The relay of a request; one that wants nothing needs none of its own."""
        return _SILENT if token is None and log_level is None else cls(token, log_level)

    def pick(self, message: Notification) -> Notice | None:
        """What of the two it is, if either."""
        return self.progress(message) or self.log(message)


_SILENT: Final = Relay(None, None)

"""Admin API: session-era sessions: who has one, and the end of one."""

from dataclasses import dataclass

from doorward.audit.recorder import Recorder
from doorward.call.sessions import LiveSession, SessionRow, Sessions
from doorward.control.operators import Role
from doorward.control.orders import narrow
from doorward.control.routes import Ask, ControlError, Done, Route, Shape
from doorward.domain.receipts import Event


class SessionView(Shape):
    """One session; `id` names its row and opens nothing; `seen` is coarse to a minute. Times are Unix seconds."""

    id: str
    principal: str
    endpoint: str
    version: str
    client: str
    created: float
    seen: float


class SessionList(Shape):
    """Every live session."""

    sessions: tuple[SessionView, ...]


@dataclass(frozen=True, slots=True)
class SessionRows:
    """The operations on sessions."""

    sessions: Sessions
    recorder: Recorder

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        return (
            Route("GET", "/v1/sessions", Role.VIEWER, "List session-era sessions", self.all, gives=SessionList),
            Route("DELETE", "/v1/sessions/{session}", Role.ADMIN, "End a session", self.end, gives=Done),
        )

    async def all(self, ask: Ask) -> SessionList:
        """Every live session, newest first."""
        rows = sorted(self.sessions.rows(), key=lambda row: row.created, reverse=True)
        return SessionList(sessions=tuple(_view(row) for row in rows))

    async def end(self, ask: Ask) -> Done:
        """Ends a session: its client must initialize again. Calls in flight go on; a stop is what cuts them."""
        row = next((row for row in self.sessions.rows() if row.id == ask.path["session"]), None)
        if row is None:
            raise ControlError(404, "unknown_session", f"there is no session {ask.path['session'][:64]!r}")
        event = Event("session_ended", ask.operator.name, {"session": row.id, "principal": row.principal})
        return Done(warnings=await narrow(self.recorder, event, lambda: self.sessions.end(LiveSession(row, row.seen))))


def _view(row: SessionRow) -> SessionView:
    name, version = (row.client_info.get(field, "") for field in ("name", "version"))
    return SessionView(
        id=row.id,
        principal=row.principal,
        endpoint=row.endpoint,
        version=row.version,
        client=f"{name} {version}".strip()[:200],
        created=row.created,
        seen=row.seen,
    )

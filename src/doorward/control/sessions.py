"""Admin API: session-era sessions: who has one, and the end of one."""

import msgspec
from pydantic import Field

from doorward.audit.recorder import Recorder
from doorward.call.sessions import SessionRow, Sessions
from doorward.control.operators import Role
from doorward.control.orders import narrow
from doorward.control.routes import Ask, ControlError, Done, Route, Shape
from doorward.domain.receipts import Event


class SessionView(Shape):
    """One session; `id` names its row and opens nothing; `seen` is coarse to a minute. Times are Unix seconds.

    `principal` is agent, chain and user together, such as `claude`, `claude/corp:alice` or `helper<claude/corp:alice`.
    """

    id: str
    principal: str
    endpoint: str
    version: str
    client: str
    created: float
    seen: float
    ends: float = Field(description="When it ends if it says nothing more, or is at its greatest age, whichever comes first")


class SessionList(Shape):
    """Every live session."""

    sessions: tuple[SessionView, ...]


class SessionRows(msgspec.Struct, frozen=True):
    """The operations on sessions."""

    sessions: Sessions
    recorder: Recorder

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        return (
            Route("GET", "/v1/sessions", Role.VIEWER, "List session-era sessions", self.all, gives=SessionList),
            Route("DELETE", "/v1/sessions/{session}", Role.ADMIN, "Kill a session and all that runs in it", self.kill, gives=Done),
        )

    async def all(self, ask: Ask) -> SessionList:
        """Every live session, newest first."""
        rows = sorted(self.sessions.rows(), key=lambda row: row.created, reverse=True)
        return SessionList(sessions=tuple(_view(row, self.sessions.ends(row)) for row in rows))

    async def kill(self, ask: Ask) -> Done:
        """Ends a session, what runs in it and its streams: its client must initialize again."""
        row = next((row for row in self.sessions.rows() if row.id == ask.path["session"]), None)
        if row is None:
            raise ControlError(404, "unknown_session", f"there is no session {ask.path['session'][:64]!r}")
        agent, _, subject = row.principal.partition("/")
        fields = {"session": row.id, "agent": agent, "subject": self.recorder.pseudonym(subject) if subject else None}
        event = Event("session_killed", ask.operator.name, fields)
        return Done(warnings=await narrow(self.recorder, event, lambda: self.sessions.kill(row.id)))


def _view(row: SessionRow, ends: float) -> SessionView:
    name, version = (row.client_info.get(field, "") for field in ("name", "version"))
    return SessionView(
        id=row.id,
        principal=row.principal,
        endpoint=row.endpoint,
        version=row.version,
        client=f"{name} {version}".strip()[:200],
        created=row.created,
        seen=row.seen,
        ends=ends,
    )

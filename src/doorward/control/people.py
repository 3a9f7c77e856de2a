"""Admin API: who one is here, who is signed in over the network, and the end of somebody's session."""

from collections.abc import Callable

import msgspec

from doorward.audit.recorder import Recorder
from doorward.control.operator_sessions import OperatorSession, OperatorSessions
from doorward.control.operators import Role
from doorward.control.orders import narrow
from doorward.control.routes import Ask, ControlError, Done, Route, Shape
from doorward.domain.receipts import Event


class Me(Shape):
    """An operator as it stands at this request."""

    name: str
    shown: str
    role: str
    speaks_for: tuple[str, ...]
    owns: tuple[str, ...]


class SignedIn(Shape):
    """One sign-in over the network; `id` names it and opens nothing. Times are Unix seconds."""

    id: str
    name: str
    shown: str
    door: str
    began_at: float


class SignedInList(Shape):
    """Everybody who is signed in over the network, oldest first."""

    sessions: tuple[SignedIn, ...]


class People(msgspec.Struct, frozen=True):
    """The operations on operators."""

    sessions: OperatorSessions
    seconds: Callable[[], float]
    """How long a sign-in lasts, as the configuration in force has it."""
    recorder: Recorder

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        return (
            Route("GET", "/v1/me", Role.VIEWER, "Show who you are here", self.me, gives=Me),
            Route("GET", "/v1/operators", Role.VIEWER, "List who is signed in over the network", self.all, gives=SignedInList),
            Route("DELETE", "/v1/operators/{session}", Role.ADMIN, "End somebody's sign-in", self.end, gives=Done),
        )

    async def me(self, ask: Ask) -> Me:
        """The operator of this request."""
        operator = ask.operator
        return Me(
            name=operator.name,
            shown=operator.shown,
            role=operator.role.name.lower(),
            speaks_for=tuple(sorted(operator.speaks_for)),
            owns=tuple(sorted(operator.owns)),
        )

    async def all(self, ask: Ask) -> SignedInList:
        """Every session that stands."""
        return SignedInList(sessions=tuple(_view(session) for session in self.sessions.all(self.seconds())))

    async def end(self, ask: Ask) -> Done:
        """Ends a session at once."""
        session = next((one for one in self.sessions.all(self.seconds()) if one.id == ask.path["session"]), None)
        if session is None:
            raise ControlError(404, "unknown_session", f"nobody is signed in by {ask.path['session'][:64]!r}")

        async def end() -> None:
            self.sessions.end(session.id)

        event = Event("operator_session_ended", ask.operator.name, {"session": session.id, "operator": session.person.subject.id})
        return Done(warnings=await narrow(self.recorder, event, end))


def _view(session: OperatorSession) -> SignedIn:
    person = session.person
    return SignedIn(id=session.id, name=person.subject.id, shown=person.name, door=session.door, began_at=session.began_at)

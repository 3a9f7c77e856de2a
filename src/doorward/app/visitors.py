"""People at the data listener of this house: who has signed in with which browser, whatever page they came for."""

from collections.abc import Callable

from doorward.admission.matters import Matter, MatterKind
from doorward.admission.stops import Switch
from doorward.app import clocks
from doorward.config.model import Document
from doorward.control.network import barred_by
from doorward.domain.ids import SubjectId
from doorward.identity.authority.port import Person, Told
from doorward.serving.authority.browser import Browsers, Departed, Jar, Sealing
from doorward.serving.authority.entrance import Hall, SignsIn
from doorward.serving.authority.views import Views
from doorward.serving.authority.visits import Visits
from doorward.wire.sealed import Seal


class Visitors:
    """What is remembered of browsers, across reloads."""

    __slots__ = ("_browsers", "_is_barred", "_pseudonym", "_told", "_visits", "sealing")

    def __init__(self, switch: Switch, seal: Seal, told: Told, pseudonym: Callable[[str], str]) -> None:
        self.sealing = Sealing(seal, clocks.draw, clocks.now)
        self._browsers: Browsers[Departed] | None = None
        self._visits = Visits(clocks.draw, clocks.now)
        self._is_barred = barred_by(switch)
        self._told, self._pseudonym = told, pseudonym
        switch.on_change(self._heed)

    def hall(self, origin: str, sign_in: SignsIn) -> Hall:
        """What pages for people stand in, at a public URL."""
        if self._browsers is None:
            self._browsers = Browsers(Jar(origin), self.sealing, Departed)
        else:
            # The same across reloads, as it remembers which sign-ins have come back.
            self._browsers.adopt(Jar(origin))
        return Hall(
            origin=origin,
            sign_in=sign_in,
            visits=self._visits,
            browsers=self._browsers,
            views=Views(origin),
            admits=self._admits,
            told=self._told,
            pseudonym=self._pseudonym,
        )

    def _admits(self, person: Person) -> bool:
        return not self._is_barred(person.subject.id)

    def _heed(self, matter: Matter, why: str) -> None:
        """Who is stopped or revoked has no browser signed in any more."""
        if matter.kind is MatterKind.USER:
            self._visits.end_person(SubjectId(matter.name))


def sign_in_of(document: Document) -> str | None:
    """The issuer that people sign in with at the data listener; None where they do not."""
    authority = document.identity.authority
    return document.connections.sign_in if authority is None else authority.sign_in

"""The way of a person who connects an account: sign in → see what for → to the service and back, in this browser alone.

LAW: whoever connects an account has signed in with this browser as its holder. Somebody else's link shows nobody anything.
"""

import logging
from collections.abc import Callable

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from doorward.credentials.connections.connection import EVERY_AGENT, OWN, Connection, ConnectionId, Holder, Place, person
from doorward.credentials.connections.connections import Connections
from doorward.credentials.connections.port import CALLBACK_PATH, Begun, ConnectError, Offer, Trouble
from doorward.domain.ids import AgentId, UpstreamId
from doorward.serving.authority.browser import Browsers
from doorward.serving.authority.entrance import Entrance, Hall, away, carried, with_cookies
from doorward.serving.authority.forms import form, query
from doorward.serving.authority.views import who
from doorward.serving.authority.visits import Visit
from doorward.serving.connections.own_links import OwnLinks
from doorward.serving.connections.sheets import Choice, connect_path, connect_sheet, row

_LOG = logging.getLogger("doorward.serving.connections")
_AGAIN = "Begin again: open the link that your agent showed you, or /connections at this gateway."
_STATUS = {Trouble.AGAIN: 400, Trouble.DECLINED: 403, Trouble.BROKEN: 503, Trouble.UNKNOWN: 404, Trouble.BARRED: 403}
_LONGEST_AGENT = 256


class _Listed(msgspec.Struct, frozen=True):
    """The list of somebody's connections was shown: it may be answered by the end of one."""


class Around(msgspec.Struct, frozen=True):
    """What the way leads through."""

    connections: Connections
    hall: Hall
    browsers: Browsers[Begun]
    own_links: OwnLinks
    can_look: Callable[[UpstreamId], None]
    """Hears where the gateway itself can look at what is offered now."""


class Flow:
    """The pages of the way."""

    __slots__ = ("_around", "entrance")

    def __init__(self, around: Around) -> None:
        self._around = around
        self.entrance = Entrance(around.hall, _AGAIN)

    async def asked(self, request: Request) -> Response:
        """`GET /connect/{reference}`: what a call could not be made without."""
        return await self.entrance.answered(request, self._asked)

    async def to(self, request: Request) -> Response:
        """`GET /connect/to/{upstream}`: what a person connects without being asked."""
        return await self.entrance.answered(request, self._to)

    async def begin(self, request: Request) -> Response:
        """`POST /connect/begin`: the person goes to the service."""
        return await self.entrance.answered(request, self._begin)

    async def callback(self, request: Request) -> Response:
        """`GET /connections/callback`: back from the service."""
        return await self.entrance.answered(request, self._callback)

    async def listed(self, request: Request) -> Response:
        """`GET /connections`: what this person has connected."""
        return await self.entrance.answered(request, self._list)

    async def revoke(self, request: Request) -> Response:
        """`POST /connections/revoke`: ends one of them."""
        return await self.entrance.answered(request, self._revoke)

    async def own(self, request: Request) -> Response:
        """`GET /connect/own/{token}`: what an operator connects for the gateway itself."""
        return await self.entrance.answered(request, self._own)

    async def begin_own(self, request: Request) -> Response:
        """`POST /connect/own`: the operator goes to the service."""
        return await self.entrance.answered(request, self._begin_own)

    async def document(self, request: Request) -> Response:
        """`GET /connections/client.json`: who we are, for services (Client ID Metadata Document)."""
        del request
        said = self._around.connections.client_document()
        if said is None:
            return self._around.hall.views.stopped(404, "Nothing is here", _AGAIN)
        return Response(msgspec.json.encode(said), headers={"Cache-Control": "public, max-age=300"}, media_type="application/json")

    async def _asked(self, request: Request) -> Response:
        visit = self.entrance.visit(request)
        if visit is None:
            return await self.entrance.depart(request)
        ask = self._around.connections.ask(_last(request))
        if ask is None or ask.place.holder != _holder(visit):
            # The same for a link that leads nowhere and for one of somebody else.
            return self._around.hall.views.stopped(404, "Nothing of yours is waited for here", _AGAIN)
        is_new = self._at(ask.place) is None and ask.place.agent == EVERY_AGENT
        return await self._question(visit, Choice(ask.place, ask.agent if is_new else None))

    async def _to(self, request: Request) -> Response:
        visit = self.entrance.visit(request)
        if visit is None:
            return await self.entrance.depart(request)
        agent = query(request).get("agent", EVERY_AGENT)
        place = Place(_holder(visit), UpstreamId(_last(request)), AgentId(agent[:_LONGEST_AGENT]))
        if agent != EVERY_AGENT and self._at(place) is None:
            # For a single agent only what it had before is connected here: the name is anybody's to write into a link.
            return away(connect_path(replace(place, agent=EVERY_AGENT)))
        return await self._question(visit, Choice(place, None))

    async def _question(self, visit: Visit, choice: Choice) -> Response:
        """The page that says what is about to be connected."""
        around, views = self._around, self._around.hall.views
        if not around.hall.admits(visit.person):
            return views.no_access(visit.person)
        offer = self._offer(choice.place.upstream)
        if offer is None:
            return views.stopped(404, "Nothing of this name takes an account of yours", _AGAIN)
        try:
            prospect = await around.connections.prospect(choice.place)
        except ConnectError as error:
            return self._told(error, choice.place.upstream)
        sheet = connect_sheet(choice, offer, prospect, self._at(choice.place))
        token = around.hall.visits.ask(visit, choice)
        return views.page("connect.html", 200, self._forms(), sheet=sheet, token=token, action="/connect/begin", **who(visit.person))

    async def _begin(self, request: Request) -> Response:
        hall, fields = self._around.hall, await form(request)
        visit = self.entrance.visit(request)
        choice = None if visit is None else hall.visits.answered(visit, fields.get("question", ""), Choice)
        if visit is None or choice is None:
            return self._over()
        if not hall.admits(visit.person):
            return hall.views.no_access(visit.person)
        is_for_one = fields.get("agents") == "one" and choice.agent is not None
        place = replace(choice.place, agent=choice.agent) if is_for_one and choice.agent is not None else choice.place
        return await self._sent(request, place)

    async def _sent(self, request: Request, place: Place) -> Response:
        """Sends the browser to the service; what comes back is known by this browser alone."""
        around = self._around
        try:
            url, begun = await around.connections.begin(place, around.hall.origin + CALLBACK_PATH)
        except ConnectError as error:
            return self._told(error, place.upstream)
        return away(url, *around.browsers.depart(begun, carried(request)))

    async def _callback(self, request: Request) -> Response:
        around, params = self._around, query(request)
        state = params.get("state", "")
        begun = around.browsers.came_back(carried(request), state)
        if begun is None:
            sentence = f"It was begun in another browser, is over, or took too long. {_AGAIN}"
            return around.hall.views.stopped(400, "This browser has not begun this connection", sentence)
        answer = await self._finished(request, begun, params)
        return with_cookies(answer, around.browsers.arrived(state))

    async def _finished(self, request: Request, begun: Begun, params: dict[str, str]) -> Response:
        around, views, visit = self._around, self._around.hall.views, self.entrance.visit(request)
        is_own = begun.holder == OWN
        if not is_own and visit is None:
            return views.stopped(403, "You are not signed in any more", _AGAIN)
        if visit is not None and not is_own and not around.hall.admits(visit.person):
            return views.no_access(visit.person)
        holder = OWN if is_own or visit is None else _holder(visit)
        try:
            made = await around.connections.finish(begun, params, holder)
        except ConnectError as error:
            return self._told(error, UpstreamId(begun.upstream))
        if is_own:
            around.can_look(made.place.upstream)
        return views.page("connected.html", 200, "'none'", connection=row(made), is_own=is_own)

    async def _list(self, request: Request) -> Response:
        around, hall = self._around, self._around.hall
        visit = self.entrance.visit(request)
        if visit is None:
            return await self.entrance.depart(request)
        if not hall.admits(visit.person):
            return hall.views.no_access(visit.person)
        holder = _holder(visit)
        found = around.connections.of(holder)
        taken = {one.place.upstream for one in found if one.place.agent == EVERY_AGENT}
        offers = [(offer, connect_path(Place(holder, offer.upstream, EVERY_AGENT))) for offer in around.connections.offers()]
        return hall.views.page(
            "connections.html",
            200,
            "'self'",
            rows=[row(one) for one in found],
            offers=[(offer, path) for offer, path in offers if offer.upstream not in taken],
            token=hall.visits.ask(visit, _Listed()),
            **who(visit.person),
        )

    async def _revoke(self, request: Request) -> Response:
        around, fields = self._around, await form(request)
        visit = self.entrance.visit(request)
        listed = None if visit is None else around.hall.visits.answered(visit, fields.get("question", ""), _Listed)
        if visit is None or listed is None:
            return self._over()
        found = around.connections.find(ConnectionId(fields.get("connection", "")))
        if found is not None and found.place.holder == _holder(visit):
            await around.connections.revoke(found.id, around.hall.pseudonym(visit.person.subject.id), "by its holder")
        return away("/connections")

    async def _own(self, request: Request) -> Response:
        around, token = self._around, _last(request)
        upstream = around.own_links.find(token)
        offer = None if upstream is None else self._offer(upstream)
        if upstream is None or offer is None:
            return self._unknown_link()
        choice = Choice(Place(OWN, upstream, EVERY_AGENT), None)
        try:
            prospect = await around.connections.prospect(choice.place)
        except ConnectError as error:
            return self._told(error, upstream)
        sheet = connect_sheet(choice, offer, prospect, self._at(choice.place))
        views = around.hall.views
        return views.page("connect.html", 200, self._forms(), sheet=sheet, token=token, action="/connect/own", name="", subject="")

    async def _begin_own(self, request: Request) -> Response:
        fields = await form(request)
        upstream = self._around.own_links.take(fields.get("question", ""))
        return self._unknown_link() if upstream is None else await self._sent(request, Place(OWN, upstream, EVERY_AGENT))

    def _at(self, place: Place) -> Connection | None:
        return next((one for one in self._around.connections.of(place.holder) if one.place == place), None)

    def _offer(self, upstream: UpstreamId) -> Offer | None:
        return next((offer for offer in self._around.connections.offers() if offer.upstream == upstream), None)

    def _forms(self) -> str:
        """Where the form may lead: browsers hold it to this list on the redirects to the service and back."""
        return "'self' https:" if self._around.hall.views.is_secure else "'self' https: http:"

    def _told(self, error: ConnectError, upstream: UpstreamId) -> Response:
        _LOG.warning("nothing was connected at %s: %s", upstream, error)
        return self._around.hall.views.stopped(_STATUS[error.trouble], "Nothing was connected", f"{error.public} {_AGAIN}")

    def _over(self) -> Response:
        sentence = f"It was put to another browser, was answered already, or the time for it is over. {_AGAIN}"
        return self._around.hall.views.stopped(403, "This question is not open", sentence)

    def _unknown_link(self) -> Response:
        sentence = "It was used already, its time is over, or it never was. An operator can make another: doorward connection connect."
        return self._around.hall.views.stopped(404, "This link leads nowhere", sentence)


def _holder(visit: Visit) -> Holder:
    return person(visit.person.subject.id)


def _last(request: Request) -> str:
    """The last part of the path. INVARIANT: the table of pages lets well-formed ones through alone."""
    raw: bytes = request.scope["raw_path"]
    return raw.rpartition(b"/")[2].decode("ascii")

"""What a principal may see: whether `decide` could allow or ask for some arguments, which nobody knows before there is a call.

Answers are remembered by everything that their rules could read, and could be worked out again at any time. The shortest way is by the
very principal and target, once it is known that their rules say yes at any time of day.
"""

from collections.abc import Sequence
from dataclasses import replace

from doorward.domain.actors import AuthnMethod, Principal
from doorward.domain.catalog import Kind, Target
from doorward.domain.decisions import Deny
from doorward.domain.waivers import Waiver, Waivers
from doorward.policy.book import Book, Met
from doorward.policy.could import could_allow
from doorward.policy.delegation import links
from doorward.policy.lanes import Slice, ask, context_before, not_known, written_request
from doorward.policy.memo import Memo
from doorward.policy.project import Unheld
from doorward.policy.question import Actor, Moment, Place, Speaker, facts, time_facts
from doorward.policy.waiving import UNWAIVED, Lifted, waived

ANSWERS = 32_768
"""Answers that are remembered: 64 principals with a list of 500 tools each."""
URIS = 4_096
"""The same for single resources, which have a memory of their own: callers make URIs up, and must push nothing else out."""
LONGEST_URI = 256
"""Characters of a URI whose answer is remembered; one that is longer is worked out each time."""

UPSTREAM_WIDE = (Kind.UPSTREAM, Kind.INSTRUCTIONS)
"""What has no policies of its own: it may be had by whoever may see anything of the upstream."""

_LASTING = frozenset({Kind.TOOL, Kind.PROMPT, Kind.TEMPLATE})
"""What targets are made of once for a generation; those of resources and upstreams are made for a call."""


class Sight:
    """Says what principals may see, by the rules of a book."""

    __slots__ = ("_book", "_instant", "_open", "_shared", "_uris", "_views")

    def __init__(self, book: Book) -> None:
        self._book = book
        self._open: Memo[tuple[int, int], Met] = Memo(ANSWERS)
        self._views: Memo[tuple[object, ...], bool] = Memo(ANSWERS)
        self._shared: Memo[tuple[object, ...], bool] = Memo(ANSWERS)
        self._uris: Memo[tuple[object, ...], bool] = Memo(URIS)
        self._instant: tuple[Moment, dict[str, object]] | None = None

    def shows_always(self, principal: Principal, target: Target) -> bool:
        """Whether it is known that this very principal may see this very target, and will go on to."""
        return self._open.get((id(principal), id(target))) is not None

    def could_allow(self, principal: Principal, target: Target, at: Moment, waivers: Waivers) -> bool:
        """Whether a principal, and everybody in its chain, may see a target."""
        if self.shows_always(principal, target):
            return True
        if not self._could_eased(principal, target, at, waivers):
            return False
        if principal.actors:
            return all(self._could_eased(link, target, at, waivers) for link in links(principal))
        if self._is_settled(principal, target, at):
            self._open.put((id(principal), id(target)), Met(principal, target))
        return True

    def _is_settled(self, principal: Principal, target: Target, at: Moment) -> bool:
        """Whether the rules alone say yes, and will go on to: none of them reads the time, and no waiver has helped."""
        one = self._book.slice(target, "") if target.kind in _LASTING else None
        return one is not None and "time" not in one.reads and principal.method is not AuthnMethod.OWN and self.could(principal, target, at)

    def _could_eased(self, principal: Speaker, target: Target, at: Moment, waivers: Waivers) -> bool:
        if self.could(principal, target, at):
            return True
        given = waivers(principal.agent.id)
        return bool(given) and self.could(principal, target, at, given)

    def could(self, principal: Speaker, target: Target, at: Moment, given: Sequence[Waiver] = ()) -> bool:
        """Whether rules, with these waivers, say yes to one agent alone."""
        if principal.method is AuthnMethod.OWN:
            return target.kind is Kind.UPSTREAM
        if target.kind in UPSTREAM_WIDE:
            of_upstream = self._book.of_upstream.get(target.upstream, ())
            return any(self._sees(one, principal, one.action.target or target, at, given) for one in of_upstream)
        one = self._book.slice(target, "")
        return one is not None and self._sees(one, principal, target, at, given)

    def _sees(self, one: Slice, principal: Speaker, target: Target, at: Moment, given: Sequence[Waiver] = ()) -> bool:
        """Whether a principal may see an action, with these waivers; what is remembered are answers to rules and never waivers."""
        here = waived(given, principal.agent.id, one.action, self._book.liftable) if given else UNWAIVED
        if here.glass is not None:
            return True
        lifted = here.lifted
        if not one.enforced or (given and lifted is None):
            return lifted is not None
        return self._remembered(one, principal, target, at, lifted)

    def _remembered(self, one: Slice, principal: Speaker, target: Target, at: Moment, lifted: Lifted | None) -> bool:
        """Whether a principal may see an action; remembered by everything that its rules could read, and what is lifted of them."""
        time = self._time(at) if "time" in one.reads else {}
        clock = tuple(time[name] for name in time if name in one.reads.below("time"))
        uri = target.name if target.kind is Kind.RESOURCE and ("input" in one.reads or "derived" in one.reads) else None
        if uri is not None and len(uri) > LONGEST_URI:
            return self._could_see(one, principal, target, at, lifted)
        views = self._views if uri is None else self._uris
        key = (*one.key(principal, target), *one.apart.of(principal), clock, uri, lifted)
        known = views.get(key)
        return known if known is not None else views.put(key, self._could_see(one, principal, target, at, lifted))

    def _could_see(self, one: Slice, principal: Speaker, target: Target, at: Moment, lifted: Lifted | None) -> bool:
        """The answer worked out; shared between actions whose rules can tell them apart by nothing they read."""
        actor, place = Actor(principal.agent, principal.subject), Place(target.upstream, target.team)
        _, enforced = self._book.admitted(one, actor, place)
        panel = self._book.panel(enforced)
        read = panel.reads
        # What flows in until a call comes is not known, whatever has by now: lists are kept by clients, and shared.
        values = facts(principal, target, replace(at, session=None), read.context)
        is_single = target.kind is Kind.RESOURCE and read.is_of_arguments
        if is_single:
            values["input"] = {"uri": target.name}
        written = context_before(one.action, read.context, values)
        if isinstance(written, Unheld) or (lifted is None and not len(panel.permits)):
            return False
        if is_single:
            return self._answer(one, principal, target, values, written, lifted)
        # The scopes hold, so only what the conditions read can make a difference.
        action = one.action.name if read.action else ""
        key = (enforced, actor if read.principal else None, place if read.resource else None, action, written, lifted)
        known = self._shared.get(key)
        return known if known is not None else self._shared.put(key, self._answer(one, principal, target, values, written, lifted))

    def _answer(
        self, one: Slice, principal: Speaker, target: Target, values: dict[str, object], written: str, lifted: Lifted | None
    ) -> bool:
        """Whether rules can say yes, with whatever is read of a call and not known yet."""
        lane = self._book.new_lane(one, principal, target)
        if not not_known(lane.panel.reads.context, values):
            return not isinstance(ask(lane.panel, lane, values, lifted), Deny)
        actor, place = Actor(principal.agent, principal.subject), Place(target.upstream, target.team)
        asked = {**written_request(actor, place, one.action), "context": written}
        return could_allow(lane.panel, asked, lane.entities, lifted)

    def _time(self, at: Moment) -> dict[str, object]:
        """The time facts of a moment; a list asks for the same ones hundreds of times."""
        if (held := self._instant) is None or held[0] is not at:
            held = self._instant = (at, time_facts(at))
        return held[1]

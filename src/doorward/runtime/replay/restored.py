"""A recorded call made anew for policy to be asked about, and what of it the log does not hold (any more).

INVARIANT: what policies would read and nobody can restore is named, never made up: such a call is decided by nobody.
"""

from collections.abc import Callable
from datetime import datetime, tzinfo
from hashlib import sha256
from zoneinfo import ZoneInfo

import msgspec

from doorward.domain.actors import Agent
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind, Target
from doorward.domain.decisions import Decision, Deny
from doorward.domain.ids import AgentId, CallId, Digest, UpstreamId
from doorward.domain.reasons import Refused
from doorward.policy.delegation import links
from doorward.policy.engine import Policies
from doorward.policy.memo import Memo
from doorward.policy.question import Moment, Speaker, reads_proof
from doorward.policy.reads import Reads, together
from doorward.policy.schema import action_name
from doorward.runtime.replay.causes import Cause
from doorward.runtime.replay.flowed import is_lost, session_of
from doorward.runtime.replay.people import People, Who, is_cut
from doorward.runtime.replay.recorded import Recorded
from doorward.runtime.snapshot import Snapshot
from doorward.wire.jsonrpc import Limits, parse_value

TARGETS = 4_096
"""Things that calls were aimed at and that are remembered; resources come in any number."""
_KIND_OF = {"tools/call": Kind.TOOL, "prompts/get": Kind.PROMPT, "resources/read": Kind.RESOURCE}
_KINDS = frozenset({Kind.TOOL, Kind.PROMPT, Kind.RESOURCE, Kind.TEMPLATE})


_OF_CALL = frozenset({Cause.ARGUMENTS, Cause.CUT, Cause.ALTERED, Cause.CHANGED, Cause.SESSION})
"""What `could_allow` does not know either."""

Text = bytes | Cause
"""The canonical bytes of a call, or why they are not there."""


class Present(msgspec.Struct, frozen=True):
    """What of today a call is restored with: the log leaves it out on purpose."""

    target: Callable[[UpstreamId | None, Kind, str], Target | None]
    """What the catalogue has under a name of an upstream, or (None) under one that means it among all upstreams and nothing else."""
    zone: tzinfo
    agents: Callable[[AgentId], Agent | None]
    """The agent as it is registered; None where it is not."""
    pseudonym: Callable[[str], str]
    """What the log calls a person, or a group."""


def present(snapshot: Snapshot, agents: Callable[[AgentId], Agent | None], pseudonym: Callable[[str], str]) -> Present:
    """The present as a snapshot has it."""

    def target(upstream: UpstreamId | None, kind: Kind, name: str) -> Target | None:
        entry = snapshot.index.resolve(upstream, kind, name)
        if entry is None or (upstream is None and any(snapshot.index.resolve(UpstreamId(own), kind, name) for own in upstreams)):
            return None
        return entry.target

    upstreams = snapshot.document.upstreams

    return Present(target, ZoneInfo(snapshot.document.policies.timezone), agents, pseudonym)


class Restored(msgspec.Struct, frozen=True):
    """A call as far as it could be restored, for one set of policies."""

    call: Call
    at: Moment
    lost: tuple[Cause, ...]
    """What these policies would read of it and is not there."""


class Restorer:
    """Restores calls for one set of policies: how much of them is needed depends on what that reads."""

    __slots__ = ("_people", "_policies", "_present", "_targets")

    def __init__(self, policies: Policies, present: Present) -> None:
        self._policies = policies
        self._present = present
        self._people = People(policies, present.agents, present.pseudonym)
        self._targets: Memo[tuple[str, str, str, str], Target | Cause] = Memo(TARGETS)

    def decide(self, leaf: Recorded, text: Text) -> Decision | tuple[Cause, ...]:
        """What these policies say of a recorded call, or why nobody can say. Waivers are not asked."""
        found = self.restore(leaf, text)
        if not isinstance(found, Restored):
            return (found,)
        if not found.lost:
            return self._policies.decide(found.call, found.at)
        # Whatever the arguments and the context were: a no of this kind is certain (`could_allow`).
        is_open = not _OF_CALL.issuperset(found.lost)
        if is_open or self._policies.could_allow(found.call.principal, found.call.target, found.at):
            return found.lost
        return Deny((), "whatever the arguments")

    def restore(self, leaf: Recorded, text: Text) -> Restored | Cause:
        """The call of a leaf; a cause where there is nothing that policy could be asked about."""
        target = self._target(leaf)
        if isinstance(target, Cause):
            return target
        who = self._people.who(leaf.principal)
        if isinstance(who, Cause):
            return who
        at = Moment(datetime.fromisoformat(leaf.ts).timestamp(), self._present.zone, session_of(leaf))
        bare = Call(CallId(leaf.call), who.principal, target, leaf.method, {}, {}, b"", Digest(""))
        read = self._reads(bare)
        if read is None:
            return Cause.GONE
        lost = [*who.always, *self._lost_of(who, target, leaf.method, read)]
        if "session" in read.context and is_lost(leaf, read.context.below("session")):
            lost.append(Cause.SESSION)
        if "input" not in read.context and "derived" not in read.context:
            return Restored(bare, at, tuple(lost))
        if isinstance(text, Cause):
            return Restored(bare, at, (*lost, text))
        if _changed(leaf, target):
            return Restored(bare, at, (*lost, Cause.CHANGED))
        whole = _whole(bare, text)
        return Restored(bare, at, (*lost, Cause.ALTERED)) if whole is None else Restored(whole, at, tuple(lost))

    def _lost_of(self, who: Who, target: Target, method: str, read: Reads) -> list[Cause]:
        """What is read of a principal and not known of this one."""
        of_agent, of_user = read.principal, read.principal.below("user")
        found = {
            Cause.NETWORK: "network" in read.context,
            Cause.AGENT: who.is_unregistered and ("owner" in of_agent or "kind" in of_agent),
            Cause.ISSUER: who.is_of_unknown_issuer and "user" in of_agent and "issuer" in of_user,
            Cause.CREDENTIAL: who.is_cut and reads_proof(read.context),
            Cause.GROUPS: who.has_more_groups and self._people.names_others(who, action_name(target, method)),
        }
        return [cause for cause, is_lost in found.items() if is_lost]

    def _reads(self, call: Call) -> Reads | None:
        """What is read of a call, by the rules that can match it for anybody in its chain; None if it is of no action."""
        speakers: list[Speaker] = [call.principal, *links(call.principal)] if call.principal.actors else [call.principal]
        lanes = [self._policies.lane(call, speaker) for speaker in speakers]
        panels = [lane.panel.reads for lane in lanes if lane is not None]
        if len(panels) < len(lanes):
            return None
        return panels[0] if len(panels) == 1 else together(panels)

    def _target(self, leaf: Recorded) -> Target | Cause:
        key = (leaf.upstream, leaf.kind, leaf.name, leaf.method)
        known = self._targets.get(key)
        return known if known is not None else self._targets.put(key, self._found(leaf))

    def _found(self, leaf: Recorded) -> Target | Cause:
        """What policies know the thing of a leaf by: as it was accepted, whatever is offered now."""
        target = None if is_cut(leaf.name) else self._named(leaf)
        if target is None:
            return Cause.GONE if leaf.upstream and leaf.kind in _KINDS and not is_cut(leaf.name) else Cause.TARGET
        action = self._policies.vocabulary.actions.get(action_name(target, leaf.method) or "")
        return Cause.GONE if action is None else action.target or target

    def _named(self, leaf: Recorded) -> Target | None:
        """What the catalogue has under the name of a leaf."""
        if leaf.upstream:
            return self._present.target(UpstreamId(leaf.upstream), Kind(leaf.kind), leaf.name) if leaf.kind in _KINDS else None
        # What was hidden from its caller has no target in its leaf: only the name, which says the upstream where it is one among all.
        kind = _KIND_OF.get(leaf.method)
        return None if kind is None else self._present.target(None, kind, leaf.name)


def _changed(leaf: Recorded, target: Target) -> bool:
    """Whether arguments would be read by another definition than then; those of completion have none of their own."""
    is_own = target.kind in (Kind.TOOL, Kind.PROMPT) and leaf.method != "completion/complete"
    return is_own and leaf.definition != target.definition


def _whole(bare: Call, text: bytes) -> Call | None:
    """The call with what its canonical bytes say; None where they do not say it."""
    try:
        body = parse_value(text, Limits())
    except Refused:
        return None
    match body:
        case {"arguments": dict(arguments), "extras": dict(extras)}:
            digest = Digest(sha256(text).hexdigest())
            return Call(bare.id, bare.principal, bare.target, bare.method, arguments, extras, text, digest)
    return None

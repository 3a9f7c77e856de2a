"""Stage 2: what a request names, as a call on a target, within what its principal may see. Pure."""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache

import msgspec

from doorward.call.inbound import Inbound
from doorward.call.limits import EVERY, listing
from doorward.call.rounds import RESPONSES, STATE, UNCONNECTED, Heard, Round, Rounds
from doorward.catalog.index import Entry
from doorward.domain.actors import Principal
from doorward.domain.calls import Call, Era
from doorward.domain.catalog import Kind, Standing, Target
from doorward.domain.ids import CallId, SessionId
from doorward.domain.reasons import Reason, Refused
from doorward.domain.record import record
from doorward.domain.waivers import Waivers, nothing_waived
from doorward.policy.question import Moment
from doorward.runtime.snapshot import Snapshot
from doorward.wire.alike import are_told_apart, folded
from doorward.wire.canonical import canonical, sha256
from doorward.wire.headers import check_params
from doorward.wire.jsonrpc import Limits, parse_object

_TAKEN: Mapping[str, frozenset[str]] = {
    # Tasks are not offered, and who does not offer them takes no notice of being asked for one (2025-11-25, basic/utilities/tasks).
    "tools/call": frozenset({"name", "arguments", "task", "_meta", STATE, RESPONSES}),
    "prompts/get": frozenset({"name", "arguments", "_meta", STATE, RESPONSES}),
    "resources/read": frozenset({"uri", "_meta", STATE, RESPONSES}),
    "completion/complete": frozenset({"ref", "argument", "context", "_meta", STATE, RESPONSES}),
}
"""Fields of `params` that are read or left out here; every other one goes upstream as it is, and is part of the digest."""

_FOLDED = {method: frozenset(map(folded, taken)) for method, taken in _TAKEN.items()}
"""The same as readers have them that disregard letter case: no other field of such a name goes upstream beside what is decided on."""

_ROUNDS = frozenset({STATE, RESPONSES})
_LIMITS = Limits()
_NO_EXTRAS: Mapping[str, object] = {}
_EXCHANGE, _TOOL, _APPROVED, _UNHEARD = Era.EXCHANGE, Kind.TOOL, Standing.APPROVED, Heard.NOTHING
"""Asked for on the way of every call: the member of an enum costs seven times what a name costs (Python 3.11)."""


Named = tuple[Kind, str, Mapping[str, object]]
"""What a request is aimed at: kind, the name as the caller gave it, and the arguments that policy reads."""


def named(method: str, params: Mapping[str, object]) -> Named:
    """The thing that the params of a governed method name; raises `Refused` INVALID_PARAMS."""
    match method:
        case "tools/call":
            return _TOOL, _text(params, "name"), _object(params, "arguments")
        case "prompts/get":
            return Kind.PROMPT, _text(params, "name"), _object(params, "arguments")
        case "resources/read":
            uri = _text(params, "uri")
            return Kind.RESOURCE, uri, {"uri": uri}
        case "completion/complete":
            return _completion(params)
        case _:
            raise Refused(Reason.UNKNOWN_METHOD, f"no governed method {method!r}")


@record(frozen=True, slots=True)
class Caller:
    """Who calls, by which MCP method, and in which session if there is one."""

    principal: Principal
    method: str
    session: SessionId | None = None


@record(frozen=True, slots=True)
class Found:
    """A call and the catalogue entry behind its target."""

    call: Call
    entry: Entry
    heard: Heard = Heard.NOTHING
    """What the client says to our own request for input, where this is a retry."""


class Means(msgspec.Struct, frozen=True):
    """What resolving asks of the house."""

    rounds: Rounds
    moment: Callable[[], Moment]
    waivers: Waivers = nothing_waived


def found(inbound: Inbound, snapshot: Snapshot, call_id: CallId, means: Means) -> Found:
    """The call that a request makes; raises `Refused` where nothing of the name is there for this principal."""
    principal, method, params = inbound.principal, inbound.request.method, inbound.request.params
    kind, name, given = named(method, params)
    others = _others(method, params, given)
    entry = snapshot.index.resolve(inbound.endpoint, kind, name)
    if entry is None:
        raise Refused(Reason.UNKNOWN_TARGET, f"no {kind} {name[:200]!r} at {inbound.endpoint or 'any upstream'}")
    target = entry.target
    if entry.standing is not _APPROVED or not snapshot.policies.shows_always(principal, target):
        _check_offered(principal, snapshot, entry, means)
    if entry.param_headers:
        _check_headers(inbound, kind, given, entry)
    arguments = given if kind is _TOOL else _own_arguments(inbound, given, entry)
    extras, heard = _NO_EXTRAS, _UNHEARD
    if others or inbound.meta or not _ROUNDS.isdisjoint(params):
        brought = means.rounds.brought(inbound, target, arguments)
        extras, heard = _extras(inbound, others, brought), brought.heard
    raw = _written(method, target, arguments, extras)
    return Found(Call(call_id, principal, target, method, arguments, extras, raw, sha256(raw), inbound.session), entry, heard)


def _check_offered(principal: Principal, snapshot: Snapshot, entry: Entry, means: Means) -> None:
    """Raises `Refused` where a principal sees nothing of an entry, or where its definition is not the one that was approved."""
    target, policies = entry.target, snapshot.policies
    if target.upstream not in snapshot.observed and not policies.could_allow(principal, target, means.moment(), means.waivers):
        raise Refused(Reason.FORBIDDEN, "no arguments of this principal could be allowed", extra={"hidden": True})
    if entry.standing is not _APPROVED:
        raise Refused(Reason.DRIFTED, f"the definition of {target.upstream}/{target.name} is {entry.standing}")


def _check_headers(inbound: Inbound, kind: Kind, given: Mapping[str, object], entry: Entry) -> None:
    if kind is _TOOL and inbound.era is _EXCHANGE:
        check_params(inbound.headers, given, entry.param_headers)


def _others(method: str, params: Mapping[str, object], arguments: Mapping[str, object]) -> Collection[str]:
    """The fields of `params` that are neither read nor left out here.

    Raises `Refused` INVALID_PARAMS where an upstream might read another field than what is decided on.
    """
    others = params.keys() - _TAKEN[method]
    if others and not _FOLDED[method].isdisjoint(map(folded, others)):
        raise _read_otherwise("a parameter")
    named_apart = len(arguments) < 2 or are_told_apart(arguments)
    if method == "completion/complete":
        named_apart = named_apart and all(are_told_apart(value) for value in arguments.values() if isinstance(value, Mapping))
    if not named_apart:
        raise _read_otherwise("an argument")
    return others


def _read_otherwise(what: str) -> Refused:
    return Refused(
        Reason.INVALID_PARAMS,
        f"{what} stands beside another one whose name differs only in letter case or width",
        sentence="Two names differ only in letter case, and servers may read either: leave one out.",
    )


def _own_arguments(inbound: Inbound, given: Mapping[str, object], entry: Entry) -> Mapping[str, object]:
    """The arguments of anything but a tool in the upstream's own names."""
    if entry.target.kind is Kind.RESOURCE:
        return {"uri": entry.target.name}
    if inbound.request.method == "completion/complete":
        return _own_reference(given, entry)
    return given


def _given_up(approval: str) -> Refused:
    """The end of a call whose client will not wait for approval, or for an account: it is not made, not even where there is one by now."""
    if approval == UNCONNECTED:
        sentence = "The person did not want to connect an account; the call was not made."
        return Refused(Reason.CONSENT_NEEDED, "its client declined to have an account connected", sentence=sentence)
    return Refused(
        Reason.PENDING,
        "its client declined to wait for approval",
        sentence=f"A person must approve this call. Ask again later with exactly the same arguments. Approval: {approval}.",
        extra={"approval": approval},
    )


def _extras(inbound: Inbound, others: Collection[str], brought: Round) -> Mapping[str, object]:
    """Everything else of the params that goes upstream, with what is brought along from earlier rounds; raises `Refused` PENDING."""
    if brought.heard is Heard.GIVES_UP:
        raise _given_up(brought.approval)
    extras = {key: value for key, value in inbound.request.params.items() if key in others}
    if inbound.meta:
        extras["_meta"] = dict(inbound.meta)
    extras.update(brought.extras)
    return extras


def listed(inbound: Inbound, call_id: CallId, kind: Kind) -> Call:
    """A list as a call: aimed at everything of a kind on an endpoint, with no arguments but its cursor."""
    target = listing(inbound.endpoint or EVERY, kind)
    cursor = inbound.request.params.get("cursor")
    extras = {"cursor": cursor} if isinstance(cursor, str) else {}
    return make_call(call_id, Caller(inbound.principal, inbound.request.method, inbound.session), target, {}, extras)


def make_call(call_id: CallId, caller: Caller, target: Target, arguments: Mapping[str, object], extras: Mapping[str, object]) -> Call:
    """A call with its canonical bytes and their digest, computed once."""
    raw = _written(caller.method, target, arguments, extras)
    return Call(call_id, caller.principal, target, caller.method, arguments, extras, raw, sha256(raw), caller.session)


def _written(method: str, target: Target, arguments: Mapping[str, object], extras: Mapping[str, object]) -> bytes:
    """The canonical bytes of a call: those of an object with arguments, extras, method, name and upstream."""
    rest = canonical(extras) if extras else b"{}"
    aim = _aim if target.definition is None else _known_aim
    return b"".join((b'{"arguments":', canonical(arguments), b',"extras":', rest, aim(method, target.name, target.upstream)))


def _aim(method: str, name: str, upstream: str) -> bytes:
    """The end of a call's canonical bytes: what it is aimed at."""
    return b"," + canonical({"method": method, "name": name, "upstream": upstream})[1:]


_known_aim = lru_cache(maxsize=4096)(_aim)
"""The same of what stands in a catalogue; callers make up what else they name."""


def remade(call: Call, arguments: Mapping[str, object], extras: Mapping[str, object]) -> Call:
    """Another call of the same caller on the same target: bytes and digest made anew (law 3)."""
    return make_call(call.id, Caller(call.principal, call.method, call.session), call.target, arguments, extras)


def edited(call: Call, arguments: bytes) -> Call:
    """The call with the arguments (canonical JSON) that its approvers have put in place of the caller's; raises `Refused`."""
    if call.target.kind not in (Kind.TOOL, Kind.PROMPT):
        # The arguments of anything else name it: with others it would be another target, of which nobody was asked.
        raise Refused(Reason.FORBIDDEN, f"a {call.target.kind} has no arguments that an approver may change")
    return remade(call, parse_object(arguments, _LIMITS), call.extras)


def params_of(call: Call) -> dict[str, object]:
    """The params that go upstream for a call: what was decided on, in the upstream's own names."""
    extras = {key: value for key, value in call.extras.items() if key != "_meta"} if call.extras else _NO_EXTRAS
    match call.method:
        case "tools/call" | "prompts/get":
            return {"name": call.target.name, "arguments": call.arguments, **extras}
        case _:
            return {**call.arguments, **extras}


def _completion(params: Mapping[str, object]) -> Named:
    reference = _object(params, "ref")
    arguments = {key: params[key] for key in ("ref", "argument", "context") if key in params}
    match reference.get("type"):
        case "ref/prompt":
            return Kind.PROMPT, _text(reference, "name"), arguments
        case "ref/resource":
            return Kind.TEMPLATE, _text(reference, "uri"), arguments
        case other:
            raise Refused(Reason.INVALID_PARAMS, f"expected a ref of type ref/prompt or ref/resource, got {str(other)[:80]!r}")


def _own_reference(arguments: Mapping[str, object], entry: Entry) -> dict[str, object]:
    reference = arguments["ref"]
    assert isinstance(reference, Mapping)
    field = "name" if entry.target.kind is Kind.PROMPT else "uri"
    return {**arguments, "ref": {**reference, field: entry.target.name}}


def _text(params: Mapping[str, object], field: str) -> str:
    value = params.get(field)
    if value and isinstance(value, str):
        return value
    raise Refused(
        Reason.INVALID_PARAMS,
        f"expected a non-empty string in {field}",
        sentence=f"The parameter `{field}` must be a non-empty string.",
    )


def _object(params: Mapping[str, object], field: str) -> Mapping[str, object]:
    value = params.get(field)
    if isinstance(value, dict | Mapping):
        return value
    if value is None:
        return {}
    raise Refused(Reason.INVALID_PARAMS, f"expected an object in {field}", sentence=f"The parameter `{field}` must be an object.")

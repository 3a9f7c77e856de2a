"""Changes worth trying: for each literal and each scope of some rules, what would make it true, and what would make it false."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import partial
from ipaddress import ip_address, ip_network
from typing import assert_never

from cedarpy import pst

from doorward.policy import suppose
from doorward.policy.atoms import (
    OPPOSITE,
    Among,
    Atom,
    Compared,
    Empty,
    Held,
    Holds,
    InRange,
    Instant,
    Opaque,
    Paired,
    Path,
    Patterned,
    Present,
    Range,
    Value,
    Within,
    atoms,
)
from doorward.policy.problems import cut
from doorward.policy.question import LOCAL, Uid
from doorward.policy.rules import Rule
from doorward.policy.shapes import Exact, Field, Fields, Many, Text, Truth, Whole
from doorward.policy.suppose import Supposition
from doorward.policy.telling import listed, named, shown
from doorward.policy.values import seen

Make = Callable[[Supposition], Supposition | None]

_SIGNS: Mapping[str, str] = {"==": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_CENT = Decimal("0.01")
_OUTSIDE = ("192.0.2.1", "198.51.100.1", "2001:db8::1")
"""Addresses that belong to nobody (RFC 5737, RFC 3849)."""
_ELEMENTS = 8
"""Members of one literal set that are tried."""


class Realm(StrEnum):
    """Whose it is to change, the nearest to the caller first."""

    ARGUMENTS = "arguments"
    CONTEXT = "context"
    MEMBERSHIP = "membership"
    APPROVAL = "approval"
    POLICIES = "policies"

    @property
    def distance(self) -> int:
        """How far from the caller, from 0."""
        return list(Realm).index(self)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing otherwise: told in words, and as a supposition made of another."""

    realm: Realm
    sentence: str
    what: str
    """What it sets: two changes of one thing do not go together."""
    make: Make


def changes(rules: Sequence[Rule], supposed: Supposition, shape: Fields) -> tuple[Change, ...]:
    """Everything worth trying for these rules, each once. `shape`: of the call's arguments."""
    view = _View(supposed, shape)
    found: dict[str, Change] = {}
    for change in (change for rule in rules for change in _of_rule(rule, view)):
        found.setdefault(change.sentence, change)
    return tuple(sorted(found.values(), key=lambda change: change.realm.distance))


def _of_rule(rule: Rule, view: "_View") -> Iterator[Change]:
    # A bare "is there" is met by any value: last, so that a rule's own values stand for it.
    for atom in sorted((*_of_scope(rule.cedar), *atoms(rule.cedar)), key=lambda atom: isinstance(atom, Present)):
        yield from _of(atom, True, view)
        yield from _of(atom, False, view)
    yield Change(Realm.POLICIES, f"without policy {rule.id}", f"policy {rule.id}", partial(_without, rule))


def _without(rule: Rule, supposed: Supposition) -> Supposition:
    return replace(supposed, without=supposed.without | {rule.id})


@dataclass(frozen=True, slots=True)
class _View:
    """The call as it is, and the shape of its arguments."""

    supposed: Supposition
    shape: Fields

    def field(self, names: Sequence[str]) -> Field | None:
        """What is declared of an argument."""
        found: Field | None = Field(self.shape)
        for name in names:
            found = found.shape.fields.get(name) if found is not None and isinstance(found.shape, Fields) else None
        return found

    def is_optional(self, names: tuple[str, ...]) -> bool:
        """Whether an argument may be left out."""
        found = self.field(names)
        return found is not None and not found.required

    def instead(self, path: Path) -> str:
        """` instead of …`, as far as there is something."""
        value, is_there = seen(self.supposed, path)
        return f" instead of {shown(value)}" if is_there else ""


def _of_scope(cedar: pst.Template) -> Iterator[Atom]:
    match cedar.principal:
        case pst.ScopeEq(entity=pst.EntityUid() as uid) | pst.ScopeIn(entity=pst.EntityUid() as uid):
            yield Within(Path("principal", ()), ((str(uid.type), uid.id),))
        case pst.ScopeIsIn(entity=pst.EntityUid() as uid):
            yield Within(Path("principal", ()), ((str(uid.type), uid.id),))


def _of(atom: Atom, is_wanted: bool, view: _View) -> Iterator[Change]:
    """The changes that could make an atom true, or false."""
    match atom:
        case Compared():
            yield from _compared(atom, is_wanted, view)
        case Paired():
            yield from _paired(atom, view)
        case Patterned():
            yield from _patterned(atom, is_wanted, view)
        case Present(path=path):
            yield from _present(path, is_wanted, view)
        case Held(path=path):
            yield from _set(path, is_wanted, f"{named(path)} = {shown(is_wanted)}", view)
        case Opaque():
            return
        case _:
            yield from _of_many(atom, is_wanted, view)


def _of_many(atom: Among | Holds | Empty | Within | InRange, is_wanted: bool, view: _View) -> Iterator[Change]:
    """The same of what is about sets, memberships and networks."""
    match atom:
        case Among(path=path, values=values):
            yield from _among(path, values, is_wanted, view)
        case Holds():
            yield from _holds(atom, is_wanted, view)
        case Empty(path=path):
            yield from _emptied(path, is_wanted, view)
        case Within(path=path, uids=uids):
            yield from _within(path, uids, is_wanted, view)
        case InRange(path=path, network=network):
            yield from _in_range(path, network, is_wanted, view)
        case _:
            assert_never(atom)


def _compared(atom: Compared, is_wanted: bool, view: _View) -> Iterator[Change]:
    op = atom.op if is_wanted else OPPOSITE[atom.op]
    if isinstance(atom.value, tuple):
        yield from _within(atom.path, (atom.value,), op == "==", view)
        return
    witness = _witness(op, atom.value)
    if witness is not None:
        say = "" if op in ("==", "<=", ">=") else f" (say, {shown(witness)})"
        yield from _set(atom.path, witness, f"{named(atom.path)} {_SIGNS[op]} {shown(atom.value)}{say}", view)


def _witness(op: str, value: Value) -> object | None:
    """A value for which `value op literal` holds."""
    match value:
        case bool():
            return value == (op == "==")
        case int():
            return value + {"<": -1, ">": 1, "!=": 1}.get(op, 0)
        case Decimal():
            return value + {"<": -_CENT, ">": _CENT, "!=": _CENT}.get(op, Decimal(0))
        case str():
            return value if op == "==" else f"not-{value}"
        case Instant(milliseconds=milliseconds):
            return milliseconds + {"<": -1000, ">": 1000, "!=": 1000}.get(op, 0)
        case Range(text=text):
            return text.partition("/")[0] if op == "==" else _outside(text)
    return None


def _paired(atom: Paired, view: _View) -> Iterator[Change]:
    """Either side set to what the other has now."""
    if atom.op == "in":
        team = str(view.supposed.call.target.team)
        sides = {(atom.path.variable, atom.path.parts), (atom.other.variable, atom.other.parts)}
        if ("resource", ()) in sides or ("resource", ("team",)) in sides:
            yield from _within(Path("principal", ()), (("Team", team),), True, view)
        return
    for path, other in ((atom.path, atom.other), (atom.other, atom.path)):
        value, is_there = seen(view.supposed, other)
        if is_there and atom.op in ("==", "<=", ">="):
            yield from _set(path, value, f"{named(path)} = {named(other)}, which is {shown(value)},", view)


def _patterned(atom: Patterned, is_wanted: bool, view: _View) -> Iterator[Change]:
    if is_wanted:
        witness = "".join("x" if piece is None else piece for piece in atom.pattern)
        told = f"{named(atom.path)} like {cut(atom.text)} (say, {shown(witness)})"
    else:
        value, _ = seen(view.supposed, atom.path)
        witness = _apart(value if isinstance(value, str) else "", [piece for piece in atom.pattern if piece])
        told = f"{named(atom.path)} not like {cut(atom.text)} (say, {shown(witness)})"
    yield from _set(atom.path, witness, told, view)


def _apart(text: str, pieces: Sequence[str]) -> str:
    """A text without the longest piece of a pattern; another text altogether where nothing is left."""
    longest = max(pieces, key=len, default="")
    return (text.replace(longest, "").strip() if longest else "") or "other"


def _present(path: Path, is_wanted: bool, view: _View) -> Iterator[Change]:
    match path.variable, path.parts, is_wanted:
        case "principal", ("user",), True:
            yield Change(Realm.MEMBERSHIP, "for a person", "user", partial(suppose.for_user, user=suppose.SOMEBODY))
        case "principal", ("user",), False:
            yield Change(Realm.MEMBERSHIP, f"for nobody{view.instead(path)}", "user", suppose.for_nobody)
        case "context", ("network",), True:
            yield from _set(path, _OUTSIDE[0], "over a network", view)
        case "context", ("network",), False:
            yield from _set(path, LOCAL, "from this machine", view)
        case "context", ("input", *_), True:
            declared = view.field(path.of_input)
            if declared is not None:
                value = _some(declared)
                yield from _set(path, value, f"with {named(path)} (say, {shown(value)})", view)
        case _:
            yield from _left_out(path, view)


def _left_out(path: Path, view: _View) -> Iterator[Change]:
    """Without an argument that may be absent and is not."""
    if path.of_input and view.is_optional(path.of_input) and seen(view.supposed, path)[1]:
        yield Change(Realm.ARGUMENTS, f"without {named(path)}", str(path), partial(suppose.without_argument, names=path.of_input))


def _some(declared: Field) -> object:
    """Any value of a shape."""
    match declared.shape:
        case Text():
            return "x"
        case Truth():
            return True
        case Whole() | Exact():
            return 1
        case Many():
            return []
    return {}


def _among(path: Path, values: Sequence[Value], is_wanted: bool, view: _View) -> Iterator[Change]:
    if is_wanted:
        for value in values[:_ELEMENTS]:
            yield from _compared(Compared(path, "==", value), True, view)
    elif values and isinstance(values[0], str):
        yield from _set(path, "other", f"{named(path)} none of {listed(values)} (say, {shown('other')})", view)


def _holds(atom: Holds, is_wanted: bool, view: _View) -> Iterator[Change]:
    found, _ = seen(view.supposed, atom.path)
    held = list(found) if isinstance(found, list | tuple) else []
    wanted = list(atom.values if atom.is_all else atom.values[:1])
    if is_wanted:
        value = [*held, *(one for one in wanted if one not in held)]
        yield from _set(atom.path, value, f"{named(atom.path)} with {listed(wanted)} in it", view)
    else:
        value = [one for one in held if one not in atom.values]
        yield from _set(atom.path, value, f"{named(atom.path)} without {listed(atom.values)}", view)


def _emptied(path: Path, is_wanted: bool, view: _View) -> Iterator[Change]:
    if is_wanted:
        yield from _set(path, [], f"{named(path)} empty", view)
    else:
        yield from _set(path, ["x"], f"{named(path)} not empty", view)


def _within(path: Path, uids: Sequence[Uid], is_wanted: bool, view: _View) -> Iterator[Change]:
    if path.variable != "principal" or path.parts not in ((), ("team",), ("user",)):
        return
    for kind, identity in uids[:_ELEMENTS]:
        yield from _member(kind, identity, is_wanted, view)


def _member(kind: str, identity: str, is_wanted: bool, view: _View) -> Iterator[Change]:
    """The changes by which the principal comes to stand in an entity, or not to."""
    user = view.instead(Path("principal", ("user",)))
    match kind, is_wanted:
        case "Team" | "Agent", _:
            yield from _of_agents(kind, identity, is_wanted, view)
        case "User", True:
            yield Change(Realm.MEMBERSHIP, f"for {cut(identity)}{user}", "user", partial(suppose.for_user, user=identity))
        case "User", False:
            yield Change(Realm.MEMBERSHIP, f"for nobody{user}", "user", suppose.for_nobody)
        case "Group", True:
            told = f"for somebody in group {cut(identity)}"
            yield Change(Realm.MEMBERSHIP, told, f"group {identity}", partial(suppose.with_group, group=identity))
        case "Group", False:
            told = f"for somebody who is not in group {cut(identity)}"
            yield Change(Realm.MEMBERSHIP, told, f"group {identity}", partial(suppose.without_group, group=identity))


def _of_agents(kind: str, identity: str, is_wanted: bool, view: _View) -> Iterator[Change]:
    """The same of the agent that speaks, and of each one it acts for."""
    principal = view.supposed.call.principal
    for position, agent in enumerate((principal.agent, *(actor.agent for actor in principal.actors))):
        attribute, old = ("team", str(agent.team)) if kind == "Team" else ("name", str(agent.id))
        value = identity if is_wanted else f"not-{identity}"
        if (old == identity) is is_wanted:
            continue
        who = "the agent" if position == 0 else f"agent {cut(str(agent.id))} of the chain"
        what = {
            ("team", True): f"in team {cut(identity)}",
            ("team", False): f"not in team {cut(identity)}",
            ("name", True): f"being {cut(identity)}",
            ("name", False): f"not being {cut(identity)}",
        }[attribute, is_wanted]
        instead = f" instead of {cut(old)}" if is_wanted else ""
        make = partial(suppose.with_agent, name=attribute, value=value, position=position)
        yield Change(Realm.MEMBERSHIP, f"{who} {what}{instead}", f"{attribute} {position}", make)


def _in_range(path: Path, network: str, is_wanted: bool, view: _View) -> Iterator[Change]:
    address = _inside(network) if is_wanted else _outside(network)
    if address is not None:
        word = "in" if is_wanted else "not in"
        yield from _set(path, address, f"{named(path)} {word} {network} (say, {address})", view)


def _inside(network: str) -> str | None:
    try:
        found = ip_network(network, strict=False)
    except ValueError:
        return None
    return str(found[1] if found.num_addresses > 2 else found[0])


def _outside(network: str) -> str | None:
    try:
        found = ip_network(network, strict=False)
    except ValueError:
        return None
    return next((one for one in _OUTSIDE if ip_address(one) not in found), None)


def _set(path: Path, value: object, told: str, view: _View) -> Iterator[Change]:
    """The change that puts a value at a path, if it can be put there at all."""
    if (make := _made(path, value)) is None:
        return
    realm = Realm.ARGUMENTS if path.of_input else Realm.CONTEXT if path.variable == "context" else Realm.MEMBERSHIP
    now, is_there = seen(view.supposed, path)
    if not is_there or now != value or isinstance(now, bool) is not isinstance(value, bool):
        yield Change(realm, f"{told}{view.instead(path)}", str(path), make)


def _made(path: Path, value: object) -> Make | None:
    match path.variable, path.parts, value:
        case "context", ("input", _, *_), _:
            return partial(suppose.with_argument, names=path.of_input, value=value)
        case "context", ("time", fact), _:
            return partial(suppose.with_time, name=fact, value=value)
        case "context", ("scopes",), [*scopes]:
            return partial(suppose.with_scopes, scopes=frozenset(str(scope) for scope in scopes))
        case "context", ("actors",), []:
            return suppose.without_actors
        case "context", (fact,), _:
            return partial(suppose.with_proof, name=fact, value=value)
        case "principal", ("name" | "owner" | "kind" as attribute,), str(text):
            return partial(suppose.with_agent, name=attribute, value=text)
        case "principal", ("user", "issuer"), str(issuer):
            return partial(suppose.for_issuer, issuer=issuer)
    return None

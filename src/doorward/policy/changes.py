"""Changes worth trying: for each literal and each scope of some rules, what would make it true, and what would make it false."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from ipaddress import ip_address, ip_network
from typing import assert_never

from cedarpy import pst
from msgspec.structs import replace

from doorward.domain.flow import Confidentiality, Integrity
from doorward.domain.ids import PolicyId
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
    Subset,
    Value,
    Within,
    atoms,
)
from doorward.policy.change import Change, Make, Realm, View
from doorward.policy.facts.fact import EVERY
from doorward.policy.memberships import inside, outside
from doorward.policy.problems import cut
from doorward.policy.question import LOCAL
from doorward.policy.rules import Rule
from doorward.policy.schema import Action
from doorward.policy.shapes import Exact, Field, Many, Text, Truth, Whole
from doorward.policy.suppose import Supposition
from doorward.policy.telling import listed, named, shown
from doorward.policy.underive import argument_for

_SIGNS: Mapping[str, str] = {"==": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_CENT = Decimal("0.01")
_OUTSIDE = ("192.0.2.1", "198.51.100.1", "2001:db8::1")
"""Addresses that belong to nobody (RFC 5737, RFC 3849)."""
_WORDS: Mapping[tuple[str, ...], Sequence[str]] = {
    ("session", "integrity"): [word.value for word in Integrity],
    ("session", "confidentiality"): [word.value for word in Confidentiality],
}
"""All that can stand at a path of the context, where another text is none."""
_ELEMENTS = 8
"""Members of one literal set that are tried."""


def changes(rules: Sequence[Rule], deciding: Collection[PolicyId], supposed: Supposition, action: Action) -> tuple[Change, ...]:
    """Everything worth trying for these rules about a call of an action, each once; those that decide now may be thought away."""
    view = View(supposed, action)
    found: dict[str, Change] = {}
    for rule in rules:
        for change in (*_of_rule(rule, view), *(_gone(rule) if rule.id in deciding else ())):
            known = found.get(change.sentence, change)
            found[change.sentence] = replace(known, rules=known.rules | {rule.id})
    return tuple(sorted(found.values(), key=lambda change: change.realm.distance))


def _of_rule(rule: Rule, view: View) -> Iterator[Change]:
    # A bare "is there" is met by any value: last, so that a rule's own values stand for it.
    for atom in sorted((*_of_scope(rule.cedar), *atoms(rule.cedar)), key=lambda atom: isinstance(atom, Present)):
        yield from _of(atom, True, view)
        yield from _of(atom, False, view)


def _gone(rule: Rule) -> Iterator[Change]:
    """Without a policy, or with an exception from it where that can be had."""
    if rule.liftable_by is not None:
        told = f"with an exception from {rule.id}, which {cut(rule.liftable_by)} may give"
        yield Change(Realm.APPROVAL, told, f"policy {rule.id}", partial(_excepted, rule))
    yield Change(Realm.POLICIES, f"without policy {rule.id}", f"policy {rule.id}", partial(_without, rule))


def _without(rule: Rule, supposed: Supposition) -> Supposition:
    return replace(supposed, without=supposed.without | {rule.id})


def _excepted(rule: Rule, supposed: Supposition) -> Supposition:
    return replace(supposed, excepted=supposed.excepted | {rule.id})


def _of_scope(cedar: pst.Template) -> Iterator[Atom]:
    match cedar.principal:
        case pst.ScopeEq(entity=pst.EntityUid() as uid) | pst.ScopeIn(entity=pst.EntityUid() as uid):
            yield Within(Path("principal", ()), ((str(uid.type), uid.id),))
        case pst.ScopeIsIn(entity=pst.EntityUid() as uid):
            yield Within(Path("principal", ()), ((str(uid.type), uid.id),))


def _of(atom: Atom, is_wanted: bool, view: View) -> Iterator[Change]:
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


def _of_many(atom: Among | Holds | Subset | Empty | Within | InRange, is_wanted: bool, view: View) -> Iterator[Change]:
    """The same of what is about sets, memberships and networks."""
    match atom:
        case Among(path=path, values=values):
            yield from _among(path, values, is_wanted, view)
        case Holds():
            yield from _holds(atom, is_wanted, view)
        case Subset(path=path, values=values):
            yield from _subset(path, values, is_wanted, view)
        case Empty(path=path):
            yield from _emptied(path, is_wanted, view)
        case Within(path=path, uids=uids):
            yield from inside(path, uids, view) if is_wanted else outside(path, uids, view)
        case InRange(path=path, network=network):
            yield from _in_range(path, network, is_wanted, view)
        case _:
            assert_never(atom)


def _compared(atom: Compared, is_wanted: bool, view: View) -> Iterator[Change]:
    op = atom.op if is_wanted else OPPOSITE[atom.op]
    if isinstance(atom.value, tuple):
        yield from inside(atom.path, (atom.value,), view) if op == "==" else outside(atom.path, (atom.value,), view)
        return
    if op == "!=" and (words := _WORDS.get(atom.path.parts)) is not None:
        for word in words:
            yield from _set(atom.path, word, f"{named(atom.path)} = {shown(word)}", view) if word != atom.value else ()
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


def _paired(atom: Paired, view: View) -> Iterator[Change]:
    """Either side set to what the other has now."""
    if atom.op == "in":
        team = str(view.supposed.call.target.team)
        sides = {(atom.path.variable, atom.path.parts), (atom.other.variable, atom.other.parts)}
        if ("resource", ()) in sides or ("resource", ("team",)) in sides:
            yield from inside(Path("principal", ()), (("Team", team),), view)
        return
    for path, other in ((atom.path, atom.other), (atom.other, atom.path)):
        value, is_there = view.seen(other)
        if is_there and atom.op in ("==", "<=", ">="):
            yield from _set(path, value, f"{named(path)} = {named(other)}, which is {shown(value)},", view)


def _patterned(atom: Patterned, is_wanted: bool, view: View) -> Iterator[Change]:
    if is_wanted:
        witness = "".join("x" if piece is None else piece for piece in atom.pattern)
        told = f"{named(atom.path)} like {cut(atom.text)} (say, {shown(witness)})"
    else:
        value, _ = view.seen(atom.path)
        witness = _apart(value if isinstance(value, str) else "", [piece for piece in atom.pattern if piece])
        told = f"{named(atom.path)} not like {cut(atom.text)} (say, {shown(witness)})"
    yield from _set(atom.path, witness, told, view)


def _apart(text: str, pieces: Sequence[str]) -> str:
    """A text without the longest piece of a pattern; another text altogether where nothing is left."""
    longest = max(pieces, key=len, default="")
    return (text.replace(longest, "").strip() if longest else "") or "other"


def _present(path: Path, is_wanted: bool, view: View) -> Iterator[Change]:
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


def _left_out(path: Path, view: View) -> Iterator[Change]:
    """Without an argument that may be absent and is not."""
    if path.of_input and view.is_optional(path.of_input) and view.seen(path)[1]:
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


def _among(path: Path, values: Sequence[Value], is_wanted: bool, view: View) -> Iterator[Change]:
    if is_wanted:
        for value in values[:_ELEMENTS]:
            yield from _compared(Compared(path, "==", value), True, view)
    elif values and isinstance(values[0], str):
        yield from _set(path, "other", f"{named(path)} none of {listed(values)} (say, {shown('other')})", view)


def _holds(atom: Holds, is_wanted: bool, view: View) -> Iterator[Change]:
    found, _ = view.seen(atom.path)
    held = list(found) if isinstance(found, list | tuple) else []
    wanted = list(atom.values if atom.is_all else atom.values[:1])
    if is_wanted:
        value = [*held, *(one for one in wanted if one not in held)]
        yield from _set(atom.path, value, f"{named(atom.path)} with {listed(wanted)} in it", view)
    else:
        value = [one for one in held if one not in atom.values]
        yield from _set(atom.path, value, f"{named(atom.path)} without {listed(atom.values)}", view)


def _subset(path: Path, values: Sequence[Value], is_wanted: bool, view: View) -> Iterator[Change]:
    found, _ = view.seen(path)
    held = list(found) if isinstance(found, list | tuple) else []
    if is_wanted:
        value = [one for one in held if one in values] or list(values[:1])
        yield from _set(path, value, f"{named(path)} within {listed(values)}", view)
    else:
        yield from _set(path, [*held, "other"], f"{named(path)} not only of {listed(values)} (say, {shown('other')} too)", view)


def _emptied(path: Path, is_wanted: bool, view: View) -> Iterator[Change]:
    if is_wanted:
        yield from _set(path, [], f"{named(path)} empty", view)
    else:
        yield from _set(path, ["x"], f"{named(path)} not empty", view)


def _in_range(path: Path, network: str, is_wanted: bool, view: View) -> Iterator[Change]:
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


def _set(path: Path, value: object, told: str, view: View) -> Iterator[Change]:
    """The change that puts a value at a path, if it can be put there at all."""
    if path.of_derived:
        yield from _derived(path, value, told, view)
        return
    if (make := _made(path, value)) is None:
        return
    realm = Realm.ARGUMENTS if path.of_input else Realm.CONTEXT if path.variable == "context" else Realm.MEMBERSHIP
    now, is_there = view.seen(path)
    if not is_there or now != value or isinstance(now, bool) is not isinstance(value, bool):
        yield Change(realm, f"{told}{view.instead(path)}", str(path), make)


def _derived(path: Path, value: object, told: str, view: View) -> Iterator[Change]:
    """A derived fact as it is wanted: by an argument of which it would be derived so, or taken as given where there is none."""
    name, *attributes = path.of_derived
    fact = view.action.facts.get(name)
    now, is_there = view.seen(path)
    if fact is None or (is_there and now == value):
        return
    of = tuple(step for step in fact.of if step != EVERY)
    old, _ = suppose.argument(view.supposed.call, of)
    wanted = argument_for(fact, ".".join(attributes), value, old)
    if wanted is not None:
        said = f"{told}{view.instead(path)}, by {'.'.join(of)} = {shown(wanted)}"
        yield Change(Realm.ARGUMENTS, said, str(path), partial(suppose.with_argument, names=of, value=wanted))
    else:
        make = partial(suppose.with_fact, names=path.of_derived, value=value)
        yield Change(Realm.ARGUMENTS, f"{told}{view.instead(path)}, by other arguments", str(path), make)


def _made(path: Path, value: object) -> Make | None:
    match path.variable, path.parts, value:
        case "context", ("input", _, *_), _:
            return partial(suppose.with_argument, names=path.of_input, value=value)
        case "context", ("time", fact), _:
            return partial(suppose.with_time, name=fact, value=value)
        case "context", ("session", fact), _:
            return partial(suppose.with_session, name=fact, value=value)
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

"""Checks a rule against the vocabulary before it may decide: names, attributes, types.

Cedar's validator finds what could go wrong in an expression; it does not mind a `has` on an attribute that nothing has, nor a
name of an upstream that does not exist, and either makes a `forbid` silently dead. Those are found here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cedarpy import Schema, pst, validate_policies

from doorward.domain.ids import PolicyId, UpstreamId
from doorward.policy.problems import Problem, Weight, cut, meant
from doorward.policy.reads import Tree
from doorward.policy.rules import Origin, Rule
from doorward.policy.schema import AGENT, UPSTREAM, Action, Vocabulary
from doorward.policy.scope import covered
from doorward.policy.shapes import Fields, Gap, Shape

TYPES = ("Agent", "User", "Team", "Group", "Upstream", "Action")
_OF_CALL = ("input", "derived")
"""Attributes of the context that hang on the definition of what is called."""
_SHOWN = 3
"""Actions that one message names; the rest are counted."""

_MISSING = re.compile(r'attribute `(?P<path>.+)` in context for Action::"(?P<action>.+)" not found', re.DOTALL)
_BARE = re.compile(r"optional attribute `(?P<path>(?!(?:input|derived)[.\[]).+)` in context for", re.DOTALL)
_OPTIONAL = re.compile(r'optional attribute `(?P<path>.+)` in context for Action::"(?P<action>.+)"', re.DOTALL)
_OF_ENTITY = re.compile(r"optional attribute `(?P<path>.+)` on entity type `.+`", re.DOTALL)
_TYPE = re.compile(r"unrecognized entity type `(?P<path>.+)`", re.DOTALL)
_NOT_OF_ENTITY = re.compile(r"attribute `(?P<path>.+)` on entity type `(?P<type>.+)` not found", re.DOTALL)
_NOWHERE = "unable to find an applicable action"


def check(rules: Sequence[Rule], known: Vocabulary, schemas: Mapping[str, Schema]) -> Iterator[Problem]:
    """Everything wrong with well-formed rules; warnings among it. `schemas`: of each layer, by its team."""
    yield from _repeated(rules)
    for rule in rules:
        reach = sorted(covered(rule, known))
        of_names = [*_of_names(rule, known), *_of_scope(rule, known), *_of_team(rule, known)]
        if not of_names and not reach:
            of_names = [rule.problem("action", "nothing approved is in its scope, so it decides nothing", Weight.WARNING)]
        of_reads = list(_of_reads(rule, known, reach))
        # Of what ships nobody can be told to mend it: a catalogue in which nothing is outward yet is no mistake.
        yield from (*(() if rule.source.origin is Origin.SHIPPED else of_names), *of_reads)
        said = {(problem.line, problem.column) for problem in of_reads}
        yield from (problem for problem in _of_cedar(rule, schemas[rule.team], of_names) if (problem.line, problem.column) not in said)


def _repeated(rules: Iterable[Rule]) -> Iterator[Problem]:
    first: dict[PolicyId, Rule] = {}
    for rule in rules:
        other = first.setdefault(rule.id, rule)
        if other is not rule:
            yield rule.problem("id", f"the same @id stands at {other.source.path}:{other.spot.line}")


def _of_names(rule: Rule, known: Vocabulary) -> Iterator[Problem]:
    """Actions and upstreams that are named and not there."""
    for uid in sorted(pst.entity_uids(rule.cedar), key=str):
        if str(uid.type) == "Upstream" and uid.id not in known.upstreams:
            yield rule.problem(uid.id, f"there is no upstream {cut(uid.id)}{meant(uid.id, known.upstreams)}")
        if uid.type.basename == "Action" and uid.type.namespace:
            yield rule.problem(uid.id, f'actions have no namespace; write Action::"{uid.id}"')
        elif str(uid.type) == "Action" and uid.id not in known.members:
            yield _of_action(rule, uid.id, known)


def _of_action(rule: Rule, name: str, known: Vocabulary) -> Problem:
    upstream = UpstreamId(name.partition("/")[0])
    if upstream not in known.upstreams:
        return rule.problem(name, f"there is no action or group {cut(name)}{meant(name, known.members)}")
    if upstream not in known.discovered:
        told = f"{cut(name)} cannot be checked: nothing of {upstream} is approved yet"
        return rule.problem(name, told, Weight.WARNING)
    others = [other for other, action in known.actions.items() if action.upstream == upstream]
    return rule.problem(name, f"{upstream} has nothing approved of the name {cut(name)}{meant(name, others)}")


def _of_scope(rule: Rule, known: Vocabulary) -> Iterator[Problem]:
    """A scope that can match nothing, and why."""
    cedar = rule.cedar
    for what, wanted, constraint in (("principal", "Agent", cedar.principal), ("resource", "Upstream", cedar.resource)):
        if (other := _other_type(constraint, wanted)) is not None:
            yield rule.problem(what, f"a {what} is always an {wanted}, never {cut(other)}; write `{what} in …` for what it stands in")
    match cedar.action:
        case pst.ActionEq(entity=entity) if entity.id in known.members and entity.id not in known.actions:
            yield rule.problem(entity.id, f'{cut(entity.id)} is a group; write `action in Action::"{entity.id}"`')


def _of_team(rule: Rule, known: Vocabulary) -> Iterator[Problem]:
    """What a team's rule names in its scope and is not the team's: there it could never match."""
    if not rule.team:
        return
    alone = f"the policies of team {cut(rule.team)} decide for its own upstreams alone"
    for name in dict.fromkeys(_named(rule.cedar)):
        upstream = UpstreamId(name.partition("/")[0])
        owner = known.owners.get(upstream, rule.team)
        if owner != rule.team:
            yield rule.problem(name, f"{cut(upstream)} is owned by team {cut(owner)}, and {alone}")
    match rule.cedar.resource:
        case pst.ScopeIn(entity=pst.EntityUid() as entity) | pst.ScopeIsIn(entity=pst.EntityUid() as entity):
            if str(entity.type) == "Team" and entity.id != rule.team:
                yield rule.problem(entity.id, alone)


def _named(cedar: pst.Template) -> Iterator[str]:
    """The actions and upstreams that a scope names."""
    match cedar.action:
        case pst.ActionEq(entity=entity):
            yield entity.id
        case pst.ActionIn(entities=entities):
            yield from (entity.id for entity in entities)
    match cedar.resource:
        case (
            pst.ScopeEq(entity=pst.EntityUid() as entity)
            | pst.ScopeIn(entity=pst.EntityUid() as entity)
            | pst.ScopeIsIn(entity=pst.EntityUid() as entity)
        ):
            if str(entity.type) == "Upstream":
                yield entity.id


def _other_type(constraint: pst.PrincipalOrResourceConstraint, wanted: str) -> str | None:
    match constraint:
        case pst.ScopeEq(entity=pst.EntityUid() as entity) if str(entity.type) != wanted:
            return str(entity)
        case pst.ScopeIs(entity_type=kind) | pst.ScopeIsIn(entity_type=kind) if str(kind) != wanted:
            return str(kind)
    return None


def _of_reads(rule: Rule, known: Vocabulary, reach: Sequence[str]) -> Iterator[Problem]:
    """Attributes that are read and that nothing in the scope has, or that Cedar cannot hold."""
    yield from _of_entity(rule, "principal", rule.reads.principal, AGENT)
    yield from _of_entity(rule, "resource", rule.reads.resource, UPSTREAM)
    if reach and rule.reads.context:
        for path in rule.reads.context.paths():
            yield from _of_path(rule, path, [known.actions[name] for name in reach], known)


def _of_entity(rule: Rule, variable: str, read: Tree, attributes: Sequence[str]) -> Iterator[Problem]:
    for name in sorted(read.parts.keys() - set(attributes)):
        yield rule.problem(name, f"`{variable}` has no attribute {cut(name)}, only {', '.join(attributes)}{meant(name, attributes)}")


def _of_path(rule: Rule, path: tuple[str, ...], actions: Sequence[Action], known: Vocabulary) -> Iterator[Problem]:
    found = {action.name: _look_up(action, path) for action in actions}
    gaps = {name: gap.reason for name, gap in found.items() if isinstance(gap, Gap)}
    here = cut(".".join(("context", *path)))
    if gaps:
        told = f"policy cannot read {here} of {_some(gaps)}: {next(iter(gaps.values()))}"
        if len(gaps) == len(found):
            yield rule.problem(path[-1], told)
        else:
            yield rule.problem(path[-1], f"{told}; such a call is denied if the argument is there", Weight.WARNING)
    elif not any(found.values()):
        path = next(path[:end] for end in range(1, len(path) + 1) if not any(_look_up(action, path[:end]) for action in actions))
        here = cut(".".join(("context", *path)))
        names = {name for action in actions for name in _siblings(action.context, path)}
        of = f" of {_some(found)}" if path[0] in _OF_CALL else ""
        is_open = path[0] in _OF_CALL and any(action.upstream not in known.discovered for action in actions)
        told = f"there is no {here}{of}{meant(path[-1], names)}"
        yield rule.problem(path[-1], told, Weight.WARNING if is_open else Weight.ERROR)


def _look_up(action: Action, path: tuple[str, ...]) -> Shape | Gap | None:
    """What stands at a path of an action's context: a shape, a gap with its reason, or nothing."""
    if action.note is not None and path[:1] == ("input",) and len(path) > 1:
        return Gap(action.note)
    shape: Shape = action.context
    for name in path:
        if not isinstance(shape, Fields):
            return shape
        if name in shape.gaps:
            return Gap(shape.gaps[name])
        if name not in shape.fields:
            return None
        shape = shape.fields[name].shape
    return shape


def _siblings(shape: Shape, path: tuple[str, ...]) -> Iterator[str]:
    """What could have been meant by the first part of a path that is not there."""
    for name in path:
        if not isinstance(shape, Fields):
            return
        if name not in shape.fields:
            yield from shape.fields
            return
        shape = shape.fields[name].shape


def _of_cedar(rule: Rule, schema: Schema, of_names: Sequence[Problem]) -> Iterator[Problem]:
    """What Cedar's validator says and is not said yet, each thing once, in our words where ours are clearer."""
    said: dict[tuple[str, str], dict[str, None]] = {}
    errors = validate_policies(rule.piece.text, schema, release_gil=True).errors
    messages = sorted(" ".join(error.error.split()).removeprefix("for policy `policy0`, ") for error in errors)  # Cedar has no order
    is_explained = bool(of_names) or any(_TYPE.search(message) for message in messages)
    for message in messages:
        if message.startswith("unrecognized action `") or (is_explained and _NOWHERE in message):
            continue
        key, action = _told(message)
        said.setdefault(key, {})[action] = None
    for (word, message), actions in said.items():
        yield rule.problem(word, message.replace("{}", _some(sorted(action for action in actions if action))))


def _told(message: str) -> tuple[tuple[str, str], str]:
    """A word to point at with the message for it, and the action it is about (or none)."""
    for pattern, text in (
        (_BARE, "`context.{path}` may be absent; write `{has} &&` before it"),
        (_MISSING, "`context.{path}` is not there for {{}}; write `{has} &&` before it, or name the actions that have it"),
        (_OPTIONAL, "`context.{path}` may be absent for {{}}; write `{has} &&` before it"),
        (_OF_ENTITY, "`{path}` may be absent; write `principal has {path} &&` before it"),
        (_NOT_OF_ENTITY, "{type} has no attribute `{path}`"),
        (_TYPE, "there is no entity type `{path}`{meant}"),
    ):
        if (match := pattern.search(message)) is not None:
            path = match["path"]
            base, _, last = f"context.{path}".rpartition(".")
            told = text.format(**match.groupdict(), has=f"{base} has {last}", meant=meant(path, TYPES))
            return (last, told), match.groupdict().get("action") or ""
    return ("", "its scope can match nothing" if _NOWHERE in message else message), ""


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    shown = ", ".join(listed[:_SHOWN])
    return shown if len(listed) <= _SHOWN else f"{shown} and {len(listed) - _SHOWN} more"

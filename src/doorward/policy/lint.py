"""Lint: policies that decide nothing, or more than they look like. What is said is true of the catalogue as it stands."""

from collections.abc import Collection, Iterator, Sequence

from cedarpy import Schema, pst
from msgspec.structs import replace

from doorward.policy.breadth import broad
from doorward.policy.check import check
from doorward.policy.cover import Book
from doorward.policy.engine import Policies
from doorward.policy.problems import Problem, Weight
from doorward.policy.remarks import Gravity, Remark, Surroundings, remark
from doorward.policy.rules import Mode, Rule
from doorward.policy.schema import GROUPS
from doorward.policy.slips import slips

_SHOWN = 3

_DEAD = ("dead", Gravity.ERROR)
_SHADOWED = ("shadowed", Gravity.WARNING)


def lint(policies: Policies, around: Surroundings) -> tuple[Remark, ...]:
    """Everything worth saying, in the order of files and lines."""
    book = Book(policies.vocabulary)
    enforced = [rule for rule in policies.rules if rule.mode is Mode.ENFORCE]
    dead = {rule.id: rule for rule in policies.rules if _is_never(rule, book)}
    living = [rule for rule in enforced if rule.id not in dead]
    forbidden = {rule.id: rule for rule in living if rule.effect == "permit" and _under(rule, living, book)}
    found = [
        *_of_load(policies),
        *(_never(rule) for rule in dead.values()),
        *(_forbidden(rule, living, book) for rule in forbidden.values()),
        *_shadowed([rule for rule in living if rule.id not in forbidden], book),
        *(one for rule in policies.rules for one in broad(rule, book, policies.rules, around)),
        *(one for rule in policies.rules for one in slips(rule, around)),
    ]
    return tuple(sorted(found, key=lambda one: (one.path, one.line, one.column, one.rule)))


def _of_load(policies: Policies) -> Iterator[Remark]:
    """What the load has to say, as far as the catalogue is known: a name that is not in it is an error, of an upstream that is."""
    seen = frozenset(action.upstream for action in policies.vocabulary.actions.values() if action.target is not None)
    known = replace(policies.vocabulary, discovered=seen)
    schemas = {team: Schema.from_json_str(known.schema(team)) for team in {rule.team for rule in policies.rules}}
    by_id = {rule.id: rule for rule in policies.rules}
    for problem in check(policies.rules, known, schemas):
        if problem.policy is not None:
            gravity = _gravity(problem, by_id[problem.policy], seen)
            advice = (
                "a call that this is about is decided as if the policy failed"
                if gravity is Gravity.WARNING
                else "mend it, or accept it first"
            )
            yield Remark("load", gravity, problem.policy, problem.path, problem.line, problem.column, f"says: {problem.message}", advice)


def _gravity(problem: Problem, rule: Rule, seen: Collection[str]) -> Gravity:
    """An error as it is; a warning where it is about what nobody has accepted anything of is a note."""
    if problem.weight is Weight.ERROR:
        return Gravity.ERROR
    uids = pst.entity_uids(rule.cedar)
    named = {uid.id.partition("/")[0] for uid in uids if str(uid.type) in ("Action", "Upstream")} - set(GROUPS)
    return Gravity.WARNING if named <= set(seen) and seen else Gravity.NOTE


def _is_never(rule: Rule, book: Book) -> bool:
    """Whether no call of any action makes a policy match, though there are actions in its scope."""
    actions = book.actions(rule)
    return bool(actions) and all(book.branches(rule, book.known.actions[name]) == () for name in actions)


def _never(rule: Rule) -> Remark:
    word = "when" if any(token.text == "when" for token in rule.piece.tokens) else "unless"
    sentence = "matches nothing: what it asks can never be true together"
    return remark(_DEAD, rule, word, sentence, "mend the condition, or take the policy away")


def _under(rule: Rule, others: Sequence[Rule], book: Book) -> tuple[Rule, ...]:
    """The forbids that together deny whatever a permit permits."""
    return _together(
        rule, [other for other in others if other.effect == "forbid" and other.need is None and other.liftable_by is None], book
    )


def _forbidden(rule: Rule, others: Sequence[Rule], book: Book) -> Remark:
    sentence = f"permits nothing: {_names(_under(rule, others, book))} forbids all of it"
    return remark(_DEAD, rule, "permit", sentence, "take it away, or narrow the forbid")


def _together(rule: Rule, others: Sequence[Rule], book: Book) -> tuple[Rule, ...]:
    """Of some rules those that cover another one, action by action; none if together they do not."""
    actions = sorted(book.actions(rule))
    found = [next((other for other in others if book.covers(other, rule, name)), None) for name in actions]
    if not all(found):
        return ()
    return tuple({other.id: other for other in found if other is not None}.values())


def _shadowed(rules: Sequence[Rule], book: Book) -> Iterator[Remark]:
    """The rules that others cover; from the last, so that of two alike the later one is told, and all that are told may go together."""
    gone: set[int] = set()
    for rule in reversed(rules):
        left = [other for other in rules if other is not rule and id(other) not in gone and _may_stand_for(other, rule)]
        wide = _together(rule, left, book)
        if wide:
            gone.add(id(rule))
            does = "permits nothing that" if rule.effect == "permit" else "forbids nothing that"
            sentence = f"{does} {_names(wide)} does not {rule.effect} already"
            yield remark(_SHADOWED, rule, rule.effect, sentence, "take it away, or narrow the other")


def _may_stand_for(wide: Rule, narrow: Rule) -> bool:
    """Whether what one rule does to a call is at least what another does to it."""
    if wide.effect != narrow.effect:
        return False
    if wide.effect == "permit":
        return True
    return wide.liftable_by is None and (wide.need is None or (wide.need == narrow.need and narrow.liftable_by is None))


def _names(rules: Sequence[Rule]) -> str:
    told = " and ".join(str(rule.id) for rule in rules[:_SHOWN])
    return told if len(rules) <= _SHOWN else f"{told} and {len(rules) - _SHOWN} more"

"""Which rule covers which: wherever one matches, the other does, action by action over the catalogue as it stands."""

from collections.abc import Sequence

import msgspec
from cedarpy import pst

from doorward.domain.ids import TeamId
from doorward.policy.atoms import Compared, Path, Present, Within
from doorward.policy.question import Uid
from doorward.policy.rules import Rule
from doorward.policy.schema import Action, Vocabulary
from doorward.policy.scope import covered
from doorward.policy.shapes import Fields
from doorward.policy.truth import Branch, Literal, branches, implies, is_contradictory


class Book(msgspec.Struct, frozen=True):
    """Rules over a vocabulary, and what has been found out about them."""

    known: Vocabulary
    _written: dict[int, tuple[Branch, ...] | None] = msgspec.field(default_factory=dict)
    _settled: dict[tuple[int, str], tuple[Branch, ...] | None] = msgspec.field(default_factory=dict)
    _actions: dict[int, frozenset[str]] = msgspec.field(default_factory=dict)

    def actions(self, rule: Rule) -> frozenset[str]:
        """The actions that a rule can match, its resource included."""
        found = self._actions.get(id(rule))
        if found is None:
            named = covered(rule, self.known)
            found = frozenset(name for name in named if self._is_there(rule, self.known.actions[name]) is not False)
            self._actions[id(rule)] = found
        return found

    def branches(self, rule: Rule, action: Action) -> tuple[Branch, ...] | None:
        """The alternatives in which a rule matches an action; none if it never does, None where nobody can tell."""
        if id(rule) not in self._written:
            self._written[id(rule)] = branches(rule.cedar)
        written = self._written[id(rule)]
        if written is None or not any(_is_of_action(one) for branch in written for one in branch):
            return written
        key = (id(rule), action.name)
        if key not in self._settled:
            found = (self._settle(branch, action) for branch in written)
            self._settled[key] = tuple(branch for branch in found if branch is not None)
        return self._settled[key]

    def covers(self, wide: Rule, narrow: Rule, name: str) -> bool:
        """Whether one rule matches a call of an action wherever another does (or fails by itself)."""
        action = self.known.actions[name]
        if name not in self.actions(wide) or not self._reaches(wide, narrow, action):
            return False
        ours, theirs = self.branches(wide, action), self.branches(narrow, action)
        if ours is None or theirs is None:
            return False
        return all(any(all(implies(one, literal) for literal in other) for other in ours) for one in theirs)

    def owner(self, action: Action) -> TeamId | None:
        """The team that an action's upstream belongs to, where that is known."""
        return action.target.team if action.target is not None else self.known.owners.get(action.upstream)

    def _reaches(self, wide: Rule, narrow: Rule, action: Action) -> bool:
        """Whether layer and resource of one rule hold wherever those of another do."""
        if wide.team and wide.team not in (narrow.team, self.owner(action)):
            return False
        return self._is_there(wide, action) is True or wide.cedar.resource == narrow.cedar.resource

    def _is_there(self, rule: Rule, action: Action) -> bool | None:
        """Whether a rule's resource holds for an action; None where nobody knows whose its upstream is."""
        match rule.cedar.resource:
            case pst.ScopeEq(entity=pst.EntityUid() as uid) | pst.ScopeIn(entity=pst.EntityUid() as uid):
                return self._is_at((str(uid.type), uid.id), action)
            case pst.ScopeIsIn(entity=pst.EntityUid() as uid):
                return self._is_at((str(uid.type), uid.id), action)
        return True

    def _is_at(self, uid: Uid, action: Action) -> bool | None:
        match uid:
            case "Upstream", name:
                return action.upstream == name
            case "Team", team:
                owner = self.owner(action)
                return None if owner is None else owner == team
        return False

    def _settle(self, branch: Branch, action: Action) -> Branch | None:
        """An alternative without what is certain of an action; None if it cannot be."""
        open_ones: set[Literal] = set()
        for one in branch:
            is_so = self._of_action(one, action)
            if is_so is None:
                open_ones.add(one)
            elif not is_so:
                return None
        settled = frozenset(open_ones)
        return None if is_contradictory(settled) else settled

    def _of_action(self, one: Literal, action: Action) -> bool | None:
        """Whether a literal is as it says for every call of an action; None where a call says."""
        match one.atom:
            case Within(path=Path(variable="action"), uids=uids):
                found: bool | None = any(action.name in self.known.members.get(uid[1], ()) for uid in uids if uid[0] == "Action")
            case Within(path=Path(variable="resource"), uids=uids):
                answers = [self._is_at(uid, action) for uid in uids]
                found = True if True in answers else None if None in answers else False
            case Compared(path=Path(variable="action"), op=op, value=tuple(uid)):
                found = (uid == ("Action", action.name)) is (op == "==")
            case Compared(path=Path(variable="resource", parts=()), op=op, value=tuple(uid)):
                found = (uid == ("Upstream", action.upstream)) is (op == "==")
            case Compared(path=Path("context", ("reversibility",)), op=op, value=value) if action.target is not None:
                found = (value == str(action.target.reversibility)) is (op == "==")
            case Present(path=path) if path.of_input:
                found = _is_given(path.of_input, action)
            case _:
                return None
        return None if found is None else found is one.holds


def _is_of_action(one: Literal) -> bool:
    """Whether the action may say whether a literal is so."""
    match one.atom:
        case Within(path=path) | Compared(path=path):
            return path.variable in ("action", "resource") or path.parts == ("reversibility",)
        case Present(path=path):
            return bool(path.of_input)
    return False


def _is_given(names: Sequence[str], action: Action) -> bool | None:
    """Whether an argument is in every call of an action, or in none; None where it may be."""
    if action.note is not None:
        return None
    is_certain, shape = True, action.input
    for position, name in enumerate(names):
        if name not in shape.fields:
            return None if name in shape.gaps else False
        is_certain = is_certain and shape.fields[name].required
        inner = shape.fields[name].shape
        if not isinstance(inner, Fields):
            return None if not is_certain or position + 1 < len(names) else True
        shape = inner
    return True if is_certain else None

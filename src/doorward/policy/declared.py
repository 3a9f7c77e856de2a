"""Declared facts brought to the actions they are of; what does not fit is told, and denies where it is read."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from doorward.domain.catalog import Kind
from doorward.policy.facts.fact import Fact, derived_shape, misfit, unfit
from doorward.policy.problems import Problem, Weight, cut, meant
from doorward.policy.schema import Action, Vocabulary, context_shape


def with_facts(known: Vocabulary, declared: Sequence[Fact]) -> tuple[Vocabulary, tuple[Problem, ...]]:
    """The vocabulary with these facts in it, and what is wrong with them."""
    tools = {
        (one.upstream, one.target.name): one for one in known.actions.values() if one.target is not None and one.target.kind is Kind.TOOL
    }
    facts: dict[str, dict[str, Fact]] = {}
    problems: list[Problem] = []
    for fact in declared:
        action = tools.get((fact.upstream, fact.tool))
        wrong = _unknown(fact, known, tools) if action is None else misfit(fact, action.input if action.note is None else None)
        if wrong is not None:
            is_certain = fact.upstream in known.discovered
            problems.append(Problem("", 0, 0, None, f"{fact.place}: {wrong}", Weight.ERROR if is_certain else Weight.WARNING))
        if action is not None:
            facts.setdefault(action.name, {})[fact.name] = fact if wrong is None else unfit(fact, wrong)
    changed = {name: _with(known.actions[name], own) for name, own in facts.items()}
    return replace(known, actions={**known.actions, **changed}), tuple(problems)


def _with(action: Action, facts: dict[str, Fact]) -> Action:
    return replace(action, context=context_shape(action.input, derived_shape(facts, action.input)), facts=facts)


def _unknown(fact: Fact, known: Vocabulary, tools: Iterable[tuple[str, str]]) -> str:
    if fact.upstream not in known.discovered:
        return f"the tool {cut(fact.tool)} cannot be checked: nothing of {fact.upstream} is approved yet, or something waits for it"
    names = [name for upstream, name in tools if upstream == fact.upstream]
    return f"{fact.upstream} has nothing approved of the name {cut(fact.tool)}{meant(fact.tool, names)}"

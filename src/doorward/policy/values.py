"""What stands at a path of a request: the value that a policy would read there, before Cedar sees it."""

from collections.abc import Mapping
from types import MappingProxyType

from doorward.policy.atoms import Path
from doorward.policy.facts.fact import Fact
from doorward.policy.question import facts, user_issuer
from doorward.policy.reads import WHOLE
from doorward.policy.suppose import Supposition, argument
from doorward.policy.underive import derived

_NONE: Mapping[str, Fact] = MappingProxyType({})


def seen(supposed: Supposition, path: Path, facts_of: Mapping[str, Fact] = _NONE) -> tuple[object, bool]:
    """The value at a path, and whether there is one; of the agent that speaks, where a chain does. `facts_of`: what is derived."""
    call = supposed.call
    if path.of_derived:
        return derived(facts_of, call.arguments, path.of_derived)
    if path.of_input:
        return argument(call, path.of_input)
    match path.variable, path.parts:
        case "context", parts:
            return _below(facts(call.principal, call.target, supposed.at, WHOLE), parts)
        case "principal", parts:
            known = _of_agent(supposed)
            return (known[".".join(parts)], True) if ".".join(parts) in known else (None, False)
        case "resource", ("name",):
            return str(call.target.upstream), True
        case "resource", ("team",):
            return str(call.target.team), True
    return None, False


def _of_agent(supposed: Supposition) -> dict[str, object]:
    agent, subject = supposed.call.principal.agent, supposed.call.principal.subject
    known: dict[str, object] = {"name": str(agent.id), "owner": agent.owner, "kind": agent.kind, "team": str(agent.team)}
    return known if subject is None else {**known, "user": str(subject.id), "user.issuer": user_issuer(subject.id)}


def _below(value: object, names: tuple[str, ...]) -> tuple[object, bool]:
    for name in names:
        if not isinstance(value, Mapping) or name not in value:
            return None, False
        value = value[name]
    return value, True

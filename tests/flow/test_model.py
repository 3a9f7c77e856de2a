"""Whatever calls come in whatever order, with crashes and resets between: nothing that was acknowledged is lost, and all are kept apart."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from doorward.domain.calls import Call
from doorward.domain.flow import CLEAN, Flow, Label, Rise
from doorward.flow.rules import Rules, Trace
from tests.flow.bench import HOUR, Bench, document, finding
from tests.made import principal

UPSTREAMS = ("mail", "git", "public", "ward")
DOCUMENT = document(
    {"endorse": {"known": {"upstreams": ["mail"], "field": "/from", "domains": ["corp.example"]}}},
    mail={},
    git={"labels": {"integrity": "trusted"}},
    public={"labels": {"integrity": "trusted", "confidentiality": "public"}},
    ward={"labels": {"integrity": "trusted", "confidentiality": "restricted", "categories": ["health"]}},
)
RULES = Rules(DOCUMENT, Trace.ON)
AGENTS = {"k1": "claude", "k2": "claude", "k3": "robin"}
ADDRESSES = tuple(f"{name}@evil.example" for name in "abc")


@dataclass
class Model:
    """What one context must hold at least (`sure`) and may hold at most (`may`)."""

    sure: Label = CLEAN
    may: Label = CLEAN
    calls: int = 0
    first: dict[str, str] = field(default_factory=dict)
    """Where each address was seen first; empty where it can be trusted."""
    is_blind: bool = False
    at: float = 0.0


class Flowing(RuleBasedStateMachine):
    """Three instances of two agents."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(DOCUMENT)
        self.models: dict[str, Model] = {}
        self.out: dict[str, tuple[str, str, Call, Rise, Model]] = {}

    def _model(self, key: str) -> Model:
        model = self.models.get(key)
        if model is None or self.bench.clock() - model.at > 8 * HOUR:
            model = self.models[key] = Model(at=self.bench.clock())
        return model

    @rule(key=st.sampled_from(sorted(AGENTS)), upstream=st.sampled_from(UPSTREAMS), address=st.sampled_from(ADDRESSES))
    def forward(self, key: str, upstream: str, address: str) -> None:
        made = self.bench.call(upstream, principal(AGENTS[key], key=key), to=address)
        model, label = self._model(key), RULES.about(made.target).label
        is_untrusted = self.bench.contexts.flow(made).label.integrity.value == "untrusted"
        rise = self.bench.forwarded(made)
        if not is_untrusted:
            model.first.setdefault(address, "")
        model.may = model.may.joined(label)
        model.calls += 1
        model.at = self.bench.clock()
        self.out[made.id] = (key, upstream, made, rise, model)
        if upstream != "mail":
            model.sure = model.sure.joined(label)

    @precondition(lambda self: self.out)
    @rule(data=st.data(), address=st.sampled_from(ADDRESSES), is_known=st.booleans(), has_order=st.booleans())
    def answer(self, data: st.DataObject, address: str, is_known: bool, has_order: bool) -> None:
        key, upstream, made, _, _ = self.out.pop(data.draw(st.sampled_from(sorted(self.out))))
        model, label = self._model(key), RULES.about(made.target).label
        author = "ada@corp.example" if is_known else "mallory@evil.example"
        body = {"structuredContent": {"from": author, "body": address}}
        taken = self.bench.answered(made, body, *([finding("injection")] if has_order else ()))
        is_trusted = not has_order and (upstream != "mail" or is_known)
        assert (taken.endorsed == "known") is (is_trusted and upstream == "mail")
        assert taken.label.joined(label) == taken.label or taken.endorsed
        model.may = model.may.joined(taken.label)
        model.sure = model.sure.joined(taken.label)
        model.at = max(model.at, self._at(key))
        for shown in (author, address):
            model.first.setdefault(shown, "" if is_trusted else upstream)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def turn_back(self, data: st.DataObject) -> None:
        _, _, made, rise, model = self.out.pop(data.draw(st.sampled_from(sorted(self.out))))
        back = self.bench.contexts.withdrawn(made, rise)
        if back is not None:
            self.bench.store.write((back,))
            self.bench.contexts.rose(back)
            model.calls -= 1

    @rule(hours=st.sampled_from([0.1, 0.2, 0.3, 3, 7.9, 8.1]))
    def wait(self, hours: float) -> None:
        self.bench.clock.at += hours * HOUR

    @rule(die=st.integers(0, 7))
    def crash(self, die: int) -> None:
        """Seldom: from then on most contexts are blind."""
        if die != 7:
            return
        labels = {key: self._flow(key).label for key in AGENTS}
        asyncio.run(self.bench.restarted())
        self.out.clear()
        for key in AGENTS:
            flow = self._flow(key)
            assert flow.label == labels[key], "a crash changes no label"
            model = self._model(key)
            model.sure, model.may = flow.label, flow.label
            model.is_blind, model.first = model.is_blind or flow.label.integrity.value == "untrusted", {}

    @rule(key=st.sampled_from(sorted(AGENTS)))
    def reset(self, key: str) -> None:
        for context in self.bench.contexts.room.every():
            if context.instance == f"key:{key}":
                asyncio.run(self.bench.contexts.room.reset(context.number))
        self.models.pop(key, None)

    @rule()
    def sweep(self) -> None:
        asyncio.run(self.bench.contexts.sweep())

    @invariant()
    def labels_and_counters_are_what_flowed_in(self) -> None:
        for key in AGENTS:
            model, flow = self._model(key), self._flow(key)
            assert model.sure.joined(flow.label) == flow.label, "nothing that flowed in is missing"
            assert model.may.joined(flow.label) == model.may, "nothing is there that did not flow in"
            assert flow.calls == model.calls

    @invariant()
    def taint_is_what_was_seen_in_something_untrusted_first(self) -> None:
        for key, agent in AGENTS.items():
            model = self._model(key)
            asked = self.bench.call("git", principal(agent, key=key), to=list(ADDRESSES))
            found = {ADDRESSES[int(taint.pointer.rpartition("/")[2])]: taint.source for taint in self.bench.contexts.tainted(asked)}
            if not model.is_blind:
                assert found == {address: source for address in ADDRESSES if (source := model.first.get(address))}
            elif self._flow(key).label.integrity.value == "untrusted":
                assert found == dict.fromkeys(ADDRESSES, "")

    def _flow(self, key: str) -> Flow:
        return self.bench.contexts.flow(self.bench.call("git", principal(AGENTS[key], key=key)))

    def _at(self, key: str) -> float:
        found = [one.at for one in self.bench.contexts.room.every() if one.instance == f"key:{key}"]
        return found[0] if found else 0.0


TestFlowing = Flowing.TestCase
TestFlowing.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)

"""A room of contexts over a store in memory, with the calls that are made in it."""

from dataclasses import replace
from typing import Any

from doorward.config.model import Document
from doorward.domain.actors import Principal
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind
from doorward.domain.findings import Finding, Severity
from doorward.domain.flow import Rise
from doorward.domain.ids import CallId
from doorward.flow.contexts import Contexts
from doorward.flow.index import Names
from doorward.flow.room import Room
from doorward.flow.rules import Rules, Taken, Trace
from doorward.stores.memory_flow import MemoryFlow
from tests.made import Clock, call, principal, target

HOUR = 3_600
KEY = b"k" * 32


def document(flow: dict[str, Any] | None = None, **upstreams: dict[str, Any]) -> Document:
    """A document whose upstreams are labelled so; what is not said is as by default."""
    every = {name: {"url": f"https://{name}.example.com/mcp", **said} for name, said in upstreams.items()}
    return Document.model_validate({"flow": flow or {}, "upstreams": every})


TRUSTED = {"labels": {"integrity": "trusted"}}
PLAIN = document(mail={}, git=TRUSTED, public={"labels": {"integrity": "trusted", "confidentiality": "public"}})


class Bench:
    """Contexts whose rises are written to a store that outlives them."""

    def __init__(self, rules: Document = PLAIN, trace: Trace = Trace.ON, most: int = 100) -> None:
        self.clock, self.store = Clock(), MemoryFlow()
        self.rules, self.trace, self.most = rules, trace, most
        self.calls = 0
        self.contexts = self._new()

    def _new(self) -> Contexts:
        return Contexts(Room(self.store, self.most), Names(lambda size: KEY[:size]), self.clock, Rules(self.rules, self.trace))

    def adopt(self, rules: Document, trace: Trace = Trace.ON) -> None:
        """Other rules from now on."""
        self.rules, self.trace = rules, trace
        self.contexts.adopt(Rules(rules, trace))

    async def restarted(self) -> None:
        """The process is another one."""
        self.contexts = self._new()
        await self.contexts.room.load()

    def forwarded(self, made: Call) -> Rise:
        """A call whose intent is durable."""
        rise = self.contexts.rise(made)
        assert rise is not None
        self.store.write((rise,))
        self.contexts.rose(rise)
        return rise

    def answered(self, made: Call, body: object, *findings: Finding) -> Taken:
        """An answer, its outcome durable."""
        taken = self.contexts.taken(made, body, self.contexts.read(made, body), findings)
        if taken.rise is not None:
            self.store.write((taken.rise,))
            self.contexts.rose(taken.rise)
        return taken

    def read(self, upstream: str, body: object, by: str = "key1") -> Taken:
        """A call and its answer."""
        made = self.call(upstream, by=by)
        self.forwarded(made)
        return self.answered(made, body)

    def call(self, upstream: str = "mail", by: str | Principal = "key1", **arguments: object) -> Call:
        """A call by the holder of a key of claude's."""
        self.calls += 1
        who = principal(key=by) if isinstance(by, str) else by
        return replace(call(arguments, by=who, to=target(upstream, "tool")), id=CallId(f"c{self.calls}"))

    def sources(self, by: str = "key1", **arguments: object) -> dict[str, str]:
        """What of arguments is tainted, and where it comes from."""
        return {taint.pointer: taint.source for taint in self.contexts.tainted(self.call("git", by, **arguments))}


def finding(guard: str, rule: str = "some") -> Finding:
    """Something that was found."""
    return Finding(guard, rule, Severity.HIGH, "/content/0/text")


def resource(uri: str, upstream: str = "mail") -> Call:
    """A resource that is read."""
    return call({"uri": uri}, to=target(upstream, uri, Kind.RESOURCE, None), method="resources/read")


def text(*texts: str) -> dict[str, object]:
    """A result of texts."""
    return {"content": [{"type": "text", "text": one} for one in texts]}

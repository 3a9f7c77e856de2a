"""A caller under watch, in tests: what it calls and is answered, at what pace, and what becomes of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from doorward.admission.runaway.rules import compiled
from doorward.admission.runaway.watch import Standing, Watch
from doorward.config.runaway import Runaway
from doorward.domain.alerts import Alert
from doorward.domain.calls import Call
from doorward.domain.reasons import Refused
from doorward.telemetry.meter import Meter
from tests.made import Clock, target
from tests.made import call as made_call

Made = tuple[Call, Mapping[str, object]]
"""A call, and what it is answered."""


def text(said: str, **more: object) -> dict[str, object]:
    """A tool's result that is one text."""
    return {"content": [{"type": "text", "text": said}], **more}


def failed(said: str) -> dict[str, object]:
    """A tool's error."""
    return text(said, isError=True)


def step(name: str, said: str | Mapping[str, object], **arguments: object) -> Made:
    """A call of a tool, of which nobody has said what it does, and its answer."""
    aimed = replace(target(name=name), parents=frozenset({"write", "destructive", "external"}))
    return made_call(arguments, to=aimed), text(said) if isinstance(said, str) else said


def read(name: str, said: str | Mapping[str, object], **arguments: object) -> Made:
    """A call of a tool that only reads, and its answer."""
    aimed = replace(target(name=name), parents=frozenset({"read"}))
    return made_call(arguments, to=aimed), text(said) if isinstance(said, str) else said


def again(called: Call, extras: Mapping[str, object]) -> Call:
    """The same call with something else besides its arguments."""
    return made_call(called.arguments, by=called.principal, to=called.target, method=called.method, extras=extras)


def listed(method: str = "tools/list", **extras: object) -> Call:
    """A list."""
    return made_call(to=replace(target("*", "*"), parents=frozenset({"read"})), method=method, extras=extras)


@dataclass(slots=True)
class Trail:
    """Drives one watch and remembers what it said."""

    document: Mapping[str, object] = field(default_factory=dict)
    clock: Clock = field(default_factory=lambda: Clock(1_000.0))
    alerts: list[Alert] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    made: int = 0
    """Calls that were let through."""
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        rules = compiled(Runaway.model_validate(self.document))
        self.watch = Watch(rules, self.clock, Meter(), self.alerts.append)

    def make(self, call: Call, answer: Mapping[str, object] | None = None, standing: Standing = Standing.FREE) -> bool:
        """One call; whether it was let through."""
        try:
            with self.watch.admit(call, standing) as step:
                step.answered(text("done") if answer is None else answer)
        except Refused as refused:
            self.refused.append(refused)
            return False
        self.made += 1
        return True

    def go(self, steps: Iterable[Made], pause: float) -> "Trail":
        """Calls one after another, with a pause between two."""
        for call, answer in steps:
            self.make(call, answer)
            self.clock.at += pause
        return self

    def until_caught(self, steps: Iterable[Made], pause: float) -> int | None:
        """How many calls were made until the first that a rule caught: told of, or refused; None where none was."""
        for number, (call, answer) in enumerate(steps, 1):
            self.make(call, answer)
            if self.alerts or self.refused:
                return number
            self.clock.at += pause
        return None

"""What looks at messages: the guards that ship, those a document names, and what is done about what they find."""

from collections.abc import Sequence

from doorward.app import clocks
from doorward.app.owned import Owned
from doorward.app.plugging import Plugged, unplugged
from doorward.call.resolve import remade
from doorward.catalog.index import Index
from doorward.config.model import Document
from doorward.domain.calls import Call
from doorward.domain.ids import UpstreamId
from doorward.inspection.chain import Inspection, Marking
from doorward.inspection.guards.elicitation import Elicitation
from doorward.inspection.guards.injection import Injection
from doorward.inspection.guards.links import Links
from doorward.inspection.guards.own_secrets import OwnSecrets, Secrets
from doorward.inspection.guards.pii import Pii
from doorward.inspection.guards.schema import Schema, nowhere
from doorward.inspection.guards.secrets import OtherSecrets
from doorward.inspection.guards.size import Size
from doorward.inspection.guards.tricks import Tricks
from doorward.inspection.guards.unicode import Unicode
from doorward.inspection.links.hosts import Allowed
from doorward.inspection.personal.every import chosen
from doorward.inspection.view import Guard
from doorward.policy.dispose import DEFAULT, Table
from doorward.policy.dispositions import Dispositions
from doorward.runtime.screen import Screen

MARK_BYTES = 16
"""Of what frames a text that is spotlighted: more than anybody guesses."""


class Screening:
    """Makes the screen of each generation (`Screens`). `more`: guards that are asked after the others; `table`: what is done by default."""

    __slots__ = ("_more", "_own", "_plugged", "_schema", "_secrets", "_table")

    def __init__(self, secrets: Secrets, more: Sequence[Guard] = (), table: Table = DEFAULT, plugged: Plugged = unplugged) -> None:
        self._secrets = secrets
        self._more = tuple(more)
        self._table = table
        self._schema = Schema(_nothing, nowhere)
        self._plugged = plugged
        self._own = Owned()

    def of(self, document: Document, index: Index) -> Screen:
        """The screen of a document over a catalogue."""
        define = Definitions(index)
        schema = self._schema.again(define, Leniency(document))
        guards: tuple[Guard, ...] = (
            Size(),
            schema,
            Elicitation(),
            Unicode(),
            OwnSecrets(self._secrets),
            OtherSecrets(document.inspection.secrets.off, document.inspection.secrets.allow),
            personal(document),
            *self._own.of(document),
            leading(document),
            Injection(),
            Tricks(define),
            *self._more,
        )
        panel = self._plugged(document)
        marking = Marking(lambda: clocks.draw(MARK_BYTES).hex(), schema, lambda call: (define(call) or {}).get("outputSchema"))
        dispositions = Dispositions(self._table, document.inspection.dispositions, panel.observed)
        return Screen(Inspection(guards, remade, marking), dispositions, panel)


def personal(document: Document) -> Pii:
    """The guard of personal data that a document asks for; what it compiles is kept for who asks for the same."""
    return Pii(chosen(document.inspection.personal.off, document.inspection.personal.countries))


def leading(document: Document) -> Links:
    """The guard of links, with the hosts that a document allows."""
    declared = document.inspection.links
    more = {UpstreamId(name): Allowed.of((*declared.hosts, *hosts)) for name, hosts in declared.upstreams.items()}
    return Links(Allowed.of(declared.hosts), more)


def detached() -> Screening:
    """Of a gateway that holds no credentials, such as one that is only looked at."""
    return Screening(Nobody())


class Nobody:
    """No secrets at all (`Secrets`)."""

    __slots__ = ()

    def near(self, encoded: bytes) -> bool:
        return False

    def spans(self, text: str) -> tuple[tuple[int, int], ...]:
        return ()


class Definitions:
    """The accepted definition of a call's target, for the guards that check against it."""

    __slots__ = ("_index",)

    def __init__(self, index: Index) -> None:
        self._index = index

    def __call__(self, call: Call) -> dict[str, object] | None:
        entry = self._index.resolve(call.target.upstream, call.target.kind, call.target.name)
        is_same = entry is not None and entry.target.definition == call.target.definition
        return dict(entry.definition.body) if entry is not None and is_same else None


class Leniency:
    """Which upstreams take arguments that their tools' schemas do not name."""

    __slots__ = ("_lenient",)

    def __init__(self, document: Document) -> None:
        self._lenient = frozenset(name for name, upstream in document.upstreams.items() if upstream.extra_arguments == "allow")

    def __call__(self, upstream: UpstreamId) -> bool:
        return upstream in self._lenient


def _nothing(call: Call) -> None:
    """Of no catalogue."""

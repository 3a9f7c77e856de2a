"""Lists: what the catalogue holds and the policy could allow this principal, in one order, page by page."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from doorward.call.inbound import Inbound
from doorward.catalog.index import Entry
from doorward.domain.actors import Principal
from doorward.domain.catalog import Kind, Standing
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.policy.question import Moment
from doorward.runtime.snapshot import Snapshot
from doorward.wire.sealed import Seal

PAGE: Final = 250
"""Items of one page: most catalogues fit in one; a client that ignores cursors still sees plenty."""

KINDS: Final[Mapping[str, tuple[Kind, str]]] = {
    "tools/list": (Kind.TOOL, "tools"),
    "prompts/list": (Kind.PROMPT, "prompts"),
    "resources/list": (Kind.RESOURCE, "resources"),
    "resources/templates/list": (Kind.TEMPLATE, "resourceTemplates"),
}
"""The list methods: which kind each shows, and under which field."""


class Listing:
    """Shows each principal its own view of the catalogue."""

    __slots__ = ("_moment", "_nonce", "_seal")

    def __init__(self, seal: Seal, moment: Callable[[], Moment], nonce: Callable[[], bytes]) -> None:
        self._seal, self._moment, self._nonce = seal, moment, nonce

    def page(self, inbound: Inbound, snapshot: Snapshot) -> dict[str, object]:
        """One page of the list that a request asks for; raises `Refused` INVALID_PARAMS for a cursor that is not ours."""
        method = inbound.request.method
        kind, field = KINDS[method]
        shown = self.visible(inbound.principal, inbound.endpoint, kind, snapshot)
        context = f"cursor\0{inbound.principal.id}\0{inbound.endpoint or ''}\0{method}".encode()
        start = self._start(shown, inbound.request.params.get("cursor"), context)
        items = shown[start : start + PAGE]
        result: dict[str, object] = {field: [entry.shown(inbound.endpoint) for entry in items]}
        if start + PAGE < len(shown):
            result["nextCursor"] = self._seal.seal(items[-1].key.encode(), context, self._nonce())
        return result

    def visible(self, principal: Principal, endpoint: UpstreamId | None, kind: Kind, snapshot: Snapshot) -> Sequence[Entry]:
        """The entries of an endpoint that this principal may see, in the order of their keys."""
        at = self._moment()
        could_allow = snapshot.policies.could_allow
        return [
            entry
            for entry in snapshot.index.entries(endpoint, kind)
            if entry.standing is Standing.APPROVED
            and (snapshot.is_observed(entry.target.upstream) or could_allow(principal, entry.target, at))
        ]

    def fingerprint(self, principal: Principal, endpoint: UpstreamId | None, snapshot: Snapshot) -> dict[str, object]:
        """What a principal sees of each list, as a value to compare with a later one."""
        seen: dict[str, object] = {}
        for method, (kind, _) in KINDS.items():
            entries = self.visible(principal, endpoint, kind, snapshot)
            seen[method] = tuple((entry.key, entry.definition.digest) for entry in entries)
        return seen

    def _start(self, shown: Sequence[Entry], cursor: object, context: bytes) -> int:
        if cursor is None:
            return 0
        last = self._seal.open(cursor, context) if isinstance(cursor, str) else None
        if last is None:
            raise Refused(
                Reason.INVALID_PARAMS, "the cursor does not open for this caller and list", sentence="The cursor is not valid here."
            )
        return bisect_right([entry.key for entry in shown], last.decode())

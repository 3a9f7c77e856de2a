"""Cedar, asked by the shortest way: what it says of one question, without the objects and copies that `cedarpy` puts around it.

`cedarpy.is_authorized` copies the question, reads the answer with `json` and wraps it in three objects: 20 of its 50 µs. Its extension
module is asked here for the same text, which is read once; `tests/policy/test_cedar.py` holds the two against each other.
"""

import msgspec
from cedarpy import Entities, PolicySet
from cedarpy._internal import is_authorized


class _Diagnostics(msgspec.Struct, frozen=True, gc=False):
    reason: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What Cedar says: `Allow`, `Deny` or `NoDecision`, the policies that made it so, and what could not be evaluated."""

    decision: str
    diagnostics: _Diagnostics

    @property
    def allowed(self) -> bool:
        """Whether it says yes."""
        return self.decision == "Allow"


_DECODER = msgspec.json.Decoder(Verdict)

Request = dict[str, object]
"""Principal, action, resource and, if any of it is read, context (as JSON text), as Cedar takes them."""


def judge(request: Request, policies: PolicySet, entities: Entities) -> Verdict:
    """What Cedar says of a question; a question that it cannot read is `NoDecision`, with an error."""
    return _DECODER.decode(is_authorized(request, policies, entities._inner))  # noqa: SLF001 - as above

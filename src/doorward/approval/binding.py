"""What an approval holds for: exactly one call by its digest, its definition, the stable principal and the policies that asked (RULINGS 21).

An unrelated policy edit, a new key or a new token changes none of them; a changed byte of the arguments, a changed tool or a changed
text of a deciding policy does.
"""

import msgspec

from doorward.domain.calls import Call
from doorward.domain.decisions import Ask
from doorward.domain.ids import Digest
from doorward.domain.reasons import Reason, Refused


class Binding(msgspec.Struct, frozen=True):
    """One call as an approval names it. Two calls with the same binding are the same question."""

    digest: Digest
    definition: Digest | None
    principal: str
    basis: Digest
    """SHA-256 over the texts of the policies that asked."""


def bind(call: Call, decision: Ask) -> Binding:
    """The binding of a call under a decision; raises `Refused` where policy does not say on which texts it decided."""
    if not decision.basis:
        raise Refused(Reason.INTERNAL, "expected the decision to name the texts it rests on, so that an approval can be bound to them")
    return Binding(call.digest, call.target.definition, call.principal.id, decision.basis)

"""A question to people about one digest, and their answer."""

from dataclasses import dataclass

from doorward.domain.ids import Digest, GrantId


@dataclass(frozen=True, slots=True)
class Grant:
    """An answer that allows exactly one call: bound to its digest, definition and principal, expiring, single use (RULINGS 21)."""

    id: GrantId
    digest: Digest
    definition: Digest | None
    principal: str
    approved_by: str
    expires_at: str
    """RFC 3339, UTC."""
    edited: bytes | None = None
    """The arguments (canonical JSON) that the approvers put in place of the caller's; None where they said yes to these."""

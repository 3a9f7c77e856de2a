"""A credential for one audience for a while."""

from dataclasses import dataclass

from doorward.domain.ids import LeaseId
from doorward.domain.secret import Secret


@dataclass(frozen=True, slots=True)
class Lease:
    """What an upstream is shown on one call. Its `repr` names no value, for every value is a `Secret`."""

    id: LeaseId
    kind: str
    """The plan that made it: `none`, `static` and others (`credentials/plan.py`)."""
    audience: str
    scope: str
    headers: tuple[tuple[str, Secret], ...] = ()
    environment: tuple[tuple[str, Secret], ...] = ()
    account: str = ""
    """Whose account it opens: stays while the secret itself is renewed. Sessions with upstreams hang on it."""
    expires_at: float | None = None
    """When it ends (Unix seconds); None where nobody says."""

"""The same policies with memories of their own: what a set remembers is read and written by one thread alone."""

from doorward.policy.engine import Policies


def twin(policies: Policies) -> Policies:
    """A set that decides as this one does, for another thread to ask: calls are decided by this one meanwhile."""
    return Policies(policies.rules, policies.vocabulary, policies.digest, policies.warnings)

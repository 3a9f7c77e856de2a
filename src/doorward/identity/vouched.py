"""Tokens of our own authority, as far as the people in them are still those of an issuer of the configuration.

Our authority repeats what a company's provider said of a person, for as long as a grant lasts. Once that provider is taken out of the
configuration nobody says it any more.
"""

from collections.abc import Collection

import msgspec

from doorward.domain.actors import Principal
from doorward.domain.reasons import Reason, Refused
from doorward.identity.chain import Presented, Source


def is_vouched(subject: str, issuers: Collection[str]) -> bool:
    """Whether a person (`corp:alice`) is of one of these issuers."""
    return subject.partition(":")[0] in issuers


class Vouched(msgspec.Struct, frozen=True):
    """A source, but for people whom none of these issuers knows."""

    source: Source
    issuers: Collection[str]

    def identify(self, presented: Presented) -> Principal | None:
        """As the source does; raises `Refused` UNAUTHENTICATED besides."""
        principal = self.source.identify(presented)
        if principal is None or principal.subject is None or is_vouched(principal.subject.id, self.issuers):
            return principal
        raise Refused(Reason.UNAUTHENTICATED, "the token is of a person whose issuer is not declared any more")

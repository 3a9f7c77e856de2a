"""The first source of the chain: it knows nobody, and lets nobody pass whose certificate does not hold any more.

A certificate that is revoked spoils a request whatever else it brings along: a stolen token is shown on a connection of the thief's.
"""

from collections import OrderedDict
from collections.abc import Callable

from doorward.domain.reasons import Reason, Refused
from doorward.identity.certificate import Certificate
from doorward.identity.certificates.trust import Trust
from doorward.identity.chain import Presented

_MOST_SEEN = 4096
"""Certificates remembered, so that calls in flight can be cut when one of them spoils."""


class Spoiled:
    """Measures every certificate by the trust of now, on each request."""

    __slots__ = ("_now", "_seen", "_trust")

    def __init__(self, trust: Trust, now: Callable[[], float]) -> None:
        self._trust = trust
        self._now = now
        self._seen: OrderedDict[str, Certificate] = OrderedDict()

    def adopt(self, trust: Trust) -> tuple[Certificate, ...]:
        """Goes on with another trust; gives the certificates seen lately that do not hold under it, to be cut off where they run."""
        self._trust = trust
        return self.sweep()

    def sweep(self) -> tuple[Certificate, ...]:
        """The certificates seen lately that do not hold any more, each given once: for whenever time alone may have ended them."""
        spoiled = tuple(one for one in self._seen.values() if self.fault(one) is not None)
        for one in spoiled:
            del self._seen[one.thumbprint]
        return spoiled

    def closed(self) -> tuple[str, ...]:
        """The issuers of whom nothing is accepted because their revocation lists have ended."""
        return self._trust.revocations.ended(self._now())

    def fault(self, certificate: Certificate) -> str | None:
        """Why a certificate does not hold now; None where it does."""
        return self._trust.fault(certificate, self._now())

    def identify(self, presented: Presented) -> None:
        """Nobody; raises `Refused` REVOKED where the certificate does not hold."""
        certificate = presented.certificate
        if certificate is None:
            return
        fault = self.fault(certificate)
        if fault is not None:
            raise Refused(Reason.REVOKED, fault)
        if certificate.thumbprint not in self._seen:
            self._remember(certificate)

    def _remember(self, certificate: Certificate) -> None:
        if len(self._seen) >= _MOST_SEEN:
            self._seen.popitem(last=False)
        self._seen[certificate.thumbprint] = certificate

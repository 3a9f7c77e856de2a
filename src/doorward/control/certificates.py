"""Admin API: the certificates that our own authority has issued to agents. One is revoked like anything else (`certificate:ID`)."""

import msgspec
from pydantic import Field

from doorward.admission.stops import Effect, Matter, MatterKind, Switch
from doorward.control.operators import Role
from doorward.control.routes import Ask, Route, Shape
from doorward.domain.ids import AgentId
from doorward.identity.certificates.ca import IssuedRecord
from doorward.identity.certificates.issuing import IssuedStore


class CertificateQuery(Shape):
    """Whose certificates."""

    agent: str = Field("", max_length=64, description="One agent's; empty: everybody's")


class CertificateView(Shape):
    """One issued certificate. Times are Unix seconds."""

    id: str = Field(description="Its thumbprint (SHA-256, base64url), which `certificate:ID` names in stops")
    agent: str
    serial: str = Field(description="In hexadecimal")
    issued_at: float
    not_after: float
    proven_by: str = Field(description="What the agent proved itself with: `agent_key ID`, or `certificate ID` for a renewal")
    revoked: bool = Field(description="Whether an operator has revoked it by itself; that of a revoked agent holds as little")


class CertificateList(Shape):
    """Issued certificates, the latest first; those that have ended may be gone."""

    certificates: tuple[CertificateView, ...]


class IssuedCertificates(msgspec.Struct, frozen=True):
    """The operations on issued certificates."""

    store: IssuedStore
    switch: Switch

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        summary = "List certificates that were issued to agents"
        return (Route("GET", "/v1/certificates", Role.VIEWER, summary, self.all, gives=CertificateList, query=CertificateQuery),)

    async def all(self, ask: Ask) -> CertificateList:
        """Those of one agent, or of every agent."""
        assert isinstance(ask.query, CertificateQuery)
        agent = AgentId(ask.query.agent) if ask.query.agent else None
        return CertificateList(certificates=tuple(map(self._view, await self.store.all(agent))))

    def _view(self, record: IssuedRecord) -> CertificateView:
        effect = self.switch.effect(Matter(MatterKind.CERTIFICATE, record.id))
        return CertificateView(
            id=record.id,
            agent=record.agent,
            serial=record.serial,
            issued_at=record.issued_at,
            not_after=record.not_after,
            proven_by=record.proven_by,
            revoked=effect is Effect.REVOKED,
        )

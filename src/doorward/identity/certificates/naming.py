"""Which of its names a certificate is known by: a SPIFFE id (X.509-SVID), a DNS name or its subject, as the rules order them."""

from typing import Literal, assert_never

from doorward.config.identity import Certificates as Rules
from doorward.domain.ids import AgentId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.certificate import Certificate
from doorward.identity.certificates.trust import Embedded
from doorward.identity.identities import Identity, IdentityKind, misnamed

SCHEME = "spiffe://"
_OWN = "/agent/"
"""Our own authority names agents `spiffe://<trust domain>/agent/<id>`."""


def own_name(trust_domain: str, agent: AgentId) -> str:
    """The SPIFFE id that our own authority gives an agent."""
    return f"{SCHEME}{trust_domain}{_OWN}{agent}"


def own_agent(certificate: Certificate, embedded: Embedded | None) -> AgentId | None:
    """The agent that our own authority issued a certificate to; None for a certificate from elsewhere. Raises `Refused`."""
    if embedded is None or certificate.authority != embedded.thumbprint:
        return None
    start = own_name(embedded.trust_domain, AgentId(""))
    if len(certificate.uris) != 1 or not certificate.uris[0].startswith(start):
        raise _refused("the certificate comes from our own authority and names no agent")
    return AgentId(certificate.uris[0].removeprefix(start))


def identity_of(certificate: Certificate, rules: Rules, embedded: Embedded | None) -> Identity:
    """The identity of a certificate that others have issued: the first name of the rules that it has; raises `Refused`."""
    for kind in rules.names:
        found = _named(kind, certificate, rules, embedded)
        if found is not None:
            return found
    raise _refused(f"the certificate has no name of the kind {' or '.join(rules.names)}")


def _named(kind: Literal["spiffe", "dns", "subject"], certificate: Certificate, rules: Rules, embedded: Embedded | None) -> Identity | None:
    match kind:
        case "spiffe":
            return _spiffe(certificate, rules, embedded)
        case "dns":
            return _only(IdentityKind.DNS, certificate.dns)
        case "subject":
            return _only(IdentityKind.SUBJECT, (certificate.subject,) if certificate.subject else ())
        case _:
            assert_never(kind)


def _spiffe(certificate: Certificate, rules: Rules, embedded: Embedded | None) -> Identity | None:
    if not any(uri.startswith(SCHEME) for uri in certificate.uris):
        return None
    found = _only(IdentityKind.SPIFFE, certificate.uris)
    if found is not None:
        domain = found.name.removeprefix(SCHEME).partition("/")[0]
        if embedded is not None and domain == embedded.trust_domain:
            # Any root could name our agents otherwise.
            raise _refused(f"only our own authority may name agents of the trust domain {domain}")
        if rules.trust_domains and domain not in rules.trust_domains:
            raise _refused(f"the trust domain {domain[:200]!r} is not accepted")
    return found


def _only(kind: IdentityKind, names: tuple[str, ...]) -> Identity | None:
    """The one name of a kind; raises `Refused` where there are several, which could be two agents, or it is none that could be bound."""
    if not names:
        return None
    if len(names) > 1:
        raise _refused(f"the certificate has {len(names)} names of the kind {kind}, one is expected")
    found = Identity(kind, "", names[0])
    wrong = misnamed(found)
    if wrong is not None:
        raise _refused(wrong)
    return found


def _refused(detail: str) -> Refused:
    return Refused(Reason.UNAUTHENTICATED, detail)

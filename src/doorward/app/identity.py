"""Who acts, put together: the sources of identity, our own authority and the pages that lead there, made anew with each document."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from doorward.admission.matters import Matter, MatterKind
from doorward.app import clocks
from doorward.app.authority import Grounds, OurAuthority
from doorward.app.reach import Outside
from doorward.app.secured import Certification
from doorward.app.state import State
from doorward.app.visitors import Visitors, sign_in_of
from doorward.config.identity import Issuer
from doorward.config.model import Document
from doorward.config.references import Resolver
from doorward.domain.actors import Agent
from doorward.domain.ids import AgentId, TeamId
from doorward.domain.naming import OWN
from doorward.identity.agent_keys import AgentKeys
from doorward.identity.anonymous import Anonymous
from doorward.identity.certificate import Certificate
from doorward.identity.certificates.issuing import descended
from doorward.identity.certificates.source import Certificates
from doorward.identity.chain import Chain, Source
from doorward.identity.challenge import Challenges, silent
from doorward.identity.consents import Consents
from doorward.identity.enrolment import Enrolment
from doorward.identity.metadata import Advertised, advertised
from doorward.identity.resources import Resources
from doorward.identity.sign_in import SignIn
from doorward.identity.sign_ins import SignIns
from doorward.identity.tokens.dpop import Proofs
from doorward.identity.tokens.source import AccessTokens, Demand, Registered
from doorward.identity.tokens.trusted import Means, Trust
from doorward.identity.vouched import Vouched
from doorward.serving.authority.entrance import Hall
from doorward.serving.documents import documents
from doorward.serving.enroll import Identified, enrolling
from doorward.serving.keys import keys
from doorward.serving.pages import Pages, Places

Beside = Callable[[Document, str, Hall | None], Places]
"""Gives the pages of a document at a public URL, and in the hall where people sign in, if they do."""

_CONSENT_SECONDS = 30 * 86_400.0
"""How long an approval spares a person the question."""


class _Standing(msgspec.Struct, frozen=True):
    """What is known once the listener has its address."""

    resources: Resources
    pages: Pages
    identified: Identified


class Identification:
    """Everything that says who acts, across reloads: `stand` once the listener has its address, `take` with each document after that.

    Until it stands, nobody is known.
    """

    __slots__ = (
        "_beside",
        "_certified",
        "_challenges",
        "_document",
        "_proofs",
        "_standing",
        "_state",
        "_visitors",
        "authority",
        "chain",
        "enrolment",
        "sign_ins",
        "trust",
    )

    def __init__(self, document: Document, root: Path, state: State, resolver: Resolver, beside: Beside) -> None:
        """Raises a `DoorwardError` where a file that it needs cannot be read. `beside` gives further pages for people."""
        self._document, self._state = document, state
        self._standing: _Standing | None = None
        self._challenges = silent()
        self._proofs = Proofs(clocks.now)
        self.chain = Chain(())
        recorder = state.evidence.recorder
        self._beside, self._visitors = beside, Visitors(state.switch, state.seal, recorder.note, recorder.pseudonym)
        outside = Outside(root, resolver, lambda: self._document)
        self.enrolment = Enrolment(state.registry, recorder.note, clocks.now)
        self._certified = Certification(document, root, state, self.enrolment)
        self.trust = Trust(Means(outside.issuer, outside.secret, clocks.now))
        self.sign_ins = SignIns(lambda name, issuer: _sign_in(outside, name, issuer))
        self.authority = OurAuthority(
            Grounds(
                root=root,
                directory=state.directory,
                outside=outside,
                store=state.authority,
                consents=Consents(state.consents, clocks.now, _CONSENT_SECONDS),
                enrolment=self.enrolment,
                switch=state.switch,
                seal=state.seal,
                pseudonym=recorder.pseudonym,
                told=recorder.note,
                fault=self._certified.spoiled.fault,
            )
        )

    @property
    def certified(self) -> Certification:
        """What certificates are measured by."""
        return self._certified

    @property
    def pages(self) -> Pages:
        """What is served beside the endpoint; only once it stands."""
        assert self._standing is not None
        return self._standing.pages

    def challenges(self) -> Challenges:
        """What goes with a refusal that another credential would cure."""
        return self._challenges

    def stand(self, resources: Resources, identified: Identified) -> None:
        """The listener has its address: from now on callers are known. Raises a `DoorwardError`."""
        pages = Pages({}, resources.origin, clocks.monotonic, is_shared=self._certified.in_front.is_one)
        self._standing = _Standing(resources, pages, identified)
        self._state.voice.speak_as(resources.origin)
        self._build(self._document)

    def take(self, document: Document) -> None:
        """Goes on with another document; raises a `DoorwardError`, and goes on with the one before then."""
        before = self._document
        try:
            self._build(document)
        except BaseException:
            self._build(before)
            raise

    async def withdraw(self, matter: Matter, why: str) -> None:
        """Ends what was given to, or for, somebody or something that has been revoked; raises `StoreError`."""
        await self.authority.withdraw(matter, why)
        if matter.kind is MatterKind.CERTIFICATE:
            now = clocks.now()
            live = [one for one in await self._state.issued.all() if one.not_after > now]
            for one in sorted(descended(live, matter.name)):
                await self._state.switch.revoke(Matter(MatterKind.CERTIFICATE, one), f"it came of {matter.name}, {why}", OWN)

    def cut(self, spoiled: tuple[Certificate, ...]) -> None:
        """Ends what runs with certificates that do not hold any more."""
        for one in spoiled:
            self._state.switch.cut(Matter(MatterKind.CERTIFICATE, one.thumbprint), "its certificate does not hold any more")

    def _build(self, document: Document) -> None:
        standing = self._standing
        if standing is None:
            self._document = document
            return
        rules = document.identity
        # Whatever can fail comes first.
        ours = None if rules.authority is None else self.authority.trusted(standing.resources, rules.authority.key_days)
        back = self.trust.adopt(rules.issuers, ours)
        try:
            self.sign_ins.adopt(rules.issuers)
            sources = self._sources(document, standing.resources)
            offer = advertised(rules, document.listen, standing.resources)
            table = self._table(document, standing, offer)
        except BaseException:
            # What was fetched of the issuers before may not be had again just now.
            back()
            raise
        gone = self._document.identity.issuers.keys() - rules.issuers.keys()
        self._document = document
        declared = rules.anonymous
        self.enrolment.adopt(rules.enrol, frozenset() if declared is None else frozenset({AgentId(declared.agent)}))
        self._certified.adopt(rules)
        self.chain.adopt(sources)
        standing.pages.adopt(table)
        self._challenges = Challenges(offer, standing.resources)
        for name in gone:
            self._state.switch.cut(Matter(MatterKind.ISSUER, name), "its issuer is not declared any more")

    def _sources(self, document: Document, resources: Resources) -> list[Source]:
        """The ways to be known, in the order in which they are asked."""
        rules, registry = document.identity, self._state.registry
        sources: list[Source] = [self._certified.spoiled, AgentKeys(registry, clocks.now)]
        if rules.issuers or rules.authority is not None:
            registered = Registered(self.enrolment, lambda: registry.version, self.enrolment.until)
            demand = Demand.BOUND if rules.require_bound else Demand.ANY
            tokens = AccessTokens(self.trust, registered, resources.of, self._proofs, demand, clocks.now)
            sources.append(Vouched(tokens, frozenset(rules.issuers)))
        # Always: whoever shows a certificate that is nobody's is no anonymous caller.
        sources.append(Certificates(rules.certificates, self._certified.embedded, self.enrolment, registry, clocks.now))
        if rules.anonymous is not None:
            agent = Agent(AgentId(rules.anonymous.agent), "nobody", TeamId(rules.anonymous.team), "anonymous")
            sources.append(Anonymous(agent, registry))
        return sources

    def _table(self, document: Document, standing: _Standing, offer: Advertised | None) -> Places:
        """Everything that is served beside the endpoint."""
        resources = standing.resources
        table = {
            **documents(offer, resources),
            **keys(self._state.voice.jwks),
            **enrolling(self._certified.issuing, standing.identified, self._certified.proxies.shown),
        }
        name = sign_in_of(document)
        sign_in = None if name is None else self.sign_ins.of(name)
        hall = None if sign_in is None else self._visitors.hall(resources.origin, sign_in)
        table |= self._beside(document, resources.origin, hall)
        if document.identity.authority is not None:
            assert hall is not None, "the check of the document sees to it"
            table |= self.authority.pages(document, resources, self.trust, hall)
        return table


def _sign_in(outside: Outside, name: str, issuer: Issuer) -> SignIn:
    return SignIn(issuer, name, lambda: outside.secret(name), outside.issuer(issuer), clocks.draw, clocks.now)

"""Our authorization server in this house: what of it outlives a reload, and the pages that lead people through it."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from doorward.admission.matters import Matter, MatterKind, family
from doorward.admission.stops import Effect, Switch
from doorward.app import clocks
from doorward.app.reach import Outside
from doorward.app.secured import is_secured
from doorward.config.model import Document
from doorward.identity.authority import key_file
from doorward.identity.authority.admitted import AdmittedClients
from doorward.identity.authority.assembly import Means, Place, assembled
from doorward.identity.authority.families import AuthorityStore
from doorward.identity.authority.groups import FamilyGroups
from doorward.identity.authority.key_file import KeyFile
from doorward.identity.authority.keys import SigningKeys
from doorward.identity.authority.port import Told
from doorward.identity.authority.server import AuthorizationServer
from doorward.identity.certificate import Certificate
from doorward.identity.consents import Consents
from doorward.identity.enrolment import Enrolment
from doorward.identity.resources import Resources
from doorward.identity.tokens.dpop import Proofs
from doorward.identity.tokens.issuer import OWN
from doorward.identity.tokens.trusted import Trust, Trusted, own_issuer
from doorward.serving.authority.endpoints import Endpoints
from doorward.serving.authority.entrance import Hall
from doorward.serving.authority.flow import Around, Flow
from doorward.serving.authority.places import places
from doorward.serving.pages import Places
from doorward.wire.sealed import Seal

_LONGEST_TOKEN_SECONDS = 7_200.0
"""Longer than an access token of ours can be valid."""


class Grounds(msgspec.Struct, frozen=True):
    """What our authority stands on, whatever the configuration."""

    root: Path
    directory: Path
    """The state directory."""
    outside: Outside
    store: AuthorityStore
    consents: Consents
    enrolment: Enrolment
    switch: Switch
    seal: Seal
    pseudonym: Callable[[str], str]
    """How the log names a person."""
    told: Told
    fault: Callable[[Certificate], str | None]
    """Why a certificate does not hold, by its own trust."""


class OurAuthority:
    """The authority across reloads: what is remembered of proofs and families outlives a configuration."""

    __slots__ = ("_grounds", "_groups", "_has_heard", "_keys", "_proofs", "_server")

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._keys: SigningKeys | None = None
        self._has_heard = False
        self._proofs = Proofs(clocks.now)
        self._groups = FamilyGroups(grounds.store, clocks.now)
        self._server: AuthorizationServer | None = None

    def keys(self, key_days: float) -> SigningKeys:
        """The signing keys, read or made when they are first needed; raises a `DoorwardError`."""
        if self._keys is None:
            keys = SigningKeys(KeyFile(self._grounds.directory / key_file.NAME), clocks.draw, clocks.now, key_days)
            keys.load()
            self._keys = keys
        return self._keys

    def trusted(self, resources: Resources, key_days: float) -> Trusted:
        """It as an issuer of access tokens; raises a `DoorwardError`."""
        return own_issuer(resources.origin, self.keys(key_days), self._groups)

    def pages(self, document: Document, resources: Resources, trust: Trust, hall: Hall) -> Places:
        """Goes on with the server that a document asks for: what it has on the data listener.

        Raises a `DoorwardError` where a file of it cannot be read. A request that is under way is answered by the server that it has met.
        """
        server = self._server = self._made(document, resources, trust)
        return places(Endpoints(server, self._fault), Flow(Around(server, self._grounds.consents, hall)))

    async def withdraw(self, matter: Matter, why: str) -> None:
        """Ends what was granted to, or for, somebody who has been revoked, for good: whoever is restored begins anew. Raises `StoreError`."""
        store, consents, now = self._grounds.store, self._grounds.consents, clocks.now()
        ended: tuple[str, ...] = ()
        match matter.kind:
            case MatterKind.USER:
                ended = await store.end_subject(matter.name, why, now)
                await consents.withdraw_subject(matter.name)
            case MatterKind.CLIENT if matter.name.startswith(f"{OWN}:"):
                client = matter.name.removeprefix(f"{OWN}:")
                ended = await store.end_client(client, why, now)
                await consents.withdraw_client(client)
            case MatterKind.FAMILY:
                await store.end(matter.name, why, now)
            case _:
                pass
        for name in ended:
            await self._ended(name, why)

    async def upkeep(self) -> None:
        """Forgets what is over, and says which families have ended; raises a `DoorwardError`."""
        if self._server is not None:
            await self._server.upkeep()
        elif not self._has_heard:
            # A reload may put the authority back, and tokens of before the start are good again then.
            for one in await self._grounds.store.ended_since(clocks.now() - _LONGEST_TOKEN_SECONDS):
                await self._ended(one.id, one.ended_why)
            self._has_heard = True

    def _made(self, document: Document, resources: Resources, trust: Trust) -> AuthorizationServer:
        rules, grounds = document.identity.authority, self._grounds
        assert rules is not None, "a document without an authority has no server"
        place = Place(
            identity=document.identity,
            resources=resources,
            knows_certificates=is_secured(document.listen),
            root=grounds.root,
            trust=trust,
            web=grounds.outside.clients(rules.clients),
        )
        means = Means(
            store=grounds.store,
            keys=self.keys(rules.key_days),
            seal=grounds.seal,
            known=AdmittedClients(grounds.enrolment, self._is_withdrawn),
            proofs=self._proofs,
            told=grounds.told,
            ended=self._ended,
            pseudonym=grounds.pseudonym,
            draw=clocks.draw,
            now=clocks.now,
        )
        return assembled(rules, place, means)

    def _fault(self, certificate: Certificate) -> str | None:
        is_revoked = self._grounds.switch.effect(Matter(MatterKind.CERTIFICATE, certificate.thumbprint)) is Effect.REVOKED
        return "it is revoked" if is_revoked else self._grounds.fault(certificate)

    def _is_withdrawn(self, issuer: str, client: str) -> bool:
        matters = (Matter(MatterKind.CLIENT, f"{issuer}:{client}"), Matter(MatterKind.ISSUER, issuer))
        return any(self._grounds.switch.effect(matter) is Effect.REVOKED for matter in matters)

    async def _ended(self, name: str, why: str) -> None:
        """No access token of a family that has ended is accepted any more, on the next call and in flight."""
        self._grounds.switch.bar(family(name), why, clocks.now() + _LONGEST_TOKEN_SECONDS)

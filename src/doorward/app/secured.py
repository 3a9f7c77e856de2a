"""The certificates of clients: what they are measured by, who issues them here, and the files that say so, looked at again and again."""

import asyncio
from pathlib import Path

from doorward.app import clocks
from doorward.app.state import State
from doorward.app.watch import Files
from doorward.audit import keys
from doorward.config.identity import EmbeddedCa, Identity
from doorward.config.model import Document, Listen
from doorward.identity.certificates import trust
from doorward.identity.certificates.ca import Ca
from doorward.identity.certificates.issuing import Issuing
from doorward.identity.certificates.kept import kept
from doorward.identity.certificates.proxy import Proxies
from doorward.identity.certificates.spoiled import Spoiled
from doorward.identity.certificates.trust import Embedded
from doorward.identity.enrolment import Enrolment
from doorward.serving.tls import Prepared, prepared

CA_KEY = "ca.key"
"""What the key of our own certificate authority is made of, in the state directory, readable by its owner alone."""


class Certification:
    """Everything about certificates. The listener, and our own authority's trust domain, stay as they were at the start."""

    __slots__ = ("_files", "_listen", "_root", "embedded", "in_front", "issuing", "proxies", "read", "spoiled")

    def __init__(self, document: Document, root: Path, state: State, enrolment: Enrolment) -> None:
        """Raises a `DoorwardError` where a file of it cannot be read."""
        listen = document.listen
        self._listen, self._root = listen, root
        ca = _authority(document.identity.ca, state.directory)
        self.embedded: Embedded | None = None if ca is None else ca.embedded
        self._files = Files(trust.files(listen, root))
        self.read = self._prepared()
        """What the files said when they were read last."""
        self.spoiled = Spoiled(self.read.trust, clocks.now)
        proxy = listen.proxy
        self.proxies = Proxies(proxy.addresses if proxy is not None and proxy.client_cert else (), self.embedded, clocks.now)
        self.in_front = Proxies(proxy.addresses if proxy is not None else (), self.embedded, clocks.now)
        """Every proxy, also those that tell of no certificates."""
        self.issuing: Issuing | None = None
        if ca is not None:
            self.issuing = Issuing(ca, state.issued, enrolment, state.registry, state.evidence.recorder.note, clocks.now)
        self.adopt(document.identity)

    def adopt(self, rules: Identity) -> None:
        """Goes on with other rules."""
        if rules.ca is not None and self.issuing is not None:
            self.issuing.lasting(rules.ca.hours)

    async def renewed(self) -> Prepared | None:
        """What the files say now, read beside the loop, if any of them has changed since the last look; raises a `DoorwardError`."""
        if not await asyncio.to_thread(self._files.have_changed, trust.files(self._listen, self._root)):
            return None
        self.read = await asyncio.to_thread(self._prepared)
        return self.read

    def _prepared(self) -> Prepared:
        return prepared(self._listen, self._root, self.embedded, clocks.now())


def is_secured(listen: Listen) -> bool:
    """Whether clients may show certificates, to us or to a proxy."""
    return (listen.tls is not None and listen.tls.clients != "off") or (listen.proxy is not None and listen.proxy.client_cert)


def _authority(rules: EmbeddedCa | None, directory: Path) -> Ca | None:
    """Our own authority, made on its first use; raises a `DoorwardError`."""
    if rules is None:
        return None
    secret = keys.kept(directory / CA_KEY, clocks.draw)
    return kept(directory, secret, rules.trust_domain, clocks.now(), clocks.draw)

"""To whom tokens are tied: the key of a DPoP proof (RFC 9449) or the client certificate of the connection (RFC 8705)."""

from hashlib import sha256

import msgspec

from doorward.identity.certificate import Certificate


class Held(msgspec.Struct, frozen=True):
    """What the sender of a token request has proven to hold."""

    jkt: str
    """The thumbprint of its DPoP key; empty where no proof was sent."""
    certificate: Certificate | None

    @property
    def confirmation(self) -> dict[str, str] | None:
        """The `cnf` of access tokens: the key where there is a proof, else the certificate; None leaves them to whoever has them."""
        if self.jkt:
            return {"jkt": self.jkt}
        return None if self.certificate is None else {"x5t#S256": self.certificate.thumbprint}

    @property
    def token_type(self) -> str:
        """How the access token must be presented."""
        return "DPoP" if self.jkt else "Bearer"

    @property
    def holder(self) -> str:
        """What refresh tokens are tied to: the DPoP key, or the names that the certificate gives, as a certificate lives but hours."""
        if self.jkt:
            return f"jkt:{self.jkt}"
        return "" if self.certificate is None else f"names:{_names(self.certificate)}"


def _names(certificate: Certificate) -> str:
    """One text for every certificate of one holder by one root."""
    names = (certificate.authority, certificate.subject, certificate.uris, certificate.dns)
    return sha256(msgspec.msgpack.encode(names)).hexdigest()

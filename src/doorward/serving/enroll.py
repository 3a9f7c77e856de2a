"""`POST /enroll`: an agent that proves itself gets a certificate for a key of its own, from our own authority."""

from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from doorward.domain.actors import Principal
from doorward.domain.errors import DoorwardError
from doorward.domain.reasons import TABLE, Refused
from doorward.identity.certificate import Certificate
from doorward.identity.certificates.ca import RequestError
from doorward.identity.certificates.issuing import Issuing
from doorward.identity.chain import Presented
from doorward.serving.pages import Place, Places
from doorward.serving.port import CONNECTION

PATH = b"/enroll"
REQUEST_TYPE = "application/x-pem-file"
"""What a signing request is sent as: no page of a browser can send it without asking first."""
CHAIN_TYPE = "application/pem-certificate-chain"
"""RFC 8555 §9.1."""

Shown = Callable[[Certificate | None, str, bytes | None, bytes | None], Certificate | None]
"""`Proxies.shown`."""


Identified = Callable[[Presented], Awaitable[Principal]]
"""The spine's own: nobody is known here who would not be known there, and whoever knocks is told to the log."""


def enrolling(issuing: Issuing | None, identified: Identified, shown: Shown) -> Places:
    """The page in the table; none where there is no authority of ours."""
    return {} if issuing is None else {PATH: Place(Enroll(identified, issuing, shown).page, ("POST",))}


class Enroll(msgspec.Struct, frozen=True):
    """The page."""

    identified: Identified
    issuing: Issuing
    shown: Shown

    async def page(self, request: Request) -> Response:
        """A certificate and its root (PEM) for the agent that asks; its body is a signing request (PEM)."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != REQUEST_TYPE:
            return PlainTextResponse(f"The Content-Type must be {REQUEST_TYPE}.", 415)
        try:
            presented = self._presented(request)
            principal = await self.identified(presented)
            chain = await self.issuing.issued(principal, await request.body())
            # Who was revoked while it was made does not get it: whoever revokes ends what is remembered by then, and this is.
            await self.identified(presented)
        except Refused as refused:
            status = TABLE[refused.reason].status
            return PlainTextResponse(refused.public, status, {"www-authenticate": "Bearer"} if status == 401 else None)
        except RequestError as error:
            return PlainTextResponse(f"This request gets no certificate: {error}.", 400)
        except DoorwardError:
            return PlainTextResponse("The certificate could not be recorded, so it was not issued.", 503)
        return Response(chain, media_type=CHAIN_TYPE)

    def _presented(self, request: Request) -> Presented:
        network = request.client.host if request.client else ""
        headers = dict(request.scope["headers"])
        own = request.scope[CONNECTION].certificate
        return Presented(
            authorization=request.headers.get("authorization"),
            network=network,
            # Nobody is an anonymous caller here.
            loopback=False,
            certificate=self.shown(own, network, headers.get(b"client-cert"), headers.get(b"client-cert-chain")),
        )

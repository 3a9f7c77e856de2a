"""`POST /enroll` as pages call it: who is let in, and what is said to the others."""

from base64 import b64encode
from typing import Any

import pytest
from starlette.requests import Request

from doorward.domain.actors import AuthnMethod, Principal
from doorward.domain.reasons import Reason, Refused
from doorward.identity.certificate import Certificate
from doorward.identity.certificates.proxy import Proxies
from doorward.identity.chain import Presented
from doorward.serving.enroll import REQUEST_TYPE, Enroll, enrolling
from doorward.serving.port import CONNECTION
from tests.certificates import authority
from tests.identity.certificates.house import seen
from tests.identity.certificates.test_ca import NOW, request
from tests.identity.certificates.test_issuing import Desk, desk
from tests.made import principal

pytestmark = pytest.mark.anyio

ROOT = authority()
LEAF = ROOT.leaf()


class Connection:
    """A connection that shows a certificate, or none."""

    def __init__(self, certificate: Certificate | None = None) -> None:
        self.certificate = certificate

    def on_hangup(self, callback: object) -> None: ...

    async def written(self) -> None: ...


class Knower:
    """A spine that knows whoever presents anything."""

    def __init__(self, method: AuthnMethod = AuthnMethod.AGENT_KEY, refused: Refused | None = None) -> None:
        self.presented: list[Presented] = []
        self.method, self.refused = method, refused

    async def identified(self, presented: Presented) -> Principal:
        self.presented.append(presented)
        if self.refused is not None:
            raise self.refused
        return principal("one", method=self.method)


async def sent(here: Desk, knower: Knower, body: bytes, connection: Connection | None = None, **headers: str) -> Any:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    lines = {"content-type": REQUEST_TYPE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http",
        "method": "POST",
        "headers": [(name.encode(), value.encode()) for name, value in lines.items()],
        # A proxy shows nobody's certificate but the one in its header.
        "client": ("10.0.0.6" if connection else "10.0.0.5", 1),
        CONNECTION: connection or Connection(),
    }
    page = Enroll(knower.identified, here.issuing, Proxies(("10.0.0.5",), None, lambda: NOW).shown)
    return await page.page(Request(scope, receive))


async def test_agent_that_proves_itself_gets_a_certificate_and_its_root() -> None:
    knower = Knower()
    answer = await sent(await desk(), knower, request(), authorization="Bearer dw_x")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pem-certificate-chain")
    assert answer.body.count(b"BEGIN CERTIFICATE") == 2
    # Once before it is made, and once before it leaves the house.
    assert knower.presented == [Presented("Bearer dw_x", "10.0.0.5", loopback=False)] * 2


async def test_certificate_of_the_connection_or_of_a_proxy_is_presented() -> None:
    knower, direct = Knower(AuthnMethod.CERTIFICATE), seen(LEAF, ROOT)
    await sent(await desk(), knower, request(), Connection(direct))
    await sent(await desk(), knower, request(), client_cert=f":{b64encode(LEAF.der).decode()}:")
    assert [one.certificate and one.certificate.thumbprint for one in knower.presented] == [direct.thumbprint] * 2


async def test_others_are_told_why_and_get_nothing() -> None:
    here = await desk()
    unknown = Refused(Reason.UNAUTHENTICATED, "the key that is wrong in this way")
    answers = [
        await sent(here, Knower(refused=unknown), request()),
        await sent(here, Knower(AuthnMethod.ACCESS_TOKEN), request()),
        await sent(here, Knower(), b"abc"),
        await sent(here, Knower(), request(), client_cert="abc"),
        await sent(here, Knower(), request(), content_type="text/plain"),
    ]
    assert [answer.status_code for answer in answers] == [401, 403, 400, 400, 415]
    assert answers[0].headers["www-authenticate"] == "Bearer"
    assert b"in this way" not in answers[0].body
    assert await here.store.all() == ()


async def test_page_is_there_only_where_something_issues() -> None:
    here, shown = await desk(), Proxies((), None, lambda: NOW).shown
    assert enrolling(None, Knower().identified, shown) == {}
    (path, place) = next(iter(enrolling(here.issuing, Knower().identified, shown).items()))
    assert (path, place.methods) == (b"/enroll", ("POST",))

"""Finding an upstream's era over HTTP without side effects (PROTOCOL.md §1.8): `server/discover` first, never a call."""

from collections.abc import Mapping
from typing import Final

from doorward.domain.calls import Answer, Era, Fault
from doorward.domain.clipping import clipped
from doorward.domain.leases import Lease
from doorward.domain.reasons import Ran, Refused
from doorward.net.connection import Response
from doorward.net.http import Pool
from doorward.upstream.answers import Answers, Asked
from doorward.upstream.faults import UNACCEPTED, broken, of_status
from doorward.upstream.introductions import SpeaksExchange, SpeaksNeither, SpeaksSession, verdict
from doorward.upstream.messages import Tongue, exchange_params, read_response, request
from doorward.upstream.order import own_order
from doorward.upstream.port import unheard
from doorward.upstream.relay import Relay
from doorward.wire.eras import EXCHANGE_VERSIONS
from doorward.wire.headers import derive

METHOD: Final = "server/discover"


async def probe(tongue: Tongue, pool: Pool, lease: Lease) -> str | None:
    """The revision of the exchange era that the upstream speaks, or None if `initialize` is what to try.

    Raises NetError if it does not answer, which is no sign of an era, and Refused if it turns away the credential or speaks neither era.
    """
    order = own_order(METHOD, {}, lease)
    version = EXCHANGE_VERSIONS[0]
    headers = derive(METHOD, {}, version, None)
    headers.extend((name, secret.reveal()) for name, secret in lease.headers)
    response = await pool.post(headers, request(1, METHOD, exchange_params(order, None, version, tongue.client_info)))
    body = await _body(tongue, response)
    if response.status in UNACCEPTED:
        raise of_status(tongue.upstream, response)
    match verdict(body, response.status):
        case SpeaksExchange(version):
            return version
        case SpeaksSession():
            return None
        case SpeaksNeither(versions):
            raise broken(tongue.upstream, f"it speaks only {clipped(', '.join(versions), 200)}", Ran.NO)


async def _body(tongue: Tongue, response: Response) -> Mapping[str, object] | Fault | None:
    """The result or error in an answer of any status, or None if there is none: a server of another era may say anything."""
    if isinstance(response.body, bytes):
        message = read_response(tongue, response.body)
        return None if message is None else message.body
    asked = Asked(1, Era.EXCHANGE, Relay(None, None), unheard)
    try:
        found = await Answers(tongue, lambda: None).streamed(response.body, asked)
    except Refused:
        return None
    return found.body if isinstance(found, Answer) else None

"""A message as somebody writes it down to try guards with: a JSON-RPC message, the part of one that is looked at, or a text alone."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from doorward.domain.calls import Fault
from doorward.domain.errors import DoorwardError
from doorward.domain.reasons import Refused
from doorward.inspection.view import Carrier
from doorward.wire.jsonrpc import Limits, parse_value


class ProbeError(DoorwardError):
    """A message that is none."""


class Probe(msgspec.Struct, frozen=True):
    """A message to be tried, and whose it is said to be."""

    carrier: Carrier
    body: Mapping[str, object] | Fault
    """Arguments, a result or error, or params of a notification."""
    method: str = "tools/call"
    upstream: str = ""
    tool: str = ""
    agent: str = "somebody"
    team: str = "somebody"


def of_text(carrier: Carrier, text: str) -> Probe:
    """A message with this text in it alone."""
    match carrier:
        case Carrier.REQUEST:
            return Probe(carrier, {"text": text})
        case Carrier.RESPONSE:
            return Probe(carrier, {"content": [{"type": "text", "text": text}]})
        case Carrier.NOTICE:
            return Probe(carrier, {"level": "info", "data": text}, "notifications/message")


def of_json(carrier: Carrier, raw: bytes) -> Probe:
    """A message from JSON; raises `ProbeError`."""
    try:
        value = parse_value(raw, Limits())
    except Refused as refused:
        raise ProbeError(f"expected a message in JSON: {refused.public} {refused.detail}") from refused
    if not isinstance(value, dict):
        raise ProbeError("expected a JSON object")
    params = value.get("params")
    match carrier:
        case Carrier.REQUEST if isinstance(params, dict):
            return _request(value, params)
        case Carrier.NOTICE if isinstance(params, dict):
            return Probe(carrier, params, str(value.get("method", "")))
        case Carrier.RESPONSE:
            return _response(value)
        case _:
            return Probe(carrier, value, "notifications/message" if carrier is Carrier.NOTICE else "tools/call")


def said_of(probe: Probe, target: tuple[str, str], caller: tuple[str, str]) -> Probe:
    """The same of this upstream and tool, by this agent and team, as far as they are said."""
    (upstream, tool), (agent, team) = target, caller
    return replace(probe, upstream=upstream or probe.upstream, tool=tool or probe.tool, agent=agent or probe.agent, team=team or probe.team)


def _request(value: Mapping[str, object], params: Mapping[str, object]) -> Probe:
    method = str(value.get("method", "tools/call"))
    if method == "resources/read":
        return Probe(Carrier.REQUEST, {"uri": params.get("uri")}, method, tool=str(params.get("uri", "")))
    arguments = params.get("arguments", {})
    if not isinstance(arguments, dict):
        raise ProbeError("expected an object of arguments")
    return Probe(Carrier.REQUEST, arguments, method, tool=str(params.get("name", "")))


def _response(value: Mapping[str, object]) -> Probe:
    error, result = value.get("error"), value.get("result")
    if isinstance(error, dict) and isinstance(error.get("code"), int):
        return Probe(Carrier.RESPONSE, Fault(error["code"], str(error.get("message", "")), error.get("data")))
    return Probe(Carrier.RESPONSE, result if isinstance(result, dict) else value)

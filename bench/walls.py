"""How long each stage of a call takes by the gateway's own clock, with what it waits for (`telemetry.stages`)."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from pathlib import Path

from doorward.client.admin import Admin

_LINE = re.compile(r'^doorward_stage_seconds_sum\{stage="(\w+)"\} (\S+)$', re.MULTILINE)
_ENDED = re.compile(r'^doorward_call_seconds_count\{upstream="[^"]*"\} (\S+)$', re.MULTILINE)
_WAIT_SECONDS = 10.0
WAY = (
    "identify",
    "resolve",
    "admit",
    "authorize",
    "inspect_request",
    "approve",
    "intend",
    "credential",
    "forward",
    "inspect_response",
    "conclude",
    "render",
)
"""The stages in the order of a call; those that are not among them come last."""


def metrics(admin: Admin) -> str:
    """The page of metrics, from the control socket."""
    assert isinstance(admin.door, Path)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_WAIT_SECONDS)
        connection.connect(str(admin.door))
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: doorward\r\nConnection: close\r\n\r\n")
        pieces = iter(lambda: connection.recv(65536), b"")
        return b"".join(pieces).decode()


def walls(before: str, after: str) -> Mapping[str, float]:
    """Microseconds of each stage for one call, between two pages of metrics. Pure."""
    calls = _calls(after) - _calls(before)
    earlier = dict(_LINE.findall(before))
    spent = {stage: float(total) - float(earlier.get(stage, 0)) for stage, total in _LINE.findall(after)}
    ordered = [*[stage for stage in WAY if stage in spent], *[stage for stage in spent if stage not in WAY]]
    return {stage: 1e6 * spent[stage] / calls for stage in ordered} if calls else {}


def _calls(page: str) -> float:
    return sum(float(count) for count in _ENDED.findall(page))

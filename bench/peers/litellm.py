"""The MCP gateway of LiteLLM's proxy."""

from __future__ import annotations

import json

from bench.peers.port import Governs, Launch, Peer, Site
from bench.speech import ECHO, Era

_KEY = "sk-bench"
_NAME = "bench"


def document(url: str) -> dict[str, object]:
    """One upstream, a master key, no database and no models."""
    return {
        "model_list": [],
        "general_settings": {"master_key": _KEY},
        "mcp_servers": {_NAME: {"url": url, "transport": "http", "auth_type": "none", "allow_all_keys": True}},
    }


def _launch(site: Site) -> Launch:
    path = site.write("config.yaml", json.dumps(document(site.url)))
    options = ["--host", "127.0.0.1", "--port", str(site.port), "--num_workers", "1", "--telemetry", "False"]
    # Its list of models' prices comes with it; without this it is fetched from elsewhere at each start.
    environment = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    return Launch([site.program("litellm"), "--config", path, *options], environment, tool=f"{_NAME}-{ECHO}", keys=(_KEY,))


LITELLM = Peer(
    name="LiteLLM, MCP gateway",
    package="litellm",
    environment="litellm",
    governs=Governs(authentication="one master key"),
    configured="One upstream in its file, `auth_type: none` towards it, one worker, no database, telemetry off, logs at ERROR.",
    launch=_launch,
    eras=(Era.SESSION,),
)

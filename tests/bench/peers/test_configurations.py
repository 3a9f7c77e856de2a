"""How each peer is started: told its port and its upstream, at the version of its lock, and nothing of this machine."""

import json
import tomllib
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from bench.peers import contextforge, hangar, litellm
from bench.peers.__main__ import OTHERS
from bench.peers.install import LOCKS
from bench.peers.lock import VERSIONS
from bench.peers.port import Launch, Peer, Site
from bench.peers.proxies import envoy_document
from bench.speech import Era
from tools.environments import PEERS

PORT, UPSTREAM = 20_001, 20_002
NAMES = [peer.name for peer in OTHERS]


def _site(directory: Path) -> Site:
    (directory / "key.txt").write_text("mcp_key\n")
    return Site(directory, Path("/programs"), PORT, UPSTREAM)


def _told(launch: Launch, directory: Path) -> str:
    """Everything that a peer is started with: its command, its environment and its files."""
    files = [path.read_text() for path in sorted(directory.iterdir()) if path.is_file()]
    return "\n".join([*launch.command, *launch.environment.values(), *files])


@pytest.mark.parametrize("peer", OTHERS, ids=NAMES)
def test_a_peer_is_told_its_port_and_comes_from_its_environment(peer: Peer, tmp_path: Path) -> None:
    launch = peer.launch(_site(tmp_path))
    assert str(PORT) in _told(launch, tmp_path)
    assert launch.command[0].startswith("/programs/")


@pytest.mark.parametrize("peer", [peer for peer in OTHERS if peer.settle is None], ids=lambda peer: peer.name)
def test_a_peer_is_told_of_its_upstream_or_hears_of_it_while_it_runs(peer: Peer, tmp_path: Path) -> None:
    launch = peer.launch(_site(tmp_path))
    assert str(UPSTREAM) in _told(launch, tmp_path)


@pytest.mark.parametrize("peer", OTHERS, ids=NAMES)
def test_a_peer_is_started_again_as_the_same(peer: Peer, tmp_path: Path) -> None:
    first, again = (peer.launch(_site(tmp_path)) for _ in range(2))
    assert (first.command, first.environment, first.headers) == (again.command, again.environment, again.headers)


@pytest.mark.parametrize("peer", OTHERS, ids=NAMES)
def test_the_package_whose_version_is_told_is_in_the_lock(peer: Peer) -> None:
    locks = [LOCKS / peer.environment / "requirements.lock", PEERS / peer.environment / "requirements.lock"]
    python = [f"\n{peer.package}==" in f"\n{lock.read_text()}" for lock in locks if lock.exists()]
    node = LOCKS / peer.environment / "package-lock.json"
    assert any(python) or f"node_modules/{peer.package}" in json.loads(node.read_text())["packages"]


def test_every_version_has_its_lock_and_every_lock_its_version() -> None:
    versions = tomllib.loads(VERSIONS.read_text())
    assert {*versions["python"], *versions["node"]} == {path.name for path in LOCKS.iterdir()}


@pytest.mark.parametrize("lock", sorted(LOCKS.glob("*/requirements.lock")), ids=lambda lock: lock.parent.name)
def test_a_lock_has_a_hash_for_each_package(lock: Path) -> None:
    packages = lock.read_text().replace("\\\n", "").splitlines()
    assert packages
    assert [line for line in packages if "--hash=sha256:" not in line] == []


def test_envoy_refuses_one_tool_by_what_the_mcp_filter_read() -> None:
    [listener] = envoy_document(PORT, UPSTREAM)["static_resources"]["listeners"]  # type: ignore[index]
    mcp, rbac, _ = listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]
    assert mcp["typed_config"]["traffic_mode"] == "REJECT_NO_MCP"
    rules = rbac["typed_config"]["rules"]
    [permission] = rules["policies"]["no-big"]["permissions"]
    matcher = permission["sourced_metadata"]["metadata_matcher"]
    assert (rules["action"], matcher["value"]) == ("DENY", {"string_match": {"exact": "big"}})
    assert [step["key"] for step in matcher["path"]] == ["params", "name"]


def test_contextforge_is_given_a_token_of_its_administrator() -> None:
    secret, now = "s" * 54, 1_000_000
    claims = jwt.decode(contextforge.token(secret, now), OctKey.import_key(secret)).claims
    assert (claims["sub"], claims["is_admin"], claims["exp"] - claims["iat"]) == ("admin@example.com", True, 86_400)
    assert contextforge.settings("/f.sqlite", secret, "true")["PLATFORM_ADMIN_EMAIL"] == claims["sub"]


def test_contextforge_has_no_limit_and_no_plugin_in_the_way() -> None:
    said = contextforge.settings("/forge.sqlite", "secret", "false")
    assert (said["RATE_LIMITING_ENABLED"], said["PLUGINS_ENABLED"], said["USE_STATEFUL_SESSIONS"]) == ("false", "false", "false")


def test_hangar_shows_the_upstreams_own_tools_to_callers_with_a_key(tmp_path: Path) -> None:
    said = hangar.document("http://127.0.0.1:1/mcp", "/keys")
    assert (said["tool_access"], said["auth"]["enabled"]) == ({"mode": "front_door"}, True)  # type: ignore[index]
    assert hangar.HANGAR.launch(_site(tmp_path)).headers == {"X-API-Key": "mcp_key"}


def test_litellm_speaks_one_era_and_names_the_tool_after_its_upstream(tmp_path: Path) -> None:
    launch = litellm.LITELLM.launch(_site(tmp_path))
    assert (launch.tool, launch.keys, litellm.LITELLM.eras) == ("bench-echo", ("sk-bench",), (Era.SESSION,))

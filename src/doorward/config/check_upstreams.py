"""Checks of each upstream: its transport, its secrets, its rules; and of the names of all together."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping

from doorward.config.addresses import is_loopback, is_special, split_url
from doorward.config.check_credentials import WRITE_A_REFERENCE, credential_of, text_of
from doorward.config.check_process import process, token
from doorward.config.check_tls import towards
from doorward.config.credentials import NoCredential
from doorward.config.ground import Found, Ground, error, note
from doorward.config.inline import by_form, by_look, by_name
from doorward.config.model import Stdio, Timeouts, ToolRule, Upstream
from doorward.config.problems import Step, quoted
from doorward.config.references import OWN_SCHEMES, is_given, references_in
from doorward.domain.catalog import Reversibility

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OPTION = re.compile(r"--?([A-Za-z][A-Za-z0-9_-]*)(?:=(.*))?", re.DOTALL)
LIKENESS = str.maketrans({"-": None, "0": "o", "1": "l", "i": "l", "5": "s"})
"""Names that read alike to a person in a hurry."""


def upstreams(every: Mapping[str, Upstream], ground: Ground) -> Iterator[Found]:
    """Everything there is to say of the upstreams."""
    alike: dict[str, str] = {}
    for name, upstream in every.items():
        at: tuple[Step, ...] = ("upstreams", name)
        first = alike.setdefault(name.translate(LIKENESS), name)
        if first != name:
            yield note(f"this name reads like {quoted(first)}", *at)
        yield from _transport(upstream, ground, at)
        yield from _timeouts(upstream.timeouts, at)
        for tool, rule in upstream.tools.items():
            yield from _rule(rule, (*at, "tools", tool))


def _transport(upstream: Upstream, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    match upstream:
        case Upstream(url=str(url), urls=(), stdio=None):
            yield from _url(upstream, url, (*at, "url"))
            yield from _of_url(upstream, ground, at)
        case Upstream(url=None, urls=(_, *_), stdio=None):
            yield from _urls(upstream, at)
            yield from _of_url(upstream, ground, at)
        case Upstream(url=None, urls=(), stdio=Stdio() as stdio):
            yield from _only_for_url(upstream, at)
            yield from _stdio(stdio, ground, (*at, "stdio"))
            yield from process(stdio, upstream.credential, at)
        case Upstream(url=None, urls=(), stdio=None):
            yield error("expected one of url, urls and stdio, got neither", *at)
        case _:
            yield error("expected one of url, urls and stdio, got several", *at)


def _urls(upstream: Upstream, at: tuple[Step, ...]) -> Iterator[Found]:
    seen: set[str] = set()
    for index, url in enumerate(upstream.urls):
        yield from _url(upstream, url, (*at, "urls", index))
        place = url.partition("?")[0].rstrip("/").lower()
        if place in seen:
            yield error("this address stands here twice", *at, "urls", index)
        seen.add(place)


def _of_url(upstream: Upstream, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    is_plain = any(url.startswith("http:") for url in upstream.addresses)
    if upstream.credential is not None:
        yield from credential_of(upstream.credential, ground, (*at, "credential"))
    if is_plain and not isinstance(upstream.credential, NoCredential | None) and not _is_at_home(upstream):
        yield note("the credential travels unencrypted over http", *at, "credential")
    if upstream.tls is not None:
        yield from towards(upstream.tls, ground.root, (*at, "tls"))
    if upstream.tls is not None and is_plain:
        yield error("this is said of https, and an address is http", *at, "tls")
    if upstream.plain_http and upstream.addresses and not is_plain:
        yield error("plain_http is said of an https url; one of them is a mistake", *at, "plain_http")


def _is_at_home(upstream: Upstream) -> bool:
    """Whether every address is on this machine."""
    hosts = {parts.hostname for url in upstream.addresses if not isinstance(parts := split_url(url), str)}
    return all(is_loopback(host or "") for host in hosts)


def _only_for_url(upstream: Upstream, at: tuple[Step, ...]) -> Iterator[Found]:
    for field in ("private", "plain_http", "tls"):
        if getattr(upstream, field):
            yield error("this is said of a url; a process has none", *at, field)


def _url(upstream: Upstream, url: str, at: tuple[Step, ...]) -> Iterator[Found]:
    parts = split_url(url)
    if isinstance(parts, str):
        yield error(parts, *at)
        return
    if by_form(url) or any(by_name(key, value) for key, _, value in (pair.partition("=") for pair in parts.query.split("&"))):
        yield error("a secret may not stand in a URL; use a credential with a reference", *at)
    if parts.scheme == "http" and not upstream.plain_http:
        yield error("expected https; if http is meant, say plain_http: true", *at)
    if not upstream.private and is_special(parts.hostname or ""):
        yield error("this address is loopback, private or otherwise special-use; if that is meant, say private: true", *at)


def _stdio(stdio: Stdio, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    for name, value in stdio.env.items():
        yield from _variable(name, value, ground, (*at, "env", name))
    yield from _command(stdio.command, (*at, "command"))
    directory = ground.root / (stdio.cwd or "")
    if not directory.is_dir():
        yield note(f"no directory {directory}", *at, "cwd")
    program = stdio.command[0]
    path = stdio.env.get("PATH") or ground.environment.get("PATH") or os.defpath
    if program and shutil.which(program if os.sep not in program else str(ground.root / program), path=path) is None:
        yield note("this program is not found here", *at, "command", 0)


def _variable(name: str, value: str, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    if not VARIABLE.fullmatch(name):
        yield error("expected the name of an environment variable: letters, digits and underscores", *at)
    if "\0" in value:
        yield error("a variable may not hold a NUL character", *at)
    if is_given(value):
        yield from token(value, at)
        return
    found = list(text_of(value, ground, at))
    yield from found
    is_literal = not any(finding.path == at for finding in found) and not references_in(value)
    if is_literal and (by_name(name, value) or by_look(value)):
        yield error(WRITE_A_REFERENCE, *at)


def _command(command: tuple[str, ...], at: tuple[Step, ...]) -> Iterator[Found]:
    if not command[0]:
        yield error("expected a program, this text is empty", *at, 0)
    for index, argument in enumerate(command):
        if "\0" in argument:
            yield error("an argument may not hold a NUL character", *at, index)
        if any(f"${{{scheme}:" in argument for scheme in OWN_SCHEMES):
            yield error("references are not read in arguments, where every process could see the secret; use stdio.env", *at, index)
        elif by_form(argument) or _secret_option(command, index):
            yield error("a secret in an argument can be seen by every process; use stdio.env with a reference", *at, index)


def _secret_option(command: tuple[str, ...], index: int) -> bool:
    """Whether an argument is the random-looking value of an option such as `--api-key`."""
    own = OPTION.fullmatch(command[index])
    if own is not None:
        return own[2] is not None and by_name(own[1], own[2]) and by_look(own[2])
    before = OPTION.fullmatch(command[index - 1]) if index else None
    return before is not None and before[2] is None and by_name(before[1], command[index]) and by_look(command[index])


def _timeouts(timeouts: Timeouts, at: tuple[Step, ...]) -> Iterator[Found]:
    for field in ("connect", "first_byte", "idle"):
        if field in timeouts.model_fields_set and getattr(timeouts, field) > timeouts.total:
            yield note(f"total ({timeouts.total:g}) ends a call before this is over", *at, "timeouts", field)


def _rule(rule: ToolRule, at: tuple[Step, ...]) -> Iterator[Found]:
    groups = frozenset(rule.groups)
    if "read" in groups and groups & {"write", "destructive"}:
        yield error("read says that a tool changes nothing; it excludes write and destructive", *at, "groups")
    if rule.reversibility is Reversibility.READ and "read" not in groups:
        yield error("reversibility read needs the group read", *at, "reversibility")
    if len(groups) != len(rule.groups):
        yield note("a group stands here twice", *at, "groups")

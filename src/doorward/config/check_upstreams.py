"""Checks of each upstream: its transport, its secrets, its rules; and of the names of all together."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping

from doorward.config.addresses import is_loopback, is_special, split_url
from doorward.config.ground import Found, Ground, error, note
from doorward.config.inline import by_form, by_look, by_name
from doorward.config.model import Credential, Stdio, Timeouts, ToolRule, Upstream
from doorward.config.problems import Step, quoted
from doorward.config.references import MalformedError, Resolver, references_in
from doorward.domain.catalog import Reversibility

OURS = frozenset(
    "host connection content-length content-type content-encoding transfer-encoding te trailer upgrade accept accept-encoding keep-alive "
    "proxy-connection expect last-event-id origin".split()
)
"""Headers that Doorward or HTTP itself writes; besides them all that begin with `mcp-`."""

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OPTION = re.compile(r"--?([A-Za-z][A-Za-z0-9_-]*)(?:=(.*))?", re.DOTALL)
LIKENESS = str.maketrans({"-": None, "0": "o", "1": "l", "i": "l", "5": "s"})
"""Names that read alike to a person in a hurry."""

WRITE_A_REFERENCE = "a secret may not stand in the document; write ${env:NAME} or ${file:path} in its place"


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
    if upstream.credential is not None:
        yield from _credential(upstream.credential, ground, (*at, "credential"))
    hosts = {parts.hostname for url in upstream.addresses if not isinstance(parts := split_url(url), str)}
    is_plain = any(url.startswith("http:") for url in upstream.addresses)
    if is_plain and upstream.credential is not None and not all(is_loopback(host or "") for host in hosts):
        yield note("the credential travels unencrypted over http", *at, "credential")
    if upstream.plain_http and upstream.addresses and not is_plain:
        yield error("plain_http is said of an https url; one of them is a mistake", *at, "plain_http")


def _only_for_url(upstream: Upstream, at: tuple[Step, ...]) -> Iterator[Found]:
    if upstream.credential is not None:
        yield error("a credential is a header of HTTP; a process takes its secrets from stdio.env", *at, "credential")
    for field in ("private", "plain_http"):
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


def _credential(credential: Credential, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    header = credential.header.lower()
    if header in OURS or header.startswith("mcp-"):
        yield error(f"the header {quoted(credential.header)} is Doorward's own to write", *at, "header")
    if not credential.value.isprintable():
        yield error("expected a text on one line", *at, "value")
    found = list(_text(credential.value, ground, (*at, "value")))
    yield from found
    if not found and not references_in(credential.value):
        yield error(WRITE_A_REFERENCE, *at, "value")


def _text(text: str, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    """What is wrong with a text that may hold references; missing variables and files are notes, for they may come later."""
    try:
        pointers = references_in(text)
    except MalformedError as malformed:
        yield error(str(malformed), *at)
        return
    literal = text
    for pointer in pointers:
        literal = literal.replace(str(pointer), "")
    if by_form(literal):
        yield error(WRITE_A_REFERENCE, *at)
    resolver = Resolver(ground.root, ground.environment)
    yield from (note(sentence, *at) for sentence in resolver.missing(text))
    yield from (note(f"others may read the secret in {file}; chmod 600 it", *at) for file in resolver.exposed(text))


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
    found = list(_text(value, ground, at))
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
        if "${env:" in argument or "${file:" in argument:
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

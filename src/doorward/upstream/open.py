"""Opens an upstream from its configuration; whoever opens it closes it."""

from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from doorward.config.model import Stdio
from doorward.config.model import Upstream as Config
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import UpstreamId
from doorward.net.addresses import Reach, Rule
from doorward.net.connection import Timeouts
from doorward.net.http import Pool, Route
from doorward.net.reader import Limits
from doorward.net.tls import Contexts, Renewing, Shown
from doorward.net.urls import UrlError, parse_url
from doorward.upstream.http import HttpUpstream
from doorward.upstream.messages import Tongue, limits_of
from doorward.upstream.port import Upstream
from doorward.upstream.processes import Processes
from doorward.upstream.replicas.address import Place
from doorward.upstream.replicas.front import Front
from doorward.upstream.seams import Seams
from doorward.upstream.stdio import StdioUpstream


class ConfigurationError(DoorwardError):
    """An upstream that cannot be opened as it is configured; the message says what was expected."""


def open_upstream(upstream: UpstreamId, config: Config, seams: Seams) -> Upstream:
    """The upstream of a configuration: nothing is connected or started yet. Raises ConfigurationError."""
    return Front(upstream, config, partial(places, upstream, seams=seams), seams)


def places(upstream: UpstreamId, config: Config, seams: Seams) -> tuple[Place, ...]:
    """The addresses of an upstream, each with what opens it; raises ConfigurationError."""
    timeouts = Timeouts(config.timeouts.connect, config.timeouts.first_byte, config.timeouts.idle, config.timeouts.total)
    client_info = {"name": "doorward", "version": seams.version}
    tongue = Tongue(upstream, client_info, limits_of(config.result_bytes), timeouts)
    match config.addresses, config.stdio:
        case (), Stdio() as stdio:
            opened = partial(StdioUpstream, config, stdio, tongue, seams=seams)
            if stdio.per != "everybody":
                each = partial(Processes, upstream, stdio, opened, seams=seams)
                return (Place("each", f"a process for each {stdio.per}", each),)
            return tuple(Place(str(number), f"process {number}", opened) for number in range(1, stdio.processes + 1))
        case (_, *_) as urls, None if not (config.url and config.urls):
            return tuple(Place(url, _name(url), _over_http(url, config, tongue, seams)) for url in urls)
        case _:
            raise ConfigurationError("exactly one of `url`, `urls` and `stdio` was expected")


def rule_of(config: Config) -> Rule:
    """Where this upstream's address may lie, and how it may be spoken to."""
    schemes = frozenset({"https", "http"}) if config.plain_http else frozenset({"https"})
    return Rule(Reach.PRIVATE if config.private else Reach.PUBLIC, schemes)


def _over_http(url: str, config: Config, tongue: Tongue, seams: Seams) -> "partial[HttpUpstream]":
    """What opens a URL, which is read now. (A pool of connections belongs to one driver.)"""
    try:
        origin = parse_url(url)
    except UrlError as error:
        raise ConfigurationError(str(error)) from error
    fixed = (
        ("User-Agent", f"doorward/{seams.version}"),
        ("Accept", "application/json, text/event-stream"),
        ("Content-Type", "application/json"),
    )
    route = Route(origin, rule_of(config), _contexts(config), seams.lookup)
    pool = Pool(route, fixed, limits=Limits(body_bytes=config.result_bytes), timeouts=tongue.timeouts)
    return partial(HttpUpstream, config, tongue, pool, seams=seams)


def _contexts(config: Config) -> Contexts | None:
    """What TLS is spoken with, where the configuration names files of its own."""
    rules = config.tls
    if rules is None:
        return None
    shown = None if rules.certificate is None or rules.key is None else Shown(Path(rules.certificate), Path(rules.key))
    return Renewing(rules.ca_file, shown)


def _name(url: str) -> str:
    """An address as operators are shown it: a query may say more than they should see."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

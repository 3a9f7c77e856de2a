"""Opens an upstream from its configuration; whoever opens it closes it."""

from doorward.config.model import Upstream as Config
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import UpstreamId
from doorward.net.addresses import Reach, Rule
from doorward.net.connection import Timeouts
from doorward.net.http import Pool, Route
from doorward.net.reader import Limits
from doorward.net.urls import UrlError, parse_url
from doorward.upstream.http import HttpUpstream
from doorward.upstream.messages import Tongue, limits_of
from doorward.upstream.port import Upstream
from doorward.upstream.seams import Seams
from doorward.upstream.stdio import StdioUpstream


class ConfigurationError(DoorwardError):
    """An upstream that cannot be opened as it is configured; the message says what was expected."""


def open_upstream(upstream: UpstreamId, config: Config, seams: Seams) -> Upstream:
    """The upstream of a configuration: nothing is connected or started yet. Raises ConfigurationError."""
    timeouts = Timeouts(config.timeouts.connect, config.timeouts.first_byte, config.timeouts.idle, config.timeouts.total)
    client_info = {"name": "doorward", "version": seams.version}
    tongue = Tongue(upstream, client_info, limits_of(config.result_bytes), timeouts)
    match config.url, config.stdio:
        case (str(url), None):
            return HttpUpstream(upstream, config, tongue, _pool(url, config, tongue, seams), seams)
        case (None, stdio) if stdio is not None:
            return StdioUpstream(upstream, config, stdio, tongue, seams)
        case _:
            raise ConfigurationError("exactly one of `url` and `stdio` was expected")


def rule_of(config: Config) -> Rule:
    """Where this upstream's address may lie, and how it may be spoken to."""
    schemes = frozenset({"https", "http"}) if config.plain_http else frozenset({"https"})
    return Rule(Reach.PRIVATE if config.private else Reach.PUBLIC, schemes)


def _pool(url: str, config: Config, tongue: Tongue, seams: Seams) -> Pool:
    try:
        origin = parse_url(url)
    except UrlError as error:
        raise ConfigurationError(str(error)) from error
    fixed = (
        ("User-Agent", f"doorward/{seams.version}"),
        ("Accept", "application/json, text/event-stream"),
        ("Content-Type", "application/json"),
    )
    route = Route(origin, rule_of(config), lookup=seams.lookup)
    return Pool(route, fixed, limits=Limits(body_bytes=config.result_bytes), timeouts=tongue.timeouts)

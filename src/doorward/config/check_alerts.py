"""Whether alerts could reach anybody (`alerts`): the addresses and secrets of webhooks, and the syslog servers."""

from collections.abc import Iterator

from doorward.config.addresses import is_host
from doorward.config.check_webhooks import address, secret
from doorward.config.ground import Found, Ground, error, note
from doorward.config.model import Document
from doorward.config.problems import Step, quoted

_AT: Step = "alerts"


def alerts(document: Document, ground: Ground) -> Iterator[Found]:
    """Findings about the sinks, in their order, and about what is sent to them."""
    rules = document.alerts
    for name, webhook in rules.webhooks.items():
        at: tuple[Step, ...] = (_AT, "webhooks", name)
        yield from address(webhook, (*at, "url"))
        yield from secret(webhook.secret, ground, (*at, "secret"))
    for position, server in enumerate(rules.syslog):
        if not is_host(server.host):
            yield error(f"expected a name or an address, got {quoted(server.host)}", _AT, "syslog", position, "host")
        if server in rules.syslog[:position]:
            yield error("this server is named twice", _AT, "syslog", position)
    if len(set(rules.kinds)) < len(rules.kinds):
        yield error("a kind is named twice", _AT, "kinds")
    if not rules.kinds and (rules.webhooks or rules.syslog):
        yield note("with no kind named here nothing is ever sent", _AT, "kinds")

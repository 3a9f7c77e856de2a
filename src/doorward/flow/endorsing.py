"""Endorsement: whether a result names, where a rule says, nobody but authors of domains that are trusted. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from doorward.config.flow import Endorsement
from doorward.flow.index import decoded
from doorward.flow.pointers import reached, steps
from doorward.flow.texts import seen


def endorsing(rules: Sequence[tuple[str, Endorsement]], body: object) -> str | None:
    """The first rule by which a result counts as trusted."""
    if not rules:
        return None
    content = _content(body)
    return next((name for name, rule in rules if content is not None and _is_of(rule, content)), None)


def _content(body: object) -> object | None:
    """What a result says, as a value: there must be one reading of it alone."""
    if not isinstance(body, Mapping) or body.get("isError"):
        return None
    blocks = body.get("content")
    texts = blocks if isinstance(blocks, list) else []
    structured = body.get("structuredContent")
    if len(texts) > 1:
        return None
    inner = _decoded(texts[0]) if texts else None
    if structured is None:
        return inner
    # Beside a structured result stands the same as text, or nothing: another text would have another author.
    return structured if not texts or inner == structured else None


def _decoded(block: object) -> object | None:
    text = block.get("text") if isinstance(block, Mapping) and block.get("type") == "text" else None
    return decoded(text) if isinstance(text, str) else None


def _is_of(rule: Endorsement, content: object) -> bool:
    found = list(_each(reached(content, steps(rule.field))))
    return bool(found) and all(isinstance(one, str) and _is_known(one, rule.domains) for one in found)


def _each(values: Iterator[object]) -> Iterator[object]:
    for value in values:
        if isinstance(value, list):
            yield from value or (None,)
        else:
            yield value


def _is_known(author: str, domains: Sequence[str]) -> bool:
    """Whether a text names one address or URL, or several, all of these domains."""
    hosts = {name.partition(":")[2].rpartition("@")[2] for name in seen(author) if name[:2] in {"a:", "h:"}}
    return bool(hosts) and all(any(is_within(host, domain) for domain in domains) for host in hosts)


def is_within(host: str, domain: str) -> bool:
    """Whether a host is a domain, or below one that is written as `*.domain`."""
    domain = domain.casefold()
    return host.endswith(domain[1:]) if domain.startswith("*.") else host == domain

"""Checks of limits: exactly one rule each, and selections that can be about something."""

from collections.abc import Iterator

from doorward.config.ground import Found, error, note
from doorward.config.limits import Limit
from doorward.config.model import Document
from doorward.config.problems import Step, meant, quoted
from doorward.config.selection import Selection

MOST = 100
"""Limits of one document: each may keep thousands of counters."""


def limits(document: Document) -> Iterator[Found]:
    """Everything there is to say of the limits."""
    if len(document.limits) > MOST:
        yield error(f"expected at most {MOST} limits, got {len(document.limits)}", "limits")
    for name, limit in document.limits.items():
        at: tuple[Step, ...] = ("limits", name)
        yield from _rule(limit, at)
        yield from selection(limit.of, document, (*at, "of"))
        if len(set(limit.per)) < len(limit.per):
            yield error("expected each thing once", *at, "per")


def selection(selected: Selection, document: Document, at: tuple[Step, ...]) -> Iterator[Found]:
    """What is wrong with a selection: upstreams that are not there, tools and users that are not named whole."""
    for index, name in enumerate(selected.upstreams):
        yield from _upstream(name, document, (*at, "upstreams", index))
    for index, tool in enumerate(selected.tools):
        yield from _tool(tool, document, (*at, "tools", index))
    for index, user in enumerate(selected.users):
        if ":" not in user:
            yield error(f"expected issuer:name, got {quoted(user)}", *at, "users", index)
    if selected.tools and selected.methods and "tools/call" not in selected.methods:
        yield note("no tool is called by these methods, so this is about nothing", *at, "methods")


def _upstream(name: str, document: Document, at: tuple[Step, ...]) -> Iterator[Found]:
    if name not in document.upstreams:
        yield error(f"there is no upstream {quoted(name)}{meant(name, document.upstreams)}", *at)


def _tool(tool: str, document: Document, at: tuple[Step, ...]) -> Iterator[Found]:
    upstream, slash, own = tool.partition("/")
    if slash and own:
        yield from _upstream(upstream, document, at)
    else:
        yield error(f"expected upstream/tool, got {quoted(tool)}", *at)


def _rule(limit: Limit, at: tuple[Step, ...]) -> Iterator[Found]:
    if limit.rate is not None and limit.concurrent is not None:
        yield error("expected one of rate and concurrent, got both", *at)
    elif limit.rate is None and limit.concurrent is None:
        yield error("expected one of rate and concurrent, got neither", *at)

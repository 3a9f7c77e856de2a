"""Tools that talk to the client while they run: notifications, and questions in the session era's way."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import anyio
import mcp_types as types
from mcp.server.subscriptions import InMemorySubscriptionBus, PromptsListChanged, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from tests.conformance.blocks import Context, Json, fields

PAUSE_SECONDS = 0.05
"""What the suite asks for between two notifications of one call."""

DEFAULTS_FORM: Json = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    },
}

TITLED = [{"const": f"value{number}", "title": f"Option {number}"} for number in (1, 2, 3)]
PLAIN = ["option1", "option2", "option3"]
ENUMS_FORM: Json = {
    "type": "object",
    "properties": {
        "untitledSingle": {"type": "string", "enum": PLAIN},
        "titledSingle": {"type": "string", "oneOf": TITLED},
        "legacyEnum": {"type": "string", "enum": ["opt1", "opt2"], "enumNames": ["Option One", "Option Two"]},
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": PLAIN}},
        "titledMulti": {"type": "array", "items": {"anyOf": TITLED}},
    },
}

bus = InMemorySubscriptionBus()
waits: dict[str, list[str]] = {"begun": [], "cancelled": []}
"""Marks of the calls of `test_wait`."""


async def log(ctx: Context, words: str) -> None:
    """One log message on the stream of the call."""
    await ctx.session.send_log_message("info", words, related_request_id=ctx.request_id)  # type: ignore[deprecated]  # the suite wants it


async def log_thrice(ctx: Context, _: Json) -> str:
    """Three log messages."""
    for words in ("started", "processing", "completed"):
        await log(ctx, f"Tool {words}")
        await anyio.sleep(PAUSE_SECONDS)
    return "Logged three times."


async def progress(ctx: Context, _: Json) -> str:
    """Three steps of progress."""
    for done in (0, 50, 100):
        await ctx.session.report_progress(done, 100, f"{done} of 100")
        await anyio.sleep(PAUSE_SECONDS)
    return "Went from 0 to 100."


async def sample(ctx: Context, arguments: Json) -> str:
    """Asks the client's model, in the session era's way."""
    question = types.SamplingMessage(role="user", content=types.TextContent(type="text", text=arguments["prompt"]))
    said = await ctx.session.create_message([question], max_tokens=100, related_request_id=ctx.request_id)  # type: ignore[deprecated]  # so too
    return f"LLM response: {said.content.text if isinstance(said.content, types.TextContent) else said.content.type}"


def elicit(message: str | None, schema: Json) -> Callable[[Context, Json], Awaitable[str]]:
    """A tool that puts a form to the person, in the session era's way."""

    async def run(ctx: Context, arguments: Json) -> str:
        said = await ctx.session.elicit_form(message or arguments["message"], schema, related_request_id=ctx.request_id)
        return f"Elicitation completed: action={said.action}, content={json.dumps(said.content)}"

    return run


async def fail(_: Context, __: Json) -> str:
    """Always fails."""
    raise RuntimeError("this tool always fails")


async def need_sampling(ctx: Context, _: Json) -> str:
    """Works only for clients that declared sampling."""
    able = ctx.session.client_capabilities
    if able is None or able.sampling is None:
        needed: Json = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(types.MISSING_REQUIRED_CLIENT_CAPABILITY, "this tool needs a client that can sample", needed)
    return "Sampling is declared."


async def drop_the_stream(ctx: Context, _: Json) -> str:
    """Closes the response stream; the client comes back for the result."""
    await log(ctx, "Before the stream is closed")
    if ctx.close_sse_stream is not None:
        await ctx.close_sse_stream()
    await anyio.sleep(4 * PAUSE_SECONDS)
    return "Finished after the stream was closed."


async def change_tools(ctx: Context, _: Json) -> str:
    """Announces a change of the list of tools, in the caller's era."""
    await bus.publish(ToolsListChanged())
    if ctx.protocol_version in HANDSHAKE_PROTOCOL_VERSIONS:
        await ctx.session.send_tool_list_changed()
    return "The tools changed."


async def change_prompts(ctx: Context, _: Json) -> str:
    """Announces a change of the list of prompts, in the caller's era."""
    await bus.publish(PromptsListChanged())
    if ctx.protocol_version in HANDSHAKE_PROTOCOL_VERSIONS:
        await ctx.session.send_prompt_list_changed()
    return "The prompts changed."


async def region(_: Context, arguments: Json) -> str:
    """Takes an argument that a header mirrors."""
    return f"region={arguments.get('region')}"


async def wait(_: Context, arguments: Json) -> str:
    """Waits to be cancelled."""
    waits["begun"].append(arguments["mark"])
    try:
        await anyio.sleep(20)
    except anyio.get_cancelled_exc_class():
        waits["cancelled"].append(arguments["mark"])
        raise
    return "Nobody cancelled this."


async def tell_waits(_: Context, __: Json) -> str:
    """What became of the calls that wait."""
    return json.dumps(waits)


RUNNING_TOOLS: dict[str, Callable[[Context, Json], Awaitable[str]]] = {
    "test_tool_with_logging": log_thrice,
    "test_logging_tool": log_thrice,
    "test_tool_with_progress": progress,
    "test_sampling": sample,
    "test_elicitation": elicit(None, fields(username="string", email="string")),
    "test_elicitation_sep1034_defaults": elicit("Please check these", DEFAULTS_FORM),
    "test_elicitation_sep1330_enums": elicit("Please choose", ENUMS_FORM),
    "test_error_handling": fail,
    "test_missing_capability": need_sampling,
    "test_reconnection": drop_the_stream,
    "test_trigger_tool_change": change_tools,
    "test_trigger_prompt_change": change_prompts,
    "test_x_mcp_header": region,
    "test_wait": wait,
    "test_waits": tell_waits,
}

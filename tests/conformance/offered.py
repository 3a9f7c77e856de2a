"""What the conformance peer offers: tools, prompts and resources under the names that the official suite calls."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import mcp_types as types
from mcp.shared.exceptions import MCPError

from tests.conformance.asking import ASKING_TOOLS, Round, unanswered
from tests.conformance.blocks import PNG, WAV, Context, Json, embedded, fields, form, image, text
from tests.conformance.running import RUNNING_TOOLS

CONSTANT_TOOLS: dict[str, list[Json]] = {
    "test_simple_text": [text("A simple text.")],
    "test_image_content": [image()],
    "test_audio_content": [{"type": "audio", "data": WAV, "mimeType": "audio/wav"}],
    "test_embedded_resource": [embedded("test://embedded-resource", "The text of an embedded resource.")],
    "test_multiple_content_types": [
        text("A text, an image and a resource:"),
        image(),
        embedded("test://mixed-content-resource", json.dumps({"test": "data", "value": 123}), "application/json"),
    ],
    "json_schema_2020_12_tool": [text("ok")],
}

SCHEMA_2020_12: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$defs": {"address": {"$anchor": "addressDef", **fields(street="string", city="string")}},
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}

MORE_TOOLS: list[str] = []
"""Tools besides, which are there to be many; they give a simple text."""
PAGE = 100
"""Tools of one page."""

REGION_SCHEMA: Json = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}

INPUT_SCHEMAS: dict[str, Json] = {
    "json_schema_2020_12_tool": SCHEMA_2020_12,
    "test_sampling": fields(prompt="string"),
    "test_elicitation": fields(message="string"),
    "test_wait": fields(mark="string"),
    "test_x_mcp_header": REGION_SCHEMA,
}


async def call_tool(ctx: Context, params: types.CallToolRequestParams) -> types.CallToolResult | types.InputRequiredResult:
    """What a call of any of the tools gives."""
    if (blocks := CONSTANT_TOOLS.get(params.name)) is not None:
        return types.CallToolResult.model_validate({"content": blocks})
    if (run := RUNNING_TOOLS.get(params.name)) is not None:
        return await _run(run, ctx, params.arguments or {})
    if (step := ASKING_TOOLS.get(params.name)) is not None:
        taken = step(Round(params.input_responses or {}, params.request_state, ctx.session.client_capabilities))
        return types.CallToolResult.model_validate({"content": [text(taken)]}) if isinstance(taken, str) else unanswered(taken)
    if params.name in MORE_TOOLS:
        return types.CallToolResult.model_validate({"content": CONSTANT_TOOLS["test_simple_text"]})
    raise MCPError(types.INVALID_PARAMS, f"unknown tool {params.name!r}")


async def _run(run: Callable[[Context, Json], Awaitable[str]], ctx: Context, arguments: Json) -> types.CallToolResult:
    try:
        words, is_error = await run(ctx, arguments), False
    except MCPError as error:
        if error.code == types.MISSING_REQUIRED_CLIENT_CAPABILITY:
            raise
        words, is_error = error.message, True
    except RuntimeError as error:
        words, is_error = str(error), True
    return types.CallToolResult.model_validate({"content": [text(words)], "isError": is_error})


async def list_tools(_: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    """Every tool, in a fixed order, page by page."""
    names = [*CONSTANT_TOOLS, *RUNNING_TOOLS, *ASKING_TOOLS, *MORE_TOOLS]
    start = int(params.cursor) if params and params.cursor else 0
    page = names[start : start + PAGE]
    listed = [
        {"name": name, "description": f"Fixture {name}.", "inputSchema": INPUT_SCHEMAS.get(name, {"type": "object"})} for name in page
    ]
    later = {"nextCursor": str(start + PAGE)} if start + PAGE < len(names) else {}
    return types.ListToolsResult.model_validate({"tools": listed, **later})


# Prompts and resources.

PROMPT_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
    "test_input_required_result_prompt": (),
}

RESOURCES: dict[str, Json] = {
    "test://static-text": {"mimeType": "text/plain", "text": "The text of a resource."},
    "test://static-binary": {"mimeType": "image/png", "blob": PNG},
    "test://watched-resource": {"mimeType": "text/plain", "text": "The text of a resource that may change."},
}

TEMPLATE = "test://template/{id}/data"


async def list_prompts(_: Context, __: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
    """Every prompt, in a fixed order."""
    listed = [
        {"name": name, "description": f"Fixture {name}.", "arguments": [{"name": argument, "required": True} for argument in arguments]}
        for name, arguments in PROMPT_ARGUMENTS.items()
    ]
    return types.ListPromptsResult.model_validate({"prompts": listed})


async def get_prompt(ctx: Context, params: types.GetPromptRequestParams) -> types.GetPromptResult | types.InputRequiredResult:
    """The messages of one prompt."""
    given = params.arguments or {}
    if params.name not in PROMPT_ARGUMENTS or not set(PROMPT_ARGUMENTS[params.name]) <= given.keys():
        raise MCPError(types.INVALID_PARAMS, f"expected a known prompt with its arguments, got {params.name!r} with {sorted(given)}")
    round_ = Round(params.input_responses or {}, params.request_state, ctx.session.client_capabilities)
    said = round_.said("user_context", "context")
    if params.name == "test_input_required_result_prompt" and said is None:
        return unanswered(({"user_context": form("Which context?", fields(context="string"))}, None))
    messages: dict[str, list[Json]] = {
        "test_simple_prompt": [text("A simple prompt.")],
        "test_prompt_with_arguments": [text(f"arg1={given.get('arg1')!r}, arg2={given.get('arg2')!r}")],
        "test_prompt_with_embedded_resource": [embedded(given.get("resourceUri", ""), "An embedded text."), text("Use the text above.")],
        "test_prompt_with_image": [image(), text("Describe the image above.")],
        "test_input_required_result_prompt": [text(f"Use this context: {said}")],
    }
    return types.GetPromptResult.model_validate({"messages": [{"role": "user", "content": block} for block in messages[params.name]]})


async def list_resources(_: Context, __: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
    """Every resource, in a fixed order."""
    listed = [{"uri": uri, "name": uri.rpartition("/")[2], "mimeType": contents["mimeType"]} for uri, contents in RESOURCES.items()]
    return types.ListResourcesResult.model_validate({"resources": listed})


async def list_templates(_: Context, __: types.PaginatedRequestParams | None) -> types.ListResourceTemplatesResult:
    """The one template."""
    listed = [{"uriTemplate": TEMPLATE, "name": "template", "mimeType": "application/json"}]
    return types.ListResourceTemplatesResult.model_validate({"resourceTemplates": listed})


async def read_resource(_: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
    """The contents of one resource, or of the template filled in."""
    uri = str(params.uri)
    prefix, suffix = TEMPLATE.split("{id}")
    contents = RESOURCES.get(uri)
    if contents is None and uri.startswith(prefix) and uri.endswith(suffix):
        filled = {"id": uri.removeprefix(prefix).removesuffix(suffix), "templateTest": True}
        contents = {"mimeType": "application/json", "text": json.dumps(filled)}
    if contents is None:
        raise MCPError(types.INVALID_PARAMS, "Resource not found", {"uri": uri})
    return types.ReadResourceResult.model_validate({"contents": [{"uri": uri, **contents}]})


async def complete(_: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
    """Two ways to go on from what was typed."""
    typed = params.argument.value
    return types.CompleteResult.model_validate({"completion": {"values": [f"{typed}1", f"{typed}2"], "total": 2, "hasMore": False}})


async def accept(_: Context, __: Any) -> types.EmptyResult:
    """Nods: log levels and subscriptions change nothing here."""
    return types.EmptyResult()

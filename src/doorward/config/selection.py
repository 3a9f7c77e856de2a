"""Which calls a limit, a budget or a watch is about, and what it counts apart: the same words wherever something is counted."""

from typing import Literal

from pydantic import Field

from doorward.config.part import Name, Part, UpstreamName

Counted = Literal["agent", "instance", "user", "team", "upstream", "tool", "method"]
"""What a counter may be kept apart for."""

CountedMethod = Literal["tools/call", "prompts/get", "resources/read", "completion/complete", "lists"]
"""What can be counted: calls by their MCP method, and all lists together."""

CountedGroup = Literal["read", "write", "destructive", "external"]
"""A policy group of what is called; `destructive` includes `write`."""


class Selection(Part):
    """Which calls something is about: those that every field fits. A field that is left out fits all."""

    agents: tuple[Name, ...] = Field((), description="Calls of these agents")
    teams: tuple[Name, ...] = Field((), description="Calls of agents of these teams")
    users: tuple[Name, ...] = Field((), description="Calls for these people, as `issuer:name`")
    upstreams: tuple[UpstreamName, ...] = Field((), description="Calls to these upstreams")
    tools: tuple[Name, ...] = Field((), description="Calls of these tools, as `upstream/tool` with the tool's own name")
    groups: tuple[CountedGroup, ...] = Field((), description="Calls of what is in any of these policy groups; lists count as `read`")
    methods: tuple[CountedMethod, ...] = Field((), description="Messages of these MCP methods; `lists` are all of `…/list`")


EVERYTHING = Selection()
"""Every call and every list."""

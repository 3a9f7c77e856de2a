"""MCP as data: messages, revisions, headers and names of both eras, without a socket or a clock."""

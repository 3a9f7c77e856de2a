"""Doorward: the governed path between AI agents and MCP servers."""

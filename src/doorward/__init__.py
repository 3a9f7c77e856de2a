"""Doorward: the governed path between AI agents and MCP servers."""

__version__ = "0.1.0"

"""Accounts that people have connected: OAuth as a client, one person at a time (OAuth 2.1, MCP authorization)."""

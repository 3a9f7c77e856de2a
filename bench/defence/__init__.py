"""Doorward as mcp-defense-bench sees it: each scenario goes through the rooms that would meet it, and what they do is the verdict."""

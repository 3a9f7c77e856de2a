"""MCP as data: both eras, as pure functions from bytes to values and back."""

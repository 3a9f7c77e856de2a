"""The MCP servers behind us: both eras over HTTP and standard streams, each with ids, sessions and faults of its own."""

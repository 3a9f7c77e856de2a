"""Where secrets come from, besides the gateway's own environment and files: a public port, and the sources that ship."""

"""The data plane's door: HTTP in, one request at a time handed to the spine, and its answer out."""

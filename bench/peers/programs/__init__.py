"""Programs that run in a peer's environment, with what is installed there."""

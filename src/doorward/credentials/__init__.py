"""With which credential a call reaches its upstream: planned from the configuration, leased under a recorded intent."""

"""What the gateway tells of its own running: counters and a journal; never a secret, never an argument."""

"""What a server process is made of: programs, scripts and packages by their digests, read before each start."""

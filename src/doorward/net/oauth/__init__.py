"""OAuth as a client of somebody else's authorization server: what every room that is one needs, and nothing that decides."""

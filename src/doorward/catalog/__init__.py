"""What upstreams offer, what of it a person has accepted, and how a caller's name leads to it."""

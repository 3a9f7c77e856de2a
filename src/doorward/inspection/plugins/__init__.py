"""Guards of others: found by name, asked beside the loop, believed only as far as what they say can be."""

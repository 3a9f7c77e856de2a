"""Client certificates: who they name, whether they are revoked, and the embedded authority that issues them."""

"""Structured personal data: forms of the world, the checks they carry, and the search for them."""

"""Secrets of others: rules written from what vendors document of their tokens, and the search that asks them."""

"""Texts in arguments that make a server do what it was not asked for: what they look like, and where they are to be expected."""

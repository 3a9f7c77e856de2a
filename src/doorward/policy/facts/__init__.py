"""Derived facts: what Cedar cannot compute of an argument, one kind a file."""

"""Generations: how configuration becomes one immutable snapshot, and how the next replaces it."""

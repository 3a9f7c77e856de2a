"""Recorded calls asked again: under other policies, or under those of their time."""

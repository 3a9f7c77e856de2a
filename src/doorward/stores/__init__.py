"""Drivers of the stores that the rooms ask for; only `app` knows that they exist."""

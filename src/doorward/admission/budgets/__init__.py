"""Budgets: how much may be used in all until a window ends, exact to the smallest unit, across restarts."""

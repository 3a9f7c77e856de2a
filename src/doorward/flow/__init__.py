"""Flow: what of each agent's context may be trusted and where it may go, kept per authenticated instance and across restarts."""

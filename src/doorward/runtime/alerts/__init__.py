"""Alerts on their way out: folded, bounded, and sent to every declared sink; no sink holds another, nor the gateway."""

"""The control plane: its own app on its own listener; operators only, never agents (law 8)."""

"""Questions to people about single calls, and their answers."""

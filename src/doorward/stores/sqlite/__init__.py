"""Everything durable in one SQLite database, written by one thread."""

"""The tour: what `make run` and `make demo` do."""

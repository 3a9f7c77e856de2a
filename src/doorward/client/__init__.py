"""The typed client of the admin API, which the commands and any tool of an operator use."""

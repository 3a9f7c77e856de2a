"""One suite for each protocol of a store: what every driver must pass, as plain async functions to be run by any test runner."""

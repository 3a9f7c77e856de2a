"""The log: receipts that anyone can verify."""

"""The one way out: addresses are checked, then connected to, and nothing else of the outside is reached from here."""

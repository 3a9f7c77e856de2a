"""`make bench-detect`: how much of what is meant to be found is found, and how often what is harmless is."""

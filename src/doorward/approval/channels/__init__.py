"""Ways by which people hear of questions, tried in order; none of them can answer by failing."""

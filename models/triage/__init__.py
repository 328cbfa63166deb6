"""One ranked list of what to review: evidence combined, cut to a budget, gathered into episodes."""

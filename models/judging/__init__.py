"""How good a distribution was, for whom, and the correction that past years ask for."""

"""The sample bank: a synthetic bank drawn from a seed, with its truth kept apart."""

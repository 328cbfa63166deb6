"""Scores: points of every item, adjustments, gates in order; and their exact explanation."""

"""The path through the year: season, pace, single series, and adding up."""

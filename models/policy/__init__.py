"""What an institution decides: target levels, scorecards, scoring rules, adjustments and gates, as data."""

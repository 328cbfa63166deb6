"""An alert in words: figures, patterns with their record, parts of the probability, doubts, and how sure it is."""

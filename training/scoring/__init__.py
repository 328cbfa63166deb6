"""From stored figures to scores: facts, the scores of a network, their tables, and the archive of closed periods."""

"""Which model serves, and which ones might: kept copies, sealed records, and what stands in the way of a promotion."""

"""Units together: joint draws, totals that follow from them, levels that agree."""

"""What a change would have done: history scored again, in memory, beside the scores of the present rules."""

"""The review of alerts by people: what was shown, what was decided, and what can be learnt from it."""

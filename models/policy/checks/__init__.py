"""What the validator looks for in a policy: a catalogue of checks by subject, each with its reason and its source."""

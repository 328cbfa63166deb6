"""Breaking a group's goal down: equal difficulty within what is fixed, other methods, the ratchet."""

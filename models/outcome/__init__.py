"""What a unit can achieve in a year: base learners, their blend, the distribution."""

"""What is learned or decided: the distribution of what a unit can achieve, and how a goal is broken down."""

"""What is known: indicators, units, periods, observations and the features computed from them."""

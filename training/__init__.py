"""How it is learned: splits, backtests, fitting, tracking and promotion; and the synthetic sample bank."""

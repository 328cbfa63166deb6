"""Tuning: other settings of the models, tried on past times and taken only where they do better beyond noise."""

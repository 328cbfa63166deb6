"""Within the year: what is in, its rest, how targets stand, the quarterly calibration."""

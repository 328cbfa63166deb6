"""Constants that whatever answers for a warning model has to agree on."""

PSEUDO_ROWS = 0.02
"""A share of the base rate, as of a row seen by every fiftieth tree, by which the certainty of a forest is kept
finite."""
EVEN = 1e-9
"""Log-odds that differ by less are told apart by the slope of the calibration alone."""
EVEN_RATES = 1e-12
"""The same of the mean rates of a forest."""
DECIMALS = 9
"""Of a probability: the last digits of a sum depend on how many rows are computed together, the answer must not."""

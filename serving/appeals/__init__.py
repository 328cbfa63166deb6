"""Appeals: a figure as it was told, frozen, reproduced, and decided on by people."""

"""Contrastive explanation of model outputs: why this row and not that one, exactly, in the unit shown."""

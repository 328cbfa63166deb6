"""The watch over models: what has changed since they learned, and proposals to train again."""

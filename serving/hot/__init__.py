"""What answers without the weight of the whole application: suggestions made before, and a warning model."""

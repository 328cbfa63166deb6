"""What answers without the weight of the whole application: suggestions made before, and rows put to a warning model."""

"""What a model must show before it may serve: the gates as data, and what they look at."""

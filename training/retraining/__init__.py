"""Retraining as a durable run: decided, learned, judged, registered and promoted step by step, whatever stops it."""

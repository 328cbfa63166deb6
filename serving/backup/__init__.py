"""Backups of a home and its database, taken while the service runs, and restoring them."""

"""Telling other systems of published plans, new alerts and finished runs: signed, retried, never lost."""

"""The audit: who saw or changed what, in a chain of entries that shows where it was tampered with."""

"""Patterns of good performance bought with rising risk: a catalogue of detectors, one file a family."""

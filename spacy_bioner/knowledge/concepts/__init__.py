"""Concept stores: which concept a name means."""

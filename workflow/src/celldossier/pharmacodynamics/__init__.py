"""Pharmacodynamics: markers over time, target cells, blood counts, markers and cells."""

"""Dose exploration: planned and actual doses."""

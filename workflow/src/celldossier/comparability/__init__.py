"""Comparability: product, kinetics and outcomes before and after a manufacturing change."""

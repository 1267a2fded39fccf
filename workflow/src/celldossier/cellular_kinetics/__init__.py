"""Cellular kinetics: from concentrations of the cells to parameters and their summaries."""

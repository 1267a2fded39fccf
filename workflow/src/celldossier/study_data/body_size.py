"""Body surface area and body mass index."""

from __future__ import annotations

import pandas as pd

from celldossier.stats.dose_scaling import surface_area_dubois


def body_surface_area(weight: pd.Series, height: pd.Series) -> pd.Series:
    """Body surface area in m2 (DuBois and DuBois, Arch Intern Med 1916;17:863).

    Parameters
    ----------
    weight
        Body weight, kg.
    height
        Height, cm.
    """
    area: pd.Series = surface_area_dubois(weight.where(weight > 0), height.where(height > 0))
    return area.astype("float64")


def body_mass_index(weight: pd.Series, height: pd.Series) -> pd.Series:
    """Body mass index in kg/m2, of weight (kg) and height (cm)."""
    metres = height.where(height > 0) / 100
    return (weight.where(weight > 0) / metres**2).astype("float64")

"""Body surface area and human equivalent doses, against published numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celldossier.settings.starting_dose import Species
from celldossier.stats.dose_scaling import (
    scale_by_km,
    scale_by_surface,
    scale_by_weight,
    surface_area_dubois,
    surface_area_mosteller,
)
from celldossier.terms.km_factors import km_factors

# FDA (2005), table 1: divide the animal dose in mg/kg by this to get the human dose in mg/kg.
FDA_DIVISORS = {
    "mouse": 12.3, "hamster": 7.4, "rat": 6.2, "ferret": 5.3, "guinea_pig": 4.6, "rabbit": 3.1,
    "dog": 1.8, "rhesus": 3.1, "cynomolgus": 3.1, "marmoset": 6.2, "squirrel_monkey": 5.3,
    "baboon": 1.8, "micro_pig": 1.4, "mini_pig": 1.1,
}  # fmt: skip
# Freireich et al. (1966), as tabulated by the Frederick National Laboratory.
FREIREICH = {
    "mouse": 3.0, "rat": 5.9, "rhesus": 12, "dog": 20, "human_child": 25, "human_adult": 37
}  # fmt: skip


def test_a_mouse_dose_of_ten_million_cells_per_kg_is_a_human_one_of_810_thousand() -> None:
    assert scale_by_km(1e7, 3, 37) == pytest.approx(8.1e5, rel=0.002)


@pytest.mark.parametrize("species", FDA_DIVISORS)
def test_the_factors_give_the_divisors_of_the_fda(species: str) -> None:
    factors = km_factors()
    divisor = 1 / scale_by_km(1, factors[species].km, factors["human_adult"].km)
    assert divisor == pytest.approx(FDA_DIVISORS[species], abs=0.051)


def test_the_factors_agree_with_freireich() -> None:
    factors = km_factors()
    assert {name: factors[name].km for name in FREIREICH} == pytest.approx(FREIREICH, rel=0.02)


def test_every_species_of_the_settings_has_a_factor_and_the_reverse() -> None:
    from typing import get_args

    animals = {name for name in km_factors() if not name.startswith("human")}
    assert animals == set(get_args(Species)) == set(FDA_DIVISORS)


def test_a_reference_weight_lies_within_its_range() -> None:
    for factor in km_factors().values():
        assert factor.range is None or factor.range[0] <= factor.weight <= factor.range[1]


def test_body_surface_area_of_170_cm_and_70_kg() -> None:
    # DuBois: 1.81 m2; Mosteller: 1.82 m2, sqrt(170 x 70 / 3600).
    assert surface_area_dubois(70, 170) == pytest.approx(1.81, abs=0.005)
    assert surface_area_mosteller(70, 170) == pytest.approx(math.sqrt(11900 / 3600))


def test_the_allometric_dose_is_that_of_the_fda_example() -> None:
    # FDA (2005), appendix A: a rat of 0.25 kg at 50 mg/kg, a human of 60 kg: 50 x (0.25/60)^0.33.
    assert scale_by_weight(50, 0.25, 60, 0.67) == pytest.approx(8.2, abs=0.05)


@given(st.floats(1e-3, 1e9), st.floats(1, 40), st.floats(10, 150))
def test_methods_by_surface_agree_where_the_human_has_the_surface_of_the_table(
    dose: float, km: float, weight: float
) -> None:
    # The surface of a human whose Km is 37.
    total = scale_by_surface(dose, km, weight / 37)
    assert total / weight == pytest.approx(scale_by_km(dose, km, 37))


@given(st.floats(1e-3, 1e9), st.floats(0.01, 60))
def test_an_exponent_of_one_is_an_equal_dose_per_weight(dose: float, weight: float) -> None:
    assert scale_by_weight(dose, weight, 60, 1) == pytest.approx(dose)

"""Body surface area, and doses of animals as doses of humans."""

from __future__ import annotations

from typing import Any


def surface_area_dubois(weight: Any, height: Any) -> Any:
    """Body surface area, m2, of a weight (kg) and a height (cm), numbers or arrays.

    References
    ----------
    DuBois D, DuBois EF (1916). Arch Intern Med 17:863-871.
    """
    return 0.007184 * weight**0.425 * height**0.725


def surface_area_mosteller(weight: Any, height: Any) -> Any:
    """Body surface area, m2, of a weight (kg) and a height (cm), numbers or arrays.

    References
    ----------
    Mosteller RD (1987). N Engl J Med 317:1098.
    """
    return (weight * height / 3600) ** 0.5


def scale_by_km(dose: float, km_animal: float, km_human: float) -> float:
    """Human equivalent dose per weight of an animal's dose per weight, at equal dose per surface.

    Parameters
    ----------
    dose
        Dose of the animal per kg.
    km_animal, km_human
        Weight over surface area, kg/m2.

    References
    ----------
    US FDA (2005), Estimating the Maximum Safe Starting Dose in Initial Clinical Trials,
    section V: HED = animal dose x (animal Km / human Km).

    >>> round(scale_by_km(1e7, 3, 37), -3)
    811000.0
    """
    return dose * km_animal / km_human


def scale_by_surface(dose: float, km_animal: float, surface_human: float) -> float:
    """Total human dose at the animal's dose per surface.

    Parameters
    ----------
    dose
        Dose of the animal per kg.
    km_animal
        Weight over surface area of the animal, kg/m2.
    surface_human
        Body surface area of the human, m2.
    """
    return dose * km_animal * surface_human


def scale_by_weight(
    dose: float, weight_animal: float, weight_human: float, exponent: float
) -> float:
    """Human equivalent dose per weight, where doses scale with a power of the body weight.

    Parameters
    ----------
    dose
        Dose of the animal per kg.
    weight_animal, weight_human
        Body weights, kg.
    exponent
        Power of the weight with which the total dose rises: 0.67 is that of the surface,
        0.75 that of the metabolic rate, 1 an equal dose per weight.

    References
    ----------
    US FDA (2005), as above, appendix A: HED = animal dose x (W animal / W human)^(1 - b).
    """
    ratio: float = (weight_animal / weight_human) ** (1 - exponent)
    return dose * ratio

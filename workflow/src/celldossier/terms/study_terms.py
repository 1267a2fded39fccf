"""Controlled terms of the analysis datasets that several stages read, and lengths of time."""

from __future__ import annotations

DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = DAYS_PER_YEAR / 12
"""A month is a twelfth of a year wherever times are given in months."""

ADULT = 18
"""Age in years from which on a subject is an adult."""

CELLS = "10^6 cells"
"""Unit of a dose of cells that does not depend on weight or surface (ADEX.DOSEU)."""

CELL_PRODUCT = "CELL PRODUCT"
"""Category of an infusion of the product (ADEX.EXCAT)."""

NOT_PLANNED = ("RETREATMENT", "UNPLANNED")
"""Infusions after the planned first course, whose kinetics they end (ADEX.DOSETYPE; R15)."""

STOPS = ("NEWTHERAPY", "HSCT", "REINFUSION")
"""Events after which an outcome is no longer that of the first course (ADTTE.EVENTCD)."""

NEW_THERAPY = "NEW_THERAPY"
"""Class of the treatments of the disease after the product (ADCM.CMCLASS)."""

RESCUE = ("TOCILIZUMAB", "STEROID", "ANAKINRA", "SILTUXIMAB")
"""Classes of medication that are given because of CRS and ICANS (ADCM.CMCLASS)."""

RESPONSE_GROUPS = {"Y": "RESPONDER", "N": "NONRESPONDER"}
"""Group of a subject by its best response (ADRS.RESPFL of the parameter BOR)."""

UNKNOWN = "UNKNOWN"
"""Level of a subject of whom it is not known, so that the groups of a grouping add up."""

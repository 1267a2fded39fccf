"""Special considerations (guideline 8.1, 8.2, 8.3, 8.5), from the datasets of earlier stages.

Analyses, for tables and templates; gmr with gmr_low and gmr_high, n of the values above 0:

=============== ================================== ============ ==========================
analysis        variable                           by           statistics
=============== ================================== ============ ==========================
age_count       AGE                                agegr        n
age_exposure    metric                             agegr        n, n_zero, geomean, gcv,
                                                                gmr (not of the reference)
age_outcome     RESPONSE, CRS, CRSGE3, ICANS,      agegr        n, denominator, pct,
                ICANSGE3                                        ci_low, ci_high (%)
age_order       AGE                                none         n_minors, n_adults,
                                                                n_unknown, reference
weight_exponent metric                             none         n, exponent with limits,
                                                                weight_min, weight_max (kg)
ld_count        LDFL                               none         n, n_infused
ld_correlation  ALCINF, ALCNAD, ALCDEPL, IL15INF;  metric;      n, rho with limits
                LDTOTA, LDRATIO                    with drug
ld_reference    LDREG                              none         regimen, n
ld_regimen      metric                             regimen      as age_exposure
ld_tertile      metric                             depth,       as age_exposure
                                                   tertile
ld_tertile_     ALCINF, ALCNAD                     tertile      n, min, max
range
lot_attribute   VCN, TRANSPCT                      none         block
lot_correlation VCN, TRANSPCT                      metric       as ld_correlation
expression      EXPRESSION                         landmark     n, n_quantifiable, pct,
                                                                limits, median, min, max
vector_test     RCV, INTEGRATION                   none         as age_outcome
follow_up       FUDUR                              year         n, person_years, n_sampled,
                                                                n_quantifiable, n_deaths,
                                                                n_secondary
cm_count        CMCLASS                            none         n_classes
cm_timing       ASTDY (from TMAX, d)               medication   n, median, min, max; n_before,
                                                                n_after, n_never, n_unknown
cm_exposure     metric                             medication,  as age_exposure
                                                   timing
secondary_      SECONDMALIG                        none         as age_outcome
malignancy
=============== ================================== ============ ==========================
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from celldossier.results import ResultCollector
from celldossier.settings.persistence import LANDMARKS, Landmark
from celldossier.settings.special_considerations import SpecialConsiderationsSettings
from celldossier.special_considerations.age import summarise_age_groups
from celldossier.special_considerations.concomitant import summarise_concomitant_medicines
from celldossier.special_considerations.gene_modified import summarise_gene_modification
from celldossier.special_considerations.lymphodepletion import summarise_lymphodepletion
from celldossier.special_considerations.study import Sources, read_study


@dataclass(frozen=True)
class SpecialConsiderations:
    """What the stage hands on."""

    results: pd.DataFrame


def summarise_special_considerations(
    sources: Sources,
    settings: SpecialConsiderationsSettings,
    analyte: str,
    landmarks: tuple[Landmark, ...] = LANDMARKS,
) -> SpecialConsiderations:
    """Run the stage; `analyte` and `landmarks` are those of the settings of the kinetics."""
    study = read_study(sources, settings, analyte, landmarks)
    out = ResultCollector("special_considerations")
    summarise_age_groups(study, out)
    summarise_lymphodepletion(study, out)
    summarise_gene_modification(study, out)
    summarise_concomitant_medicines(study, out)
    return SpecialConsiderations(out.frame())

"""Part `cut_points` of the section `immunogenicity`: cut points from drug-naive signals."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from celldossier.settings.base import Section


class CutPointSettings(Section):
    """Cut points of antibody assays, from the signals of drug-naive samples (Shankar 2008)."""

    naive_visits: tuple[str, ...] = Field(
        (),
        description=(
            "Visits (AVISIT of ADAB) whose samples are drug-naive, such as those of a validation; "
            "the first of a subject counts. Empty: the baseline sample."
        ),
    )
    exclude_confirmed: bool = Field(
        True,
        description=(
            "Whether drug-naive samples that were confirmed positive are left out: they hold "
            "antibodies from before the product and not the background of the assay."
        ),
    )
    rule: Literal["auto", "parametric", "robust", "nonparametric"] = Field(
        "auto",
        description=(
            "auto: parametric (mean + z SD) where the values are normal, robust (median + z 1.4826 "
            "MAD) where they are not, but symmetric, else nonparametric (percentile), which needs "
            "19 values for 5% and 99 for 1%. The reason is printed."
        ),
    )
    screening_false_positive: float = Field(
        0.05, gt=0, lt=0.5, description="Share of drug-naive samples above the screening cut point."
    )
    confirmatory_false_positive: float = Field(
        0.01,
        gt=0,
        lt=0.5,
        description="Share of drug-naive samples above the confirmatory cut point.",
    )
    log_scale: bool = Field(
        True,
        description=(
            "Whether signals are analysed as logarithms; percent inhibition never is, nor are "
            "signals of which one is 0 or below."
        ),
    )
    outlier_fence: float = Field(
        3.0,
        gt=0,
        description=(
            "Interquartile ranges beyond the quartiles, on the scale of the analysis, from which a "
            "value is an outlier. 3: far outliers; 1.5: the box plot, which removes more and "
            "lowers the cut point."
        ),
    )
    outlier_passes: int = Field(
        1,
        ge=0,
        le=20,
        description="Number of times at most that outliers are looked for; 0: none is removed.",
    )
    normality_p: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="p of the Shapiro-Wilk test from which values count as normal.",
    )
    skewness_limit: float = Field(
        1.0,
        gt=0,
        description=(
            "Absolute skewness up to which values that are not normal count as symmetric."
        ),
    )
    min_samples: int = Field(
        20,
        ge=3,
        description=(
            "Drug-naive samples, outliers removed, below which there is no cut point; a validation "
            "has 50 or more."
        ),
    )
    lower_bound: bool = Field(
        False,
        description=(
            "Whether the lower confidence bound of the cut point is given too: with that "
            "confidence the false positive rate is not below the declared one (Shen 2015)."
        ),
    )
    bound_confidence: float = Field(
        0.90, gt=0.5, lt=1, description="One-sided confidence of the lower bound."
    )
    run_alpha: float = Field(
        0.05,
        gt=0,
        lt=1,
        description=(
            "Level of the tests of means and variances between runs, which tell a fixed from a "
            "floating cut point."
        ),
    )

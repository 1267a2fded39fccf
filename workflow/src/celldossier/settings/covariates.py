"""Covariates of exposure and of outcomes: which, and by what rules (exposure_response)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from celldossier.settings.base import Code, Section
from celldossier.terms.covariates import find_late_variables, known_candidates


class Covariate(Section):
    """One covariate of exposure and of outcomes."""

    variable: Code = Field(
        description=(
            "Variable of ADER that is known before or at the infusion "
            "(resources/terms/covariates.yaml)."
        )
    )
    kind: Literal["categorical", "continuous"] = Field(
        description="categorical: each level against the reference; continuous: P90 against P10."
    )
    scale: Literal["linear", "log"] = Field(
        "linear",
        description=(
            "How a continuous covariate enters a model; log: by its natural logarithm, a value "
            "that is not positive counts as missing."
        ),
    )
    reference: str = Field(
        "", description="Reference level of a categorical covariate; blank: the most frequent one."
    )


def default_covariates() -> tuple[Covariate, ...]:
    """All candidates of the terms, in their order."""
    return tuple(
        Covariate(variable=item.variable, kind=item.kind, scale=item.scale)
        for item in known_candidates().values()
    )


class CovariateModels(Section):
    """How covariates are examined: together, by selection, with missing values, on outcomes."""

    full_model: tuple[Code, ...] = Field(
        (
            *("AGE", "SEX", "WTBL", "INDIC", "LTBURDZ", "TARGBL", "PRLINES", "BRIDGFL"),
            *("ALCINF", "PROCESS", "TCMPCT"),
        ),
        description=(
            "Covariates of the full model of exposure, all in one model without selection; laid "
            "down before the analysis. Of these and of the lists below, those count that "
            "`covariates` holds."
        ),
    )
    selection: tuple[Code, ...] = Field(
        (
            *("AGE", "SEX", "WTBL", "INDIC", "EXTRAMED", "LTBURDZ", "TARGBL", "ECOGBL", "LDHBL"),
            *("PLATBL", "CRPBL", "FERRBL", "IL6BL", "ALCBL", "ALCINF", "WBCINF", "IL7INF"),
            *("IL15INF", "PRLINES", "PRHSCT", "PRTARG", "BRIDGFL", "DOSEA", "REGION1", "PROCESS"),
            *("VIABPCT", "TRANSPCT", "VCN", "CD4CD8", "TSCMPCT", "TCMPCT", "EXPFOLD", "POTENCY"),
            *("CULTDAYS", "VEINVEIN"),
        ),
        description=(
            "Candidates of the penalised selection; of covariates that say the same, one."
        ),
    )
    outcome_endpoints: tuple[Code, ...] = Field(
        (),
        description=(
            "Endpoints (binary or time to event) whose covariates are examined; blank: the "
            "endpoints of the pre-specified primary pairs."
        ),
    )
    outcome_full_model: tuple[Code, ...] = Field(
        ("AGE", "SEX", "INDIC", "LTBURDZ"),
        description="Covariates of the full model of each outcome.",
    )
    exposure_landmark: float = Field(
        28,
        ge=0,
        description=(
            "Where a time to event is adjusted for exposure: time counts from this day, among "
            "subjects without the event and under observation until then, days."
        ),
    )
    min_subjects_per_parameter: float = Field(
        10,
        ge=2,
        description=(
            "Subjects per slope below which there is no full model of exposure: descriptive only."
        ),
    )
    max_inflation: float = Field(
        5, gt=1, description="Variance inflation factor above which a covariate is marked."
    )
    max_condition: float = Field(
        30,
        gt=1,
        description="Condition number of the design above which the full model is marked.",
    )
    selection_pairs: int = Field(
        50, ge=10, description="Pairs of complementary halves of the stability selection."
    )
    selection_threshold: float = Field(
        0.75,
        gt=0.5,
        le=1,
        description="Share of the halves from which a covariate counts as selected.",
    )
    selection_errors: float = Field(
        1,
        gt=0,
        description=(
            "Bound of the expected number of false selections; with the threshold it gives how "
            "many covariates each half selects."
        ),
    )
    bootstrap_samples: int = Field(
        300, ge=50, description="Bootstrap samples of the inclusion and of the full model."
    )
    seed: int = Field(20261126, ge=0, description="Seed of halves, samples and imputations.")
    max_missing: float = Field(
        0.4,
        ge=0,
        lt=1,
        description=(
            "Share of missing values above which a covariate is left out of models of several "
            "covariates instead of imputed."
        ),
    )
    imputations: int = Field(
        5,
        ge=2,
        description=(
            "Fewest imputations where a covariate is missing; else one for each percent of "
            "subjects with a missing covariate."
        ),
    )
    max_imputations: int = Field(50, ge=2, description="Most imputations.")
    imputation_cycles: int = Field(10, ge=1, description="Rounds of the chained equations.")
    imputation_draw: Literal["MATCHING", "NORMAL"] = Field(
        "MATCHING",
        description=(
            "Draws of missing numbers: MATCHING: the value of one of the nearest subjects by "
            "prediction; NORMAL: from the normal of the regression."
        ),
    )
    imputation_donors: int = Field(5, ge=1, description="Subjects from whom MATCHING draws.")
    imputation_subjects_per_predictor: float = Field(
        5, ge=1, description="Known values that each predictor of an imputation needs."
    )
    product_attributes: tuple[Code, ...] = Field(
        (
            *("VIABPCT", "TRANSPCT", "VCN", "CD4CD8", "TNPCT", "TSCMPCT", "TCMPCT", "TEMPCT"),
            *("TEFFPCT", "EXPFOLD", "POTENCY", "CULTDAYS", "VEINVEIN"),
        ),
        description="Attributes of the product whose slope on exposure is given per SD.",
    )
    product_adjustment: tuple[Code, ...] = Field(
        ("LTBURDZ", "DOSEA"),
        description="Covariates beside each attribute in the adjusted model.",
    )


def check_covariates(key: str, variables: list[str]) -> list[str]:
    """Faults of variables that the settings name as covariates.

    Parameters
    ----------
    key
        Key of the section `exposure_response` that names them.
    variables
        Variables named.

    Returns
    -------
    list of str
        One sentence a fault.
    """
    late = find_late_variables(variables)
    known = known_candidates()
    faults = [
        f"{key} names {name} ({what}), which is known only after the infusion and never explains "
        "an exposure or an outcome as a covariate"
        for name, what in late.items()
    ]
    faults += [
        f"{key} names {name}, which is not a covariate of resources/terms/covariates.yaml"
        for name in variables
        if name not in late and name not in known
    ]
    faults += [
        f"{key} names {name} twice" for name in sorted(set(variables)) if variables.count(name) > 1
    ]
    return faults

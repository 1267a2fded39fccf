"""What may be a covariate: nothing that becomes known after the infusion."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from celldossier.datasets import read_specification
from celldossier.io.resources import read_resource
from celldossier.settings.covariates import Covariate, CovariateModels, default_covariates
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.terms.covariates import covariate_groups, known_candidates


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("TOCIFL", "rescue medication"),
        ("STERFL", "rescue medication"),
        ("OBJRESP", "response"),
        ("CRSGR", "adverse event"),
        ("ADAIND", "anti drug antibody"),
        ("CMAX", "exposure"),
        ("ALCDEPL", "depletion nadir"),
    ],
)
def test_what_follows_the_infusion_never_explains_an_exposure(name: str, what: str) -> None:
    with pytest.raises(ValidationError, match=f"{name} \\({what}\\).*after the infusion"):
        ExposureResponseSettings(covariates=(Covariate(variable=name, kind="continuous"),))


@pytest.mark.parametrize(
    "key",
    ["full_model", "selection", "outcome_full_model", "product_attributes", "product_adjustment"],
)
def test_no_model_of_several_covariates_lets_it_in_either(key: str) -> None:
    rules = CovariateModels.model_validate({key: ["TOCIFL"]})
    with pytest.raises(ValidationError, match=f"{key} names TOCIFL"):
        ExposureResponseSettings(covariate_models=rules)


def test_an_unknown_or_repeated_covariate_is_named() -> None:
    with pytest.raises(ValidationError, match="HAIR, which is not a covariate"):
        ExposureResponseSettings(covariates=(Covariate(variable="HAIR", kind="continuous"),))
    twice = (Covariate(variable="AGE", kind="continuous"),) * 2
    with pytest.raises(ValidationError, match="names AGE twice"):
        ExposureResponseSettings(covariates=twice)


def test_each_candidate_is_a_variable_of_ader_and_has_a_group() -> None:
    variables = read_specification("ADER").variables
    for item in known_candidates().values():
        assert item.variable in variables
        assert item.group in covariate_groups()
        if item.kind == "continuous":
            assert variables[item.variable].type != "text"
    assert [item.variable for item in default_covariates()] == list(known_candidates())


def test_no_variable_is_both_a_candidate_and_known_too_late() -> None:
    late = {
        n
        for names in read_resource("terms", "covariates.yaml")["after_infusion"].values()
        for n in names
    }
    assert not late & set(known_candidates())

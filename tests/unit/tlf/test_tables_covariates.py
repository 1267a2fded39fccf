"""Tables of covariates, drawn from results that the stage itself makes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from celldossier.datasets import conform, empty_dataset
from celldossier.exposure_response.covariate_exposure import collect_covariate_models
from celldossier.exposure_response.covariate_outcomes import collect_outcome_covariates
from celldossier.exposure_response.covariate_product import collect_product_exposure
from celldossier.exposure_response.study import Sources, Study
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.covariates import CovariateModels
from celldossier.settings.endpoints import EndpointRule
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.terms.language import Language
from celldossier.tlf.model import Context, NotShown, Table
from celldossier.tlf.tables_covariates import (
    draw_covariate_models,
    draw_covariate_selection,
    draw_product_exposure,
)
from celldossier.tlf.tables_outcome_covariates import (
    draw_outcome_covariates,
    draw_outcome_models,
)

SETTINGS = ExposureResponseSettings(
    endpoints=("CRSGE2",),
    metrics=("CMAX",),
    forest_metrics=("CMAX",),
    primary=({"endpoint": "CRSGE2", "metric": "CMAX"},),  # type: ignore[arg-type]
    ordinal_metrics=(),
    covariate_models=CovariateModels(
        full_model=("AGE", "SEX", "WTBL", "TARGBL"),
        selection=("AGE", "SEX", "VCN"),
        outcome_full_model=("AGE", "WTBL"),
        product_attributes=("VCN", "POTENCY"),
        bootstrap_samples=50,
        selection_pairs=10,
    ),
)
EVENT = EndpointRule(
    code="CRSGE2", en="CRS", zh="CRS", family="SAFETY", kind="binary", variable="CRSGR", at_least=2
)


def make_results(n: int = 60, burden: bool = True) -> AnalysisResults:
    rng = np.random.default_rng(3)
    age = rng.normal(50, 12, n)
    weight = rng.normal(70, 9, n)
    weight[:9] = np.nan
    ader = pd.DataFrame(
        {
            "STUDYID": "S",
            "USUBJID": [f"S-{i:03d}" for i in range(n)],
            "ERFL": "Y",
            "AGE": age,
            "SEX": np.where(np.arange(n) % 3 == 0, "F", "M"),
            "WTBL": weight,
            "LTBURDZ": rng.normal(size=n) if burden else np.nan,
            "DOSEA": 100.0 + np.arange(n),
            "VCN": rng.uniform(1, 4, n),
            "CMAX": np.exp(9 + 0.03 * age + 0.6 * rng.normal(size=n)),
        }
    )
    event = (rng.random(n) < 0.4) * 1.0
    key = ader[["STUDYID", "USUBJID"]]
    aderend = key.assign(PARAMCD="CRSGE2", PARAM="CRS", KIND="binary", AVAL=event, SRCDS="ADER")
    sources = Sources(
        **{name: empty_dataset(name.upper()) for name in Sources.__dataclass_fields__}
    )
    study = Study(
        sources,
        SETTINGS,
        (EVENT,),
        conform(ader, "ADER"),
        conform(aderend, "ADEREND"),
        {},
    )
    out = ResultCollector("exposure_response")
    collect_covariate_models(study, out)
    collect_product_exposure(study, out)
    collect_outcome_covariates(study, out)
    return AnalysisResults([out.frame()])


@pytest.fixture(scope="module")
def context() -> Callable[[str], Context]:
    results = make_results()
    settings = {"exposure_response": SETTINGS.model_dump(mode="json")}

    def make(code: str, found: AnalysisResults = results) -> Context:
        return Context(
            Language(code),
            found,
            pd.DataFrame(),
            lambda name: empty_dataset(name),
            settings,  # type: ignore[arg-type]
        )

    return make


DRAWINGS = (
    draw_product_exposure,
    draw_covariate_models,
    draw_covariate_selection,
    draw_outcome_covariates,
    draw_outcome_models,
)


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in table.rows]


@pytest.mark.parametrize("draw", DRAWINGS)
def test_both_languages_print_the_same_values(context, draw) -> None:  # type: ignore[no-untyped-def]
    english, chinese = draw(context("en")), draw(context("zh"))
    assert isinstance(english, Table) and isinstance(chinese, Table)
    identifiers = [
        [cell.value_ids for row in table.rows for cell in row.cells] for table in (english, chinese)
    ]
    assert identifiers[0] == identifiers[1]
    assert len(english.columns) == len(chinese.columns)
    assert all(len(row.cells) == len(english.columns) for row in english.rows if row.kind == "body")


@pytest.mark.parametrize("draw", DRAWINGS)
def test_a_run_without_covariates_gives_the_reason(context, draw) -> None:  # type: ignore[no-untyped-def]
    assert draw(context("en", AnalysisResults([]))) == NotShown("NOTCOLL")


def test_the_full_model_prints_missing_values_and_what_was_left_out(context) -> None:  # type: ignore[no-untyped-def]
    table = draw_covariate_models(context("en"))
    assert isinstance(table, Table)
    rows = {row[0].split(":")[0]: row for row in texts(table)}
    assert rows["Baseline Weight (kg)"][1] == "9"
    target = next(row for row in table.rows if row.cells[0].text.startswith("Target"))
    assert target.cells[2].text == "NC" and target.cells[2].reasons == ("NOTCOLL",)
    assert any("imputations 15" in row[0] for row in texts(table))


def test_an_attribute_that_was_not_measured_has_its_reason(context) -> None:  # type: ignore[no-untyped-def]
    table = draw_product_exposure(context("en"))
    assert isinstance(table, Table)
    potency = next(row for row in table.rows if row.cells[0].text.startswith("Potency"))
    assert potency.cells[3].text == "NC" and "NOTCOLL" in potency.cells[3].reasons


def test_the_product_table_names_only_what_its_models_were_adjusted_for(context) -> None:  # type: ignore[no-untyped-def]
    # The settings name tumour burden and dose; a study without the former adjusts for the latter.
    for burden in (True, False):
        table = draw_product_exposure(context("en", make_results(burden=burden)))
        assert isinstance(table, Table)
        note = next(text for text in table.footnotes if text.startswith("Adjusted"))
        assert "Dose" in note
        assert ("Burden" in note) == burden


def test_the_head_of_the_selection_states_its_rule(context) -> None:  # type: ignore[no-untyped-def]
    table = draw_covariate_selection(context("en"))
    assert isinstance(table, Table)
    assert "20 halves, each selecting 1; threshold 0.75" in texts(table)[0][0]
    assert not any(math.isnan(float(row[1])) for row in texts(table)[2:] if len(row) > 1)


def test_the_full_models_of_outcomes_state_events_per_parameter_and_missing_values(context) -> None:  # type: ignore[no-untyped-def]
    table = draw_outcome_models(context("en"))
    assert isinstance(table, Table)
    rows = texts(table)
    assert "events per parameter" in rows[0][0] and "imputations 15" in rows[0][0]
    weight = next(row for row in rows if row[0].startswith("Baseline Weight"))
    assert weight[1] == "9" and weight[2] != weight[4] and "NC" not in (weight[2], weight[4])

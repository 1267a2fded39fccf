"""Tables of what immune responses go with, from results of the stage itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from immune_study import (
    N,
    P,
    Visit,
    make_adab,
    make_adex,
    make_adpair,
    make_adpp,
    make_adsl,
    make_adtte,
    make_crs,
    make_readouts,
)
from table_texts import texts

from celldossier.datasets import empty_dataset
from celldossier.immunogenicity.stage import Immunogenicity, analyse_immunogenicity
from celldossier.immunogenicity.study import Sources
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.settings.study import Product
from celldossier.tlf.model import Context, NotShown, Table
from celldossier.tlf.tables_cellular_response import draw_cellular_responses
from celldossier.tlf.tables_immune_factors import draw_immune_factors
from celldossier.tlf.tables_immune_impact import (
    draw_assay_ratio_by_ada,
    draw_exposure_by_baseline_ada,
)
from celldossier.tlf.tables_immune_outcomes import draw_outcomes_by_ada

ContextFor = Callable[..., Context]
NOTHING: pd.DataFrame = make_adab({"A": [(0, N, None)]}).iloc[:0]


def make_sources() -> Sources:
    """20 subjects: 6 positive at baseline; of the others 6 have ADA from day 28 on."""
    rng = np.random.default_rng(3)
    visits: dict[str, list[Visit]] = {}
    ratios: dict[str, dict[int, float | None]] = {}
    for number in range(20):
        name, induced = f"S{number:02d}", 6 <= number < 12
        before, after = (P, P) if number < 6 else (N, P if induced else N)
        titre = 20.0 if number < 6 else None
        visits[name] = [(0, before, titre), (28, after, 20.0 if after == P else None)]
        noise = np.exp(rng.normal(0, 0.2, 3))
        ratios[name] = {7: noise[0], 14: noise[1], 28: noise[2] * (0.6 if induced else 1.0)}
        if induced:
            # Known to be without ADA up to day 15.
            visits[name].insert(1, (15, N, None))
    peaks = {name: math.exp(rng.normal(8, 0.5)) for name in visits}
    spots = [
        {"USUBJID": name, "AFRLT": day, "AVAL": 90.0 if day and name < "S05" else 10.0}
        for name in visits
        for day in (0.0, 28.0)
    ]
    return Sources(
        adsl=make_adsl(sorted(visits)),
        adab=pd.concat([make_adab(visits), make_readouts(spots)], ignore_index=True),
        adcm=empty_dataset("ADCM"),
        adpd=empty_dataset("ADPD"),
        adpc=empty_dataset("ADPC"),
        adpp=make_adpp(peaks),
        adpair=make_adpair(ratios),
        adtte=make_adtte(
            [(name, "DOR", 28, 60 + 20 * k, k % 2 == 0) for k, name in enumerate(visits)]
        ),
        adex=make_adex({name: [(0.0, "FIRST")] for name in visits}),
        adaesi=make_crs([]),
    )


def row_of(table: object, label: str) -> list[str]:
    return next(row for row in texts(table) if row[0] == label)


PRODUCT = Product.model_validate(
    {
        **{"name": "X", "product_class": "car_t", "gene_modified": True, "source": "autologous"},
        **{"route": "systemic", "description": {"en": "x", "zh": "x"}},
    }
)


def analyse(sources: Sources) -> Immunogenicity:
    """Run the stage with settings as they come."""
    return analyse_immunogenicity(sources, ImmunogenicitySettings(), PRODUCT)


@pytest.fixture(scope="module")
def sources() -> Sources:
    return make_sources()


@pytest.fixture
def context(context_for: ContextFor, settings: dict[str, Any], sources: Sources) -> Context:
    results = analyse(sources).results
    return context_for(results, settings)


def test_exposure_stands_side_by_side_by_antibodies_at_baseline(context: Context) -> None:
    table = draw_exposure_by_baseline_ada(context)
    assert isinstance(table, Table)
    row = row_of(table, "Cmax of PCR label (copies/µg)")
    assert (row[1], row[3]) == ("6", "14")
    assert table.subjects == 20 and table.columns[-1].label.endswith("(95% CI)")


def test_the_ratio_of_two_assays_stands_by_day_and_state_with_its_change(context: Context) -> None:
    table = draw_assay_ratio_by_ada(context)
    assert isinstance(table, Table)
    assert row_of(table, "14")[1::2] == ["20", "–"]
    assert row_of(table, "28")[1::2] == ["14", "6"]
    assert "within subjects: 0." in texts(table)[-1][0]
    # Only those with both states bear on it.
    assert table.subjects == 6


def test_without_antibody_results_or_without_pairs_nothing_is_shown(
    context_for: ContextFor, settings: dict[str, Any], sources: Sources
) -> None:
    def draw(adab: pd.DataFrame, adpair: pd.DataFrame) -> Table | NotShown:
        changed = replace(sources, adab=adab, adpair=adpair)
        results = analyse(changed).results
        return draw_assay_ratio_by_ada(context_for(results, settings))

    assert draw(NOTHING, sources.adpair) == NotShown("NOTCOLL")
    assert draw(sources.adab, sources.adpair.iloc[:0]) == NotShown("NOTPAIRED")


def test_responders_stand_by_subject_and_by_day_with_the_rule(context: Context) -> None:
    table = draw_cellular_responses(context)
    assert isinstance(table, Table)
    assert row_of(table, "Evaluable / infused subjects, n")[1] == "20 / 20"
    response = row_of(table, "Response in any sample after the infusion")
    assert response[1:3] == ["20", "5 (25.0) [8.7, 49.1]"]
    assert row_of(table, "28")[1:] == ["20", "5 (25.0) [8.7, 49.1]", "10.0 (10.0, 30.0)"]
    assert row_of(table, "Response at baseline")[2] == "NC"
    assert table.footnotes[0].endswith("at least 50 SFU/10⁶ cells above it.")


def test_a_study_without_cellular_records_says_that_none_were_collected(
    context_for: ContextFor, settings: dict[str, Any], sources: Sources
) -> None:
    adab = sources.adab[sources.adab["ISCAT"] != "CELLULAR"]
    changed = replace(sources, adab=adab)
    results = analyse(changed).results
    assert draw_cellular_responses(context_for(results, settings)) == NotShown("NOTCOLL")


def test_outcomes_stand_by_what_was_known_at_the_landmark(context: Context) -> None:
    table = draw_outcomes_by_ada(context)
    assert isinstance(table, Table)
    row = row_of(table, "Duration of response, from day 35")
    # Six have induced ADA by day 35; all were in response at day 28 and are at risk.
    assert (row[1], row[3], row[-1]) == ("14 (7)", "6 (3)", "0")
    assert row[5] != "NC"
    assert row_of(table, "CRS after a further infusion")[1] == "no further infusion (n = 0)"
    assert table.subjects == 6


def test_immune_responses_stand_by_level_of_each_factor(
    context_for: ContextFor, settings: dict[str, Any], sources: Sources
) -> None:
    sex = ["F" if number % 2 else "M" for number in range(20)]
    changed = replace(sources, adsl=sources.adsl.assign(SEX=sex))
    results = analyse(changed).results
    table = draw_immune_factors(context_for(results, settings))
    assert [row[0] for row in texts(table)] == ["Antibodies against: CAR", "Sex", "Female", "Male"]
    assert row_of(table, "Male")[1:3] == ["3 / 10 (30.0) [6.7, 65.2]"] * 2
    assert row_of(table, "Female")[3].startswith("2 / 10")


def test_without_a_known_factor_there_is_nothing_to_show(context: Context) -> None:
    assert draw_immune_factors(context) == NotShown("NODATA")


def test_both_languages_print_the_same_values(
    context_for: ContextFor, settings: dict[str, Any], sources: Sources
) -> None:
    results = analyse(sources).results
    for draw in (
        draw_cellular_responses,
        draw_exposure_by_baseline_ada,
        draw_assay_ratio_by_ada,
        draw_outcomes_by_ada,
    ):
        printed = []
        for language in ("en", "zh"):
            table = draw(context_for(results, settings, language))
            assert isinstance(table, Table)
            printed.append([[cell.value_ids for cell in row.cells] for row in table.rows])
        assert printed[0] == printed[1] and any(cell for row in printed[0] for cell in row)

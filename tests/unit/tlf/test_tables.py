"""Each table: rows, columns, and what it prints of the analysis results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from table_texts import heads, texts

from celldossier.datasets import empty_dataset
from celldossier.results import ResultCollector, add_block
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.stats.descriptive import describe
from celldossier.tlf.model import Context, NotShown, Table
from celldossier.tlf.tables_bioanalysis import draw_bioanalytical_methods
from celldossier.tlf.tables_dose import draw_dose_accountability
from celldossier.tlf.tables_exposure_response import (
    draw_exposure_ratio,
    draw_logistic_models,
    draw_ordinal_models,
)
from celldossier.tlf.tables_immunogenicity import draw_ada_incidence, draw_ada_listing
from celldossier.tlf.tables_kinetics import draw_concentrations, draw_nca_parameters
from celldossier.tlf.tables_plan import draw_analysis_plan
from celldossier.tlf.tables_safety import draw_special_interest
from celldossier.tlf.tables_study import (
    draw_analysis_sets,
    draw_demographics,
    draw_studies,
)

ContextFor = Callable[..., Context]
Results = dict[str, pd.DataFrame]
Settings = dict[str, Any]


def row_of(table: Table | NotShown, *first: str) -> list[str]:
    """The row that begins with these texts."""
    return next(row for row in texts(table) if row[: len(first)] == list(first))


def test_studies_show_subjects_infused_and_mark_investigator_initiated_trials(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_studies(context_for(stage_results["study_data"], settings))
    row = texts(table)[0]
    assert row[0] == "S-1 (investigator-initiated)"
    assert row[heads(table).index("N infused")] == "10"
    assert row[-1] == "2025-12-15"


def test_analysis_sets_name_why_subjects_are_not_included(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_analysis_sets(context_for(stage_results["study_data"], settings))
    assert heads(table) == ["Analysis set, n (%)", "DL1", "DL2", "All"]
    assert row_of(table, "CK evaluable") == ["CK evaluable", "3 (75.0)", "5 (83.3)", "9 (90.0)"]
    named = row_of(table, "not included: no concentration after the infusion")
    assert named[-1] == "1"
    # A reason in the study's own words is printed as it stands.
    assert row_of(table, "not included: <b>own words</b>")[-1] == "2"


def test_demographics_list_the_values_of_groups_below_three(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_demographics(context_for(stage_results["study_data"], settings))
    rows = texts(table)
    at = rows.index(["Age (years)", "", "", ""])
    assert rows[at + 1] == ["n", "2", "3", "5"]
    assert rows[at + 2] == ["Mean (SD)", "[12.0; 70.0]", "46.3 (17.0)", "44.2 (24.0)"]
    assert rows[at + 3] == ["Median (min., max.)", "–", "45 (30, 64)", "45 (12, 70)"]
    assert isinstance(table, Table)
    assert len(table.footnotes) == 1
    assert heads(table)[1:] == ["DL1 (N = 4)", "DL2 (N = 6)", "All (N = 10)"]
    assert table.columns[1].value_ids == (
        "study_data.populations/-/-/dose=DL1/population=INFUSED/n",
    )


def test_categories_stand_in_the_order_of_the_codelist(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_demographics(context_for(stage_results["study_data"], settings))
    labels = [row[0] for row in texts(table)]
    at = labels.index("Age Group, n (%)")
    assert labels[at + 1 : at + 4] == ["<18", "18-64", "≥65"]


def test_tumour_burden_is_shown_within_each_indication(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_demographics(context_for(stage_results["study_data"], settings))
    assert "Tumour Burden at Baseline, NHL (mm²)" in [row[0] for row in texts(table)]


def test_methods_say_what_the_sponsor_has_not_given(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_bioanalytical_methods(context_for(stage_results["study_data"], settings))
    row = row_of(table, "PCR label (copies/µg)")
    assert row[4:6] == ["– / 50 / –", "not provided"]


def test_doses_that_were_not_collected_are_one_row_with_the_reason(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_dose_accountability(context_for(stage_results["dose_exploration"], settings))
    assert row_of(table, "Total Cells Infused") == ["Total Cells Infused", "NC", "NC", "NC"]
    assert row_of(table, "Within the pre-specified window, n (%)")[-1] == "2 (66.7)"
    assert isinstance(table, Table)
    # The number stands beside the name, so that the doses of a study fit on one page.
    actual = next(row for row in texts(table) if row[0].startswith("Actual Dose"))
    assert actual[0].endswith(", n") and actual[-1] == "3"
    assert not any(row[0] == "n" for row in texts(table))
    reasons = {code for row in table.rows for cell in row.cells for code in cell.reasons}
    assert reasons == {"NOTCOLL"}


def test_concentrations_keep_the_analytes_apart_and_the_days_in_order(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_concentrations(context_for(stage_results["cellular_kinetics"], settings))
    assert [row[0] for row in texts(table)] == [
        "PCR label (copies/µg)", "-1", "7", "28", "FLOW label (cells/µL)", "-1", "7", "28",
    ]  # fmt: skip
    assert texts(table)[2][:5] == ["7", "3", "1", "200", "79"]
    assert texts(table)[3][3:5] == ["[50.0; 60.0]", "–"]


def test_times_are_summarised_by_median_and_range_only(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_nca_parameters(
        context_for(stage_results["cellular_kinetics"], settings, by="total")
    )
    assert row_of(table, "Tmax (d)") == [
        "Tmax (d)", "3", "0", "–", "–", "–", "–", "10.0", "9.50", "12.0", "9.00", "14.0",
    ]  # fmt: skip


def test_why_values_are_missing_stands_below_the_parameter(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_nca_parameters(
        context_for(stage_results["cellular_kinetics"], settings, by="total")
    )
    rows = texts(table)
    at = rows.index(row_of(table, "t1/2 (d)"))
    assert rows[at + 1][:3] == [
        "adjusted R squared of the terminal regression below its limit", "", "2",
    ]  # fmt: skip
    assert rows[at + 2][0] == "t1/2, ungated (d)"


def test_subjects_never_quantifiable_are_counted_beside_the_geometric_mean(
    context_for: ContextFor, settings: Settings
) -> None:
    statistics = describe([0.0, 0.0, 100.0, 400.0, 900.0]) | {"n_nc": 0.0}
    for n_blq, shown in ((2.0, True), (0.0, False)):
        out = ResultCollector("cellular_kinetics")
        values = statistics | {"n_blq": n_blq}
        place = {"variable": "CMAX", "analyte": "PCR", "unit": "copies/ug"}
        out.add("summary", values, dataset="ADPP", n=5, **place)
        rows = texts(draw_nca_parameters(context_for(out.frame(), settings, by="total")))
        below = [row for row in rows if row[0].startswith("All results below the LLOQ")]
        assert [row[1] for row in below] == (["2"] if shown else [])


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("dose", ["DL1", "DL2", "All"]),
        (
            "response",
            ["Responder", "Non-responder", "Unknown", "Ratio responder / non-responder (90% CI)"],
        ),
        ("indication", ["NHL", "All"]),
    ],
)
def test_parameters_by_group_have_one_column_a_group(
    by: str, groups: list[str], context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_nca_parameters(context_for(stage_results["cellular_kinetics"], settings, by=by))
    assert heads(table)[2:] == groups
    assert isinstance(table, Table)
    assert table.analytes == ("PCR", "FLOW")


def test_the_ratio_stands_with_the_geometric_means_and_only_where_it_was_estimated(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_nca_parameters(
        context_for(stage_results["cellular_kinetics"], settings, by="response")
    )
    rows = texts(table)
    at = rows.index(row_of(table, "Cmax (copies/µg)"))
    assert [row[-1] for row in rows[at : at + 3]] == ["", "1.74 (1.02, 2.95)", ""]
    assert rows[at + 1][4] == "[880; 901]"
    at = rows.index(row_of(table, "AUC0-28d (d·copies/µg)"))
    assert rows[at + 1][-1] == "–"


def test_only_the_declared_parameters_are_shown(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_nca_parameters(
        context_for(
            stage_results["cellular_kinetics"], settings, by="total", parameters=["AUC#", "TMAX"]
        )
    )
    assert [row[0] for row in texts(table)][:3] == [
        "PCR label", "Tmax (d)", "AUC0-28d (d·copies/µg)",
    ]  # fmt: skip


def test_the_plan_says_why_a_model_was_not_fitted(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_analysis_plan(context_for(stage_results["exposure_response"], settings))
    assert row_of(table, "Logistic", "AUC0-28d")[3:] == ["secondary, logistic", "primary, logistic"]
    assert isinstance(table, Table)
    refused = [cell for row in table.rows for cell in row.cells if cell.reasons]
    assert {cell.text for cell in refused} == {
        "sensitivity, not fitted", "secondary, not fitted", "sensitivity, not fitted, from D28",
    }  # fmt: skip
    assert {cell.reasons for cell in refused} == {("FEWEVENT",), ("NOBLQALL",)}
    assert table.subjects == 99


def test_odds_ratios_are_printed_with_interval_p_and_q(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_logistic_models(
        context_for(stage_results["exposure_response"], settings, endpoints=["OBJRESP"])
    )
    assert row_of(table, "AUC0-28d", "tumour burden") == [
        "AUC0-28d", "tumour burden", "99", "61", "1.35 (1.04, 1.76)", "<0.001", "0.012", "0.61",
        "primary", "logistic",
    ]  # fmt: skip
    assert row_of(table, "Cmax", "unadjusted")[4:8] == ["NC", "NC", "NC", "NC"]


def test_an_odds_ratio_of_separated_data_is_marked(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_logistic_models(
        context_for(stage_results["exposure_response"], settings, endpoints=["CRSGE3", "CRSGE2"])
    )
    assert isinstance(table, Table)
    marked = [cell for row in table.rows for cell in row.cells if "SEPARFIX" in cell.reasons]
    assert [cell.text for cell in marked] == ["1.35 (1.04, 1.76)"]
    # Endpoints stand in the order of the declaration.
    assert texts(table)[0][0].startswith("CRS of grade 3 or higher")


def test_a_table_of_refused_models_holds_no_subjects(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    results = stage_results["exposure_response"]
    refused = draw_logistic_models(context_for(results, settings, endpoints=["ICANSGE2"]))
    fitted = draw_logistic_models(context_for(results, settings, endpoints=["CRSGE2"]))
    assert isinstance(refused, Table) and isinstance(fitted, Table)
    assert (refused.subjects, fitted.subjects) == (0, 99)


def test_exposure_by_response_lists_a_group_below_three(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_exposure_ratio(
        context_for(stage_results["exposure_response"], settings, endpoints=["OBJRESP"])
    )
    assert row_of(table, "Cmax (copies/µg)") == [
        "Cmax (copies/µg)", "3", "182 (60)", "2", "[50.0; 80.0]", "2.87 (1.50, 5.50)", "0.200",
    ]  # fmt: skip
    assert row_of(table, "Cmax/Tmax (copies/µg/d)")


def test_ordinal_models_show_their_test_and_the_model_of_each_cut(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_ordinal_models(
        context_for(stage_results["exposure_response"], settings, grade="ICANSGR")
    )
    rows = texts(table)
    assert rows[0] == ["Cmax, unadjusted"]
    assert rows[1][1:] == ["99", "80", "1.90 (1.40, 2.60)", "0.002", "0.410", "not rejected"]
    assert rows[3][:4] == ["Grade ≥ 2 (separate model)", "99", "40", "NC"]


def test_ratios_are_shown_only_of_the_declared_parameters(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    results = stage_results["cellular_kinetics"]
    table = draw_nca_parameters(context_for(results, settings, by="response", ratios=["AUC#"]))
    rows = texts(table)
    at = rows.index(row_of(table, "Cmax (copies/µg)"))
    assert rows[at + 1][-1] == "–"


def test_an_n_that_is_not_that_of_the_column_is_not_printed(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    results = stage_results["study_data"].copy()
    changed = results["value_id"] == "study_data.populations/-/-/dose=DL2/population=INFUSED/n"
    assert changed.sum() == 1
    results["value"] = results["value"].where(~changed, 7.0)
    table = draw_demographics(context_for(results, settings))
    assert heads(table)[1:] == ["DL1 (N = 4)", "DL2", "All (N = 10)"]


def test_antibodies_are_counted_by_target_and_dose(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_ada_incidence(context_for(stage_results["immunogenicity"], settings))
    assert row_of(table, "Evaluable / infused subjects, n")[1:] == ["9 / 10"] * 3
    assert row_of(table, "Treatment-induced, of those negative at baseline")[-1] == (
        "1/9 (11.1) [0.3, 48.2]"
    )
    assert row_of(table, "not evaluable: no antibody result after the infusion")[-1] == "1"


def test_a_share_of_nobody_is_printed_as_counts_alone(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    results = stage_results["immunogenicity"].copy()
    place = results["value_id"].str.startswith("immunogenicity.incidence/PERSISTENT/CAR/")
    results.loc[place & results["stat_name"].isin(["n", "denominator"]), "value"] = 0.0
    missing = place & results["stat_name"].isin(["pct", "ci_low", "ci_high"])
    results.loc[missing, ["value", "note_code"]] = [float("nan"), "NOGROUP"]
    table = draw_ada_incidence(context_for(results, settings))
    assert row_of(table, "Persistent, of the induced")[1:] == ["0/0"] * 3


def test_onset_and_titres_of_antibodies_stand_in_the_total(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    out = ResultCollector("immunogenicity")
    common: dict[str, Any] = {"dataset": "ADIM", "analyte": "CAR", "by": {"status": "INDUCED"}}
    values = pd.Series([28.0, 30.0, 90.0])
    add_block(out, "course", values, variable="ADAONDY", where="EVALFL = Y", unit="d", **common)
    results = pd.concat([stage_results["immunogenicity"], out.frame()], ignore_index=True)
    table = draw_ada_incidence(context_for(results, settings))
    label = "Induced: first positive sample, day: median (min, max)"
    assert row_of(table, label)[1:] == ["", "", "30.0 (28.0, 90.0)"]


def test_the_table_of_antibodies_says_what_counts_as_disturbed_where_the_study_names_it(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    results = stage_results["immunogenicity"]
    plain = draw_ada_incidence(context_for(results, settings))
    assert isinstance(plain, Table) and plain.footnotes == ()
    rules = {
        "immunoglobulin": {"names": ["IVIG"], "days": 90},
        "soluble_targets": [{"marker": "SBCMA", "limit": 50}],
    }
    named = ImmunogenicitySettings.model_validate({"interference": rules}).model_dump(mode="json")
    table = draw_ada_incidence(context_for(results, {**settings, "immunogenicity": named}))
    assert isinstance(table, Table)
    assert [note.split(",")[0] for note in table.footnotes] == [
        "Positive samples under IVIG",
        "Inconclusive: a negative sample whose nearest result of SBCMA",
    ]


def test_events_of_special_interest_show_only_what_occurred(
    context_for: ContextFor, stage_results: Results, settings: Settings
) -> None:
    table = draw_special_interest(context_for(stage_results["study_data"], settings))
    names = [row[0] for row in texts(table)]
    assert names == [
        "Cytokine release syndrome",
        "Subjects with the event, n (%)",
        "Episodes, n",
        "Worst grade 3, n (%)",
        "First onset, days: median (min, max)",
        "Duration of the worst episode, days: median (min, max)",
        "Worst episode without a known end, n",
        "Corticosteroid within an episode, n (%)",
        "Immune effector cell-associated neurotoxicity syndrome",
        "Subjects with the event, n (%)",
    ]
    # The dose level without an event has no grade, onset or treatment of it.
    assert row_of(table, "Worst grade 3, n (%)")[1:] == ["–", "2 (33.3)", "2 (33.3)"]
    assert row_of(table, "First onset, days: median (min, max)")[-1] == "[1.0; 4.0]"
    assert row_of(table, "Duration of the worst episode, days: median (min, max)")[-1] == "NC"
    assert isinstance(table, Table) and table.subjects == 6


def test_a_blank_target_is_a_target_none_the_less(
    context_for: ContextFor,
    make_ada_results: Callable[[str], pd.DataFrame],
    settings: Settings,
) -> None:
    table = draw_ada_incidence(context_for(make_ada_results(""), settings))
    assert texts(table)[0] == ["Antibodies against: target not given"]


def test_a_long_listing_is_cut_in_print_and_whole_in_its_data(
    context_for: ContextFor,
    make_adim: Callable[[int], pd.DataFrame],
    stage_results: Results,
    settings: Settings,
) -> None:
    results = stage_results["immunogenicity"]
    long = draw_ada_listing(context_for(results, settings, datasets={"ADIM": make_adim(41)}))
    assert isinstance(long, Table)
    assert (len(long.rows), long.subjects) == (40, 41)
    assert long.full is not None and len(long.full) == 41
    assert "40 of 41 rows" in long.footnotes[0]
    short = draw_ada_listing(context_for(results, settings, datasets={"ADIM": make_adim(40)}))
    assert isinstance(short, Table)
    assert (len(short.rows), short.footnotes) == (40, ())


@pytest.mark.parametrize(
    ("draw", "options"),
    [
        (draw_dose_accountability, {}),
        (draw_concentrations, {}),
        (draw_nca_parameters, {"by": "dose"}),
        (draw_analysis_plan, {}),
        (draw_exposure_ratio, {"endpoints": ["OBJRESP"]}),
        (draw_logistic_models, {"endpoints": ["OBJRESP"]}),
        (draw_ordinal_models, {"grade": "CRSGR"}),
        (draw_ada_incidence, {}),
        (draw_ada_listing, {}),
        (draw_special_interest, {}),
    ],
)
def test_what_was_not_collected_is_not_shown_and_says_so(
    draw: Callable[[Context], Table | NotShown],
    options: dict[str, Any],
    context_for: ContextFor,
    settings: Settings,
) -> None:
    nothing = ResultCollector("none").frame()
    context = context_for(nothing, settings, datasets={"ADIM": empty_dataset("ADIM")}, **options)
    assert draw(context) == NotShown("NOTCOLL")

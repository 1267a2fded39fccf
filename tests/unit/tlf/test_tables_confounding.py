"""Tables and figure of confounding, rescue medication, evaluation and sensitivity."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rescue_study import make_rescue_study, make_settings

from celldossier.datasets import conform
from celldossier.exposure_response import binary, interaction, sensitivity
from celldossier.exposure_response.confounding import collect_confounding
from celldossier.exposure_response.evaluation import collect_evaluation, run_evaluated
from celldossier.exposure_response.groups import collect_event_ratios
from celldossier.exposure_response.leave_out import collect_leave_out
from celldossier.exposure_response.ordinal_evaluation import collect_ordinal_evaluation
from celldossier.exposure_response.rescue_medication import collect_rescue_medication
from celldossier.exposure_response.rescue_weighting import collect_rescue_weighting
from celldossier.exposure_response.study import Study
from celldossier.results import AnalysisResults, ResultCollector
from celldossier.settings.confounding import ConfoundingSettings
from celldossier.settings.evaluation import EvaluationSettings
from celldossier.terms.language import Language
from celldossier.tlf.drawings import find_drawing
from celldossier.tlf.model import Context, Figure, NotShown, Table

TABLES = (
    *("tables_sensitivity.sensitivity", "tables_sensitivity.leave_out"),
    *("tables_evaluation.evaluation", "tables_evaluation.influence"),
    *("tables_confounding.confounding", "tables_rescue.rescue_description"),
    *("tables_rescue.rescue_timing", "tables_rescue.rescue_weighting"),
    "tables_rescue.weight_balance",
)
ASSAY = {
    "analyte": "PCR", "domain": "CK", "unit": "copies/ug", "lloq": 50.0,
    "label": {"en": "CAR transgene", "zh": "CAR转基因"},
}  # fmt: skip


def run(study: Study) -> tuple[AnalysisResults, list[dict[str, object]]]:
    out = ResultCollector("exposure_response")
    for family in (binary, interaction, sensitivity):
        family.run_cells(study, family.plan_cells(study), out)
    collect_event_ratios(study, out)
    collect_confounding(study, out)
    collect_rescue_medication(study, out)
    collect_rescue_weighting(study, out)
    evaluated = run_evaluated(study)
    curves = collect_evaluation(study, evaluated, out)
    collect_leave_out(study, evaluated, out)
    collect_ordinal_evaluation(study, out)
    return AnalysisResults([out.frame()]), curves


def make_context(language: str, study: Study, collected) -> Context:
    import pandas as pd

    values, curves = collected
    return Context(
        language=Language(language),
        results=values,
        curves=conform(pd.DataFrame(curves), "CURVES"),
        dataset=lambda name: study.ader,
        settings={
            "bioanalysis": {"assays": [ASSAY]},
            "exposure_response": study.settings.model_dump(mode="json"),
        },
    )


LIGHT = EvaluationSettings(resamples=60, residual_draws=100)


@pytest.fixture(scope="module")
def study() -> Study:
    # The highest grade is always treated, so that a weighting is refused and another one made.
    settings = make_settings(evaluation=LIGHT)
    return make_rescue_study(
        n=140, seed=6, treated_by_grade=(0, 0.3, 0.5, 0.6, 1.0), settings=settings
    )


@pytest.fixture(scope="module")
def collected(study):
    return run(study)


@pytest.fixture(scope="module")
def contexts(study, collected) -> dict[str, Context]:
    return {language: make_context(language, study, collected) for language in ("en", "zh")}


def draw(context: Context, name: str) -> Table:
    drawn = find_drawing(name)(context)
    assert isinstance(drawn, Table), (name, drawn)
    return drawn


def texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in table.rows]


@pytest.mark.parametrize("name", TABLES)
def test_both_languages_print_the_same_values(name: str, contexts) -> None:
    tables = [draw(contexts[language], name) for language in ("en", "zh")]
    ids = [[cell.value_ids for row in table.rows for cell in row.cells] for table in tables]
    assert ids[0] == ids[1]
    reasons = [[cell.reasons for row in table.rows for cell in row.cells] for table in tables]
    assert reasons[0] == reasons[1]
    chinese = [cell for row in texts(tables[1]) for cell in row]
    assert any(re.search("[一-鿿]", text) for text in chinese)
    assert tables[0].subjects == tables[1].subjects > 0


@pytest.mark.parametrize("name", TABLES)
def test_rows_fit_their_columns_and_no_code_or_gap_is_printed(name: str, contexts) -> None:
    table = draw(contexts["en"], name)
    for row in table.rows:
        assert len(row.cells) == (1 if row.kind == "heading" else len(table.columns))
        for cell in row.cells:
            assert "nan" not in cell.text.lower() and "inf" not in cell.text.lower().split()
            assert not re.search(r"\b[A-Z]+_[A-Z]+", cell.text), cell.text
            assert all(cell.reasons)


def test_the_sensitivity_table_starts_each_model_with_the_main_analysis(contexts) -> None:
    rows = draw(contexts["en"], "tables_sensitivity.sensitivity").rows
    places = [i for i, row in enumerate(rows) if row.kind == "heading"]
    assert len(places) == 3
    for place in places:
        assert rows[place + 1].cells[0].text == "main analysis"
    labels = [row.cells[0].text for row in rows]
    for wanted in ("rank of the exposure", "without outliers", "clinical site", "rank sum test"):
        assert any(wanted in label for label in labels), wanted
    assert not any("indicator" in label for label in labels)


def test_a_refused_weighting_prints_its_reason_and_the_overlap_its_ratio(contexts) -> None:
    table = draw(contexts["en"], "tables_rescue.rescue_weighting")
    refused = [row for row in table.rows if row.cells[0].text == "all grades"]
    made = [row for row in table.rows if row.cells[0].text.startswith("grades with both")]
    assert {row.cells[-1].reasons for row in refused[:2]} == {("POSITIV",)}
    assert all(re.match(r"[\d.]+ \([\d.]+, [\d.]+\)", row.cells[-1].text) for row in made[:2])
    # Weights and effective sizes stand beside the ratio.
    assert all(re.match(r"[\d.]+ – [\d.]+", row.cells[4].text) for row in made[:2])
    assert all("/" in row.cells[6].text for row in made[:2])


def test_a_table_whose_weightings_were_all_refused_is_no_evidence(collected) -> None:
    strict = make_settings(
        evaluation=LIGHT, confounding=ConfoundingSettings(min_effective_size=1000)
    )
    refused = make_rescue_study(n=140, seed=6, settings=strict)
    table = draw(make_context("en", refused, run(refused)), "tables_rescue.rescue_weighting")
    assert table.subjects == 0


def test_the_balance_table_counts_the_grades_that_the_weighting_used(study, contexts) -> None:
    rows = texts(draw(contexts["en"], "tables_rescue.weight_balance"))
    highest = next(row for row in rows if row[0] == "CRS grade 4")
    assert highest[1] == str(int((study.ader["CRSGR"] == 4).sum())) and highest[2] == "0"
    assert any(row[-1] in ("balanced", "not balanced") for row in rows if len(row) > 1)


def test_influential_subjects_are_named_with_the_ratio_without_them(contexts) -> None:
    rows = texts(draw(contexts["en"], "tables_evaluation.influence"))
    named = [row[-1] for row in rows if "S-" in row[-1]]
    assert named
    for text in named:
        for part in text.split("; "):
            assert re.fullmatch(r"S-\d{3} \([\d.e+-]+\)", part)


def test_the_calibration_figure_has_a_panel_for_each_primary_model(contexts) -> None:
    drawn = {
        language: find_drawing("figures_evaluation.calibration")(contexts[language])
        for language in contexts
    }
    for figure in drawn.values():
        assert isinstance(figure, Figure)
        shown = [axes for axes in figure.pages[0].axes if axes.axison]
        assert len(shown) == 3
        assert set(figure.data["SERIES"]) == {"group", "corrected"}
    assert drawn["en"].value_ids == drawn["zh"].value_ids
    pd_same = drawn["en"].data.equals(drawn["zh"].data)
    assert pd_same


def test_a_study_without_medication_or_outcome_says_so(study) -> None:
    bare = make_rescue_study(n=60, seed=2, TOCIFL="", STERFL="", settings=study.settings)
    empty = replace(bare, aderend=bare.aderend.assign(AVAL=float("nan"), REASND="NOTCOLL"))
    context = make_context("en", empty, run(empty))
    for name in ("rescue_description", "rescue_timing", "rescue_weighting", "weight_balance"):
        assert find_drawing(f"tables_rescue.{name}")(context) == NotShown("NOTCOLL")
    assert find_drawing("figures_evaluation.calibration")(context) == NotShown("NOTCOLL")
    table = draw(context, "tables_sensitivity.sensitivity")
    assert table.subjects == 0
    codes = {code for row in table.rows for cell in row.cells for code in cell.reasons}
    assert "NOTCOLL" in codes


def test_medication_that_was_recorded_and_given_to_nobody_says_so(study) -> None:
    untreated = make_rescue_study(
        n=60, seed=2, treated_by_grade=(0, 0, 0, 0, 0), settings=study.settings
    )
    out = ResultCollector("exposure_response")
    collect_rescue_medication(untreated, out)
    context = make_context("en", untreated, (AnalysisResults([out.frame()]), []))
    for name in ("rescue_description", "rescue_timing", "rescue_weighting", "weight_balance"):
        assert find_drawing(f"tables_rescue.{name}")(context) == NotShown("NORESCUE")


def test_a_model_that_all_subjects_refuse_is_not_refused_for_each_site_again() -> None:
    nobody = make_rescue_study(n=60, seed=13, ICANSGR=0.0, settings=make_settings(evaluation=LIGHT))
    table = draw(make_context("en", nobody, run(nobody)), "tables_sensitivity.leave_out")
    labels = [row.cells[0].text for row in table.rows]
    place = next(i for i, label in enumerate(labels) if label.startswith("ICANS"))
    assert labels[place + 1 :] == ["main analysis"]
    assert table.rows[place + 1].cells[4].reasons == ("NOEVENT",)


@pytest.mark.parametrize("name", ["tables_rescue.rescue_weighting", "tables_rescue.weight_balance"])
def test_the_model_of_the_treatment_is_named_as_the_settings_have_it(name, study, contexts) -> None:
    context = contexts["en"]
    notes = draw(context, name).footnotes
    assert (
        "Model of the treatment, Tocilizumab: Grade of CRS, Onset of CRS, Tumour burden." in notes
    )
    confounding = ConfoundingSettings.model_validate(
        {"rescue": [{"medication": "TOCILIZUMAB", "covariates": ["AGE"]}]}
    )
    settings = study.settings.model_copy(update={"confounding": confounding})
    other = replace(
        context,
        settings={**context.settings, "exposure_response": settings.model_dump(mode="json")},
    )
    notes = draw(other, name).footnotes
    assert any(
        note.startswith("Model of the treatment, Tocilizumab: Grade of CRS, Age") for note in notes
    )
    assert not any("Tumour burden" in note for note in notes)

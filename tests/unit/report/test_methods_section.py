"""The methods of the report follow the settings of the run."""

from __future__ import annotations

from report_page import Page


def test_the_methods_follow_the_settings() -> None:
    page = Page()
    page.settings["cellular_kinetics"]["max_extrapolation"] = 35
    page.settings["cellular_kinetics"]["auc_rule"] = "linear"
    text = page.render("methods")
    assert "exceeds 35%" in text
    assert "Areas: linear trapezoids." in text
    assert "logarithmic ones where it falls" not in text


def test_the_methods_say_how_several_doses_and_cells_without_a_marker_are_analysed() -> None:
    page = Page(repeat_dosing=True)
    page.settings["cellular_kinetics"] |= {"dosing_interval": 7.0, "no_specific_marker": ["PCR"]}
    text = page.render("methods")
    assert "at most 1 days older" in text and "that of the protocol, 7 days" in text
    assert "the subject's own (assay)" in text and "held for 3 days at most" in text
    plain = Page().render("methods")
    assert "reviewed the window of a terminal slope" in plain
    assert "own clock" not in plain and "the subject's own" not in plain
    page.settings["cellular_kinetics"]["start"] = "minimum"
    assert "the lowest concentration of the dosing interval" in page.render("methods")


def test_the_methods_name_covariates_in_words_and_with_the_signs_of_the_language() -> None:
    for language, words in (("en", "Age, Indication"), ("zh", "年龄、适应症")):
        text = Page(language).render("methods")
        assert words in text
        assert "LTBURDZ" not in text


def test_the_methods_say_how_dates_become_days() -> None:
    page = Page()
    time = page.settings["study_data"]["time"]
    text = page.render("methods")
    assert "no time zone is declared" in text
    assert "No sampling windows are declared" in text
    assert f"Data cut-off {page.study.data_cutoff.isoformat()}: a record of any domain" in text
    assert "Death: the first possible day, but not before the last day" in text
    time["time_zone"], time["site_time_zones"] = "Asia/Shanghai", {"02": "America/New_York"}
    time["windows"] = [
        {"day": 7, "until": 14, "early": 1, "late": 2, "unit": "days"},
        {"day": 28, "until": None, "early": 5, "late": 5, "unit": "percent"},
    ]
    time["cutoff"] = "keep"
    time["visit_day_convention"] = "day_zero"
    time["predose_window"] = 0.5
    time["partial_dates"]["event_end"] = "none"
    text = page.render("methods")
    assert "(Asia/Shanghai; site 02: America/New_York)" in text
    assert "day 7–14: 1 to 2 d; day 28: 5 to 5 %" in text
    assert "are used, with a warning" in text
    assert "Planned days of visits: day 0 is the day of the first infusion" in text
    assert "at most 0.5 d before" in text
    assert "End of an adverse event: not completed." in text


def test_the_window_of_the_dose_that_is_printed_is_that_of_the_cells_that_were_counted() -> None:
    page = Page()
    page.settings["study_data"]["dosing"]["basis_windows"] = {
        "transgene_positive": [0.7, 1.3],
        "viable": [0.6, 1.4],
    }
    assert "actual to planned dose: 0.7 to 1.3" in page.render("methods")
    assert "actual over planned dose was 0.7 to 1.3" in page.render("S3.2")
    page.settings["study_data"]["dosing"]["dose_basis"] = "viable"
    assert "actual to planned dose: 0.6 to 1.4" in page.render("methods")


def test_the_methods_print_each_declared_conversion_with_its_assumption() -> None:
    for language, none, assumed in (
        ("en", "are not converted into each other", "This assumes diploid cells"),
        ("zh", "不相互换算", "细胞为二倍体"),
    ):
        page = Page(language)
        assert none in page.render("methods")
        page.settings["bioanalysis"]["conversions"] = [
            {
                "analyte": "PCRCELL",
                "label": {"en": "Cells from PCR", "zh": "由PCR换算的细胞"},
                "source": "PCR",
                "white_cells": "WBC",
                "vcn": "lot",
                "window": 1.5,
                "dna_per_cell": 6.6e-6,
            }
        ]
        page.settings["bioanalysis"]["assays"][2]["molar_mass"] = 113.12
        page.settings["bioanalysis"]["assays"][2]["declared_factors"] = {"IU/mL": 10}
        text = page.render("methods")
        assert none not in text
        for words in (assumed, "6.6e-06", "1.5 d", "113.12 g/mol", "1 IU/mL"):
            assert words in text


def test_the_methods_say_that_the_peak_rule_goes_by_the_planned_time() -> None:
    page = Page()
    page.settings["cellular_kinetics"]["peak_from"] = 1
    assert "Samples planned before day 1" in page.render("methods")

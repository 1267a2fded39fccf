"""Disposition, dates of death and the last date known alive."""

from __future__ import annotations

import pytest
from small_study import assay, to_table

from celldossier.settings.bioanalysis import BioanalysisSettings


def alive(study, subject: str = "A") -> list:
    adsl = study.derive().datasets["ADSL"].set_index("USUBJID")
    return adsl.loc[subject, ["LSTALVDT", "LSTALVDY", "LSTALVSR"]].tolist()


def test_disposition_is_classified_in_any_case_of_letters(study):
    study.set("DS", 1, "DSDECOD", "Lost to follow-up")
    adds = study.derive().datasets["ADDS"].set_index("USUBJID")
    assert adds["DSCLASS"].to_dict() == {"A": "LOSTFU", "B": "DEATH", "C": "WITHDRAWN"}
    # Who was not infused has no day.
    assert adds["AFRLT"].fillna(-1).to_dict() == {"A": 275, "B": 70, "C": -1}


def test_the_last_date_alive_is_the_latest_of_all_domains_with_its_source(study):
    assert alive(study) == ["2024-12-01", 275, "DS.DSSTDTC, ds.csv, 1"]
    study.remove("DS")
    assert alive(study) == ["2024-09-01", 184, "RS.RSDTC, rs.csv, 4"]
    study.set("LB", 3, "LBDTC", "2024-10-05T08:00")
    assert alive(study) == ["2024-10-05", 218, "LB.LBDTC, lb.csv, 3"]


def test_a_sample_that_nobody_analyses_was_drawn_from_a_living_subject(study):
    study.remove("DS")
    own = {"LBDTC": "2024-10-05T08:00", "LBTESTCD": "LIPASE"}
    row = study.repeat("LB", 1, own)
    assert alive(study)[0] == "2024-10-05"
    study.set("LB", row, "LBTESTCD", "IL6")
    study.set("LB", row, "LBSTAT", "NOT DONE")
    study.set("LB", row, "LBORRES", "")
    assert alive(study)[0] == "2024-09-01"


def test_a_completed_date_shows_nobody_alive(study):
    study.remove("DS")
    study.set("AE", 1, "AEENDTC", "2024-11")
    assert alive(study)[0] == "2024-09-01"


def test_neither_a_fatal_event_nor_a_record_after_death_shows_a_subject_alive(study):
    study.set("AE", 4, "AETOXGR", "5")
    study.set("AE", 4, "AEENDTC", "2024-06-10")
    assert alive(study, "B")[0] == "2024-04-29"
    study.set("CM", 2, "CMSTDTC", "2024-08-01")
    assert alive(study, "B")[0] == "2024-04-29"


@pytest.mark.parametrize(("cutoff", "last"), [("exclude", "2024-12-31"), ("keep", "2024-12-31")])
def test_nobody_is_known_alive_after_the_cut_off(study, cutoff, last):
    study.options["time"] = {"cutoff": cutoff}
    study.set("RS", 4, "RSDTC", "2025-03-01")
    assert alive(study)[0] == last


@pytest.mark.parametrize(
    ("table", "row", "column", "subject", "source"),
    [
        ("DM", 2, "DTHDTC", "B", "DM.DTHDTC, dm.csv, 2"),
        ("RS", 4, "RSDTC", "A", "RS.RSDTC, rs.csv, 4"),
    ],
)
def test_who_dies_or_is_seen_after_the_cut_off_was_alive_at_it(
    study, table, row, column, subject, source
):
    study.remove("DS")
    study.set(table, row, column, "2025-01-10")
    assert alive(study, subject)[::2] == ["2024-12-31", source]
    adtte = study.derive().datasets["ADTTE"]
    own = adtte[(adtte["PARAMCD"] == "OS") & (adtte["USUBJID"] == subject)].iloc[0]
    assert tuple(own[["ADT", "CNSRSN", "EVENTCD"]]) == ("2024-12-31", "ONGOING", "")


@pytest.mark.parametrize(
    ("term", "last"),
    [("DEATH", "2024-12-31"), ("LAST CONTACT", "2024-12-31"), ("LOST TO FOLLOW-UP", "2024-05-01")],
)
def test_a_disposition_after_the_cut_off_shows_life_unless_it_notes_a_loss(study, term, last):
    study.set("DM", 2, "DTHDTC", "")
    study.set("DS", 2, "DSDECOD", term)
    study.set("DS", 2, "DSSTDTC", "2025-01-10")
    assert alive(study, "B")[0] == last


def test_what_comes_after_the_cut_off_is_not_missing(study):
    # The only disposition, and the death of a fatal event, lie after the cut-off.
    study.set("DM", 2, "DTHDTC", "2025-01-10")
    study.set("DS", 2, "DSSTDTC", "2025-01-10")
    study.repeat("DS", 2, {"DSDECOD": "LAST CONTACT", "DSSTDTC": "2024-12-01"})
    study.tables["DS"] = study.tables["DS"].drop(index=1)
    study.set("AE", 4, "AETOXGR", "5")
    study.set("AE", 4, "AEENDTC", "2025-01-10")
    rules = {"DISPOSITIONMISSING", "DEATHDATEMISSING", "CONTACTTOOEARLY"}
    found = study.derive().findings
    assert found.loc[found["rule_id"].isin(rules), ["rule_id", "subject"]].values.tolist() == [
        ["DISPOSITIONMISSING", "A"]
    ]
    study.tables["DS"] = study.tables["DS"].drop(index=4)
    found = study.derive().findings
    assert found.loc[found["rule_id"].isin(rules), "subject"].tolist() == ["A"]


def test_the_release_of_a_lot_shows_nobody_alive(study):
    study.set("DS", 1, "DSDECOD", "LOST TO FOLLOW-UP")
    study.set("LOTS", 1, "RELDTC", "2024-12-20")
    assert alive(study)[0] == "2024-09-01"


def test_tissue_of_an_autopsy_is_a_warning_and_a_lot_released_after_death_is_nothing(study):
    more = BioanalysisSettings.model_validate({"assays": [assay("CART", "PD", "CART", "score")]})
    assays = (*study.bioanalysis.assays, *more.assays)
    study.bioanalysis = study.bioanalysis.model_copy(update={"assays": assays})
    study.tables["MI"] = to_table(
        [{"USUBJID": "B", "MITESTCD": "CART", "MIORRES": "3", "MIDTC": "2024-06-11"}]
    )
    study.sources["MI"] = {"file": "mi.csv"}
    study.set("DM", 3, "DTHDTC", "2024-03-05")
    study.set("DS", 3, "DSSTDTC", "2024-03-05")
    own = {"LOTID": "L3", "USUBJID": "C", "MFGDTC": "2024-02-25", "RELDTC": "2024-03-12"}
    study.repeat("LOTS", 1, own)
    found = study.derive().findings
    late = found[found["rule_id"] == "RECORDAFTERDEATH"]
    assert late[["domain", "severity"]].values.tolist() == [["MI", "warning"]]
    study.set("CM", 2, "CMSTDTC", "2024-07-01")
    found = study.derive().findings
    late = found[found["rule_id"] == "RECORDAFTERDEATH"]
    assert sorted(late["severity"]) == ["error", "warning"]

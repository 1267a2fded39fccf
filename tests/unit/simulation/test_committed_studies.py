"""The raw data in resources/studies: reproducible to the byte, and free of faults."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from celldossier.cli.simulate import read_specification, write_study
from celldossier.simulation.layouts import RAW_COLUMNS
from celldossier.simulation.study import simulate_study

STUDIES = Path(__file__).parents[3] / "resources" / "studies"
NAMES = ("CTX-101", "MINI")
MOMENT = re.compile(r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2})?$")

Domains = dict[str, pd.DataFrame]


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def raw(name: str) -> Domains:
    return {
        domain: pd.read_csv(STUDIES / name / f"{domain}.csv", dtype=str, keep_default_na=False)
        for domain in (*RAW_COLUMNS, "truth_subjects")
    }


@pytest.fixture(scope="module")
def infusion(raw: Domains) -> pd.Series:
    cells = raw["ex"].loc[raw["ex"]["EXCAT"] == "CELL PRODUCT"]
    return pd.to_datetime(cells["EXSTDTC"]).groupby(cells["USUBJID"]).min()


def days_after_infusion(frame: pd.DataFrame, column: str, infusion: pd.Series) -> pd.Series:
    moments = pd.to_datetime(frame[column], format="ISO8601", errors="coerce")
    return (moments - frame["USUBJID"].map(infusion)) / pd.Timedelta(days=1)


def test_the_committed_files_are_what_the_specification_gives(name: str, tmp_path: Path) -> None:
    write_study(simulate_study(read_specification(STUDIES / name / "simulation.yaml")), tmp_path)
    written = sorted(path.name for path in tmp_path.iterdir())
    committed = sorted(p.name for p in (STUDIES / name).iterdir() if p.suffix != ".yaml")
    assert written == committed
    for file in written:
        assert (tmp_path / file).read_bytes() == (STUDIES / name / file).read_bytes(), file


def test_each_file_has_its_columns_and_one_row_a_record(raw: Domains) -> None:
    for domain, columns in RAW_COLUMNS.items():
        frame = raw[domain]
        # The samples are named after the results are laid out.
        traced = [f"{domain.upper()}{name}" for name in ("REFID", "RUNID")]
        assert list(frame.columns) == columns + (traced if domain in ("pc", "is") else [])
        key = {"dm": ["USUBJID"], "lots": ["LOTID"]}.get(domain)
        key = key or ["USUBJID", f"{domain.upper()}SEQ"]
        assert not frame.duplicated(key).any(), domain


def test_every_subject_of_every_file_is_in_dm(raw: Domains, infusion: pd.Series) -> None:
    enrolled = set(raw["dm"]["USUBJID"])
    for domain in RAW_COLUMNS:
        assert set(raw[domain]["USUBJID"]) <= enrolled, domain
        if domain not in ("dm", "lots"):
            assert set(raw[domain]["USUBJID"]) <= set(infusion.index), domain


def test_a_site_lies_in_one_country(raw: Domains) -> None:
    dm = raw["dm"]
    assert (dm.groupby("SITEID")["COUNTRY"].nunique() == 1).all()
    assert set(dm["COUNTRY"]) == {"CHN", "USA"}
    assert (dm["RACE"] == "ASIAN").tolist() == (dm["COUNTRY"] == "CHN").tolist()
    lots = raw["lots"].merge(dm[["USUBJID", "COUNTRY"]], on="USUBJID")
    assert (lots["SITE"] == "SHANGHAI").tolist() == (lots["COUNTRY"] == "CHN").tolist()


def test_all_dates_are_iso_8601_and_lie_in_the_years_2023_to_2025(raw: Domains) -> None:
    for domain in RAW_COLUMNS:
        for column in raw[domain].columns[raw[domain].columns.str.endswith("DTC")]:
            texts = raw[domain][column].loc[raw[domain][column] != ""]
            assert texts.map(lambda text: bool(MOMENT.match(text))).all(), (domain, column)
            assert texts.str[:4].isin(["2023", "2024", "2025"]).all(), (domain, column)


def test_nothing_happens_before_consent_after_death_or_after_the_cutoff(
    name: str, raw: Domains
) -> None:
    cutoff = read_specification(STUDIES / name / "simulation.yaml").enrolment.data_cutoff
    subjects = raw["dm"].set_index("USUBJID")
    consent = pd.to_datetime(subjects["RFICDTC"])
    death = pd.to_datetime(subjects["DTHDTC"], errors="coerce")
    for domain, column in (
        ("ex", "EXSTDTC"), ("pc", "PCDTC"), ("lb", "LBDTC"), ("is", "ISDTC"),
        ("ae", "AESTDTC"), ("ae", "AEENDTC"), ("rs", "RSDTC"), ("cm", "CMSTDTC"),
        ("fa", "FADTC"), ("ds", "DSSTDTC"),
        ("cm", "CMENDTC"), ("lots", "MFGDTC"), ("lots", "RELDTC"),
    ):  # fmt: skip
        frame = raw[domain]
        moment = pd.to_datetime(frame[column], format="ISO8601", errors="coerce")
        assert not (moment < frame["USUBJID"].map(consent)).any(), (domain, column)
        assert not (moment > frame["USUBJID"].map(death)).any(), (domain, column)
        assert not (moment > pd.Timestamp(cutoff)).any(), (domain, column)
        last = frame["USUBJID"].map(pd.to_datetime(raw["ds"].set_index("USUBJID")["DSSTDTC"]))
        assert not (moment.dt.normalize() > last).any(), (domain, column)


def test_events_and_medication_end_after_they_begin(raw: Domains) -> None:
    for domain, start, end in (("ae", "AESTDTC", "AEENDTC"), ("cm", "CMSTDTC", "CMENDTC")):
        begun = pd.to_datetime(raw[domain][start], format="ISO8601")
        ended = pd.to_datetime(raw[domain][end], format="ISO8601", errors="coerce")
        assert not (ended < begun).any(), domain


def test_pre_dose_samples_lie_before_the_infusion_and_are_blq(
    raw: Domains, infusion: pd.Series
) -> None:
    samples = raw["pc"]
    days = days_after_infusion(samples, "PCDTC", infusion)
    before = samples["PCTPTNUM"] == "0"
    assert (days[before] < 0).all() and (days[before] > -0.3).all()
    assert (days[~before] > 0).all()
    assert (samples.loc[before, "PCORRES"] == "BLQ").all()


def test_actual_times_stay_near_the_nominal_days(raw: Domains, infusion: pd.Series) -> None:
    for domain, nominal, column in (("pc", "PCTPTNUM", "PCDTC"), ("lb", "LBTPTNUM", "LBDTC")):
        days = days_after_infusion(raw[domain], column, infusion)
        planned = raw[domain][nominal].astype(float)
        allowed = np.select([planned < 0, planned < 15, planned < 30], [2.2, 0.2, 1.2], 5.2)
        assert ((days - planned).abs() <= allowed).all(), domain


def test_concentrations_are_blq_or_quantifiable_numbers_of_six_digits(raw: Domains) -> None:
    samples = raw["pc"]
    numbers = samples.loc[samples["PCORRES"] != "BLQ"]
    values = numbers["PCORRES"].astype(float)
    assert (values >= numbers["PCLLOQ"].astype(float)).all()
    assert (values <= numbers["PCULOQ"].astype(float)).all()
    digits = numbers["PCORRES"].str.replace(".", "", regex=False).str.lstrip("0").str.len()
    assert digits.max() == 6
    assert not samples.duplicated(["USUBJID", "PCTESTCD", "PCSPEC", "PCDTC"]).any()


def test_sampling_stops_after_two_consecutive_blq_from_day_28_on(raw: Domains) -> None:
    samples = raw["pc"].query("PCTESTCD == 'CARPCR' and PCSPEC == 'BLOOD'")
    assert (samples["PCORRES"] == "BLQ").mean() > 0.05
    for _, own in samples.groupby("USUBJID"):
        own = own.assign(DAY=own["PCTPTNUM"].astype(float)).sort_values("DAY")
        own = own.loc[own["DAY"] >= 14]
        below = own["PCORRES"].eq("BLQ").to_numpy()
        pairs = np.flatnonzero(below[1:] & below[:-1] & (own["DAY"].to_numpy()[1:] >= 28))
        assert pairs.size == 0 or pairs[0] + 2 == below.size


def test_doses_agree_with_the_lot_and_scatter_round_the_plan(raw: Domains) -> None:
    cells = raw["ex"].loc[raw["ex"]["EXCAT"] == "CELL PRODUCT"]
    joined = cells.merge(raw["lots"], left_on="EXLOT", right_on="LOTID", suffixes=("", "_LOT"))
    assert (joined["USUBJID"] == joined["USUBJID_LOT"]).all() and len(joined) == len(cells)
    number = joined[["EXDOSE", "EXDOSVIA", "EXDOSTOT", "VIABPCT", "TRANSPCT", "EXPDOSE"]]
    number = number.apply(pd.to_numeric)
    assert np.allclose(
        number["EXDOSE"], number["EXDOSVIA"] * number["TRANSPCT"] / 100, rtol=1e-3, atol=0.1
    )
    assert np.allclose(
        number["EXDOSVIA"], number["EXDOSTOT"] * number["VIABPCT"] / 100, rtol=1e-3, atol=0.1
    )
    unplanned = (joined["EXPLFL"] == "N").to_numpy()
    assert (joined["EXPDOSE"] == "").to_numpy().tolist() == unplanned.tolist()
    ratio = (number["EXDOSE"] / number["EXPDOSE"])[~unplanned]
    assert ratio.between(0.6, 1.6).all()
    assert 0.75 < ratio.between(0.8, 1.2).mean() < 1  # a few lie outside the window


def test_antibody_groups_can_be_found_again_in_the_raw_samples(raw: Domains) -> None:
    samples = raw["is"].query("ISCAT != 'CELLULAR'")
    samples = samples.assign(DAY=samples["ISTPTNUM"].astype(int))
    titres = samples.loc[samples["ISCAT"] == "TITER"]
    first = titres.loc[titres["DAY"] == 0].set_index("USUBJID")["ISORRES"].astype(int)
    later = titres.loc[titres["DAY"] > 0].groupby("USUBJID")["ISORRES"]
    highest = later.agg(lambda texts: texts.astype(int).max())
    truth = raw["truth_subjects"].set_index("USUBJID")
    for subject in samples.loc[samples["DAY"] > 0, "USUBJID"].unique():
        if subject not in first.index:
            found = "INDUCED" if subject in highest.index else "NEGATIVE"
        else:
            boosted = highest.get(subject, 0) >= 4 * first[subject]
            found = "BOOSTED" if boosted else "BASELINE"
        assert found == truth.loc[subject, "ADAGRP"], subject


def test_antibody_tiers_follow_each_other(raw: Domains) -> None:
    tiers = raw["is"].query("ISCAT != 'CELLULAR'")
    wide = tiers.pivot(index=["USUBJID", "ISDTC"], columns="ISCAT", values="ISORRES").fillna("")
    confirmed = wide["CONFIRMATORY"]
    assert wide["SCREENING"].isin(["POSITIVE", "NEGATIVE"]).all()
    assert ((confirmed != "") == (wide["SCREENING"] == "POSITIVE")).all()
    assert ((wide["TITER"] != "") == (confirmed == "POSITIVE")).all()


def test_worst_grades_in_ae_are_those_of_the_truth(raw: Domains) -> None:
    truth = raw["truth_subjects"].query("INFUSFL == 'Y'").set_index("USUBJID")
    for term, column in (
        ("Cytokine release syndrome", "CRSGR"),
        ("Immune effector cell-associated neurotoxicity syndrome", "ICANSGR"),
    ):
        events = raw["ae"].loc[raw["ae"]["AEDECOD"] == term]
        assert (events["AESCAT"] == "ASTCT 2019").all()
        worst = events.groupby("USUBJID")["AETOXGR"].max().reindex(truth.index, fill_value="0")
        assert (worst == truth[column]).all()


def test_responders_of_the_truth_respond_in_rs_and_others_do_not(raw: Domains) -> None:
    truth = raw["truth_subjects"].query("INFUSFL == 'Y'").set_index("USUBJID")
    overall = raw["rs"].loc[raw["rs"]["RSTESTCD"] != "MRD"]
    responses = overall.assign(RESPONDS=overall["RSSTRESC"].isin(["CR", "CRi", "PR"]))
    best = responses.groupby("USUBJID")["RESPONDS"].max().reindex(truth.index, fill_value=False)
    assert (best == (truth["RESPFL"].eq("Y") & truth["RESPEVFL"].eq("Y"))).all()
    known = responses.loc[responses["RSSTRESC"] != "NE", "USUBJID"]
    assert set(known) == set(truth.index[truth["RESPEVFL"] == "Y"])
    vocabulary = {"ALL": {"CR", "CRi", "NR", "PD", "NE"}}
    vocabulary["LUGANO 2014"] = {"CR", "PR", "SD", "PD", "NE"}
    for category, own in responses.groupby("RSCAT"):
        assert set(own["RSSTRESC"]) <= vocabulary[str(category)]


def test_tocilizumab_in_cm_begins_within_the_crs_of_ae(raw: Domains) -> None:
    given = raw["cm"].loc[raw["cm"]["CMDECOD"] == "TOCILIZUMAB", ["USUBJID", "CMSTDTC"]]
    syndrome = raw["ae"].loc[raw["ae"]["AEDECOD"] == "Cytokine release syndrome"]
    joined = given.merge(syndrome, on="USUBJID", how="left", validate="one_to_one")
    assert len(joined) > 0
    # ISO 8601 texts of one precision are ordered like the moments that they name.
    assert (joined["AESTDTC"] < joined["CMSTDTC"]).all()
    assert ((joined["AEENDTC"] == "") | (joined["CMSTDTC"] <= joined["AEENDTC"])).all()


def test_the_truth_counts_what_the_raw_files_hold(name: str, raw: Domains) -> None:
    truth = json.loads((STUDIES / name / "truth.json").read_text(encoding="utf-8"))
    assert truth["counts"]["records"] == {domain: len(raw[domain]) for domain in RAW_COLUMNS}
    ages = raw["dm"].query("RFXSTDTC != ''")["AGE"].astype(int)
    assert truth["counts"]["adolescents"] == ages.between(12, 17).sum()
    assert truth["counts"]["infused"] == len(ages)
    assert truth["counts"]["tocilizumab"] == (raw["cm"]["CMDECOD"] == "TOCILIZUMAB").sum()


def test_ctx101_has_the_planned_numbers_of_subjects() -> None:
    counts = json.loads((STUDIES / "CTX-101" / "truth.json").read_text(encoding="utf-8"))["counts"]
    assert (counts["enrolled"], counts["infused"], counts["adolescents"]) == (128, 120, 20)
    assert counts["process"] == {"A": 80, "B": 40}
    assert counts["indication"] == {"ALL": 60, "NHL": 60}
    reasons = pd.read_csv(STUDIES / "CTX-101" / "dm.csv", dtype=str, keep_default_na=False)
    assert (reasons["MFGSTAT"] == "FAILED").sum() == 3
    lost = reasons.query("MFGSTAT == 'RELEASED' and RFXSTDTC == ''")["NOINFRSN"]
    assert len(lost) == 5 and (lost != "").all()


def test_mini_has_enough_of_each_group_for_quick_tests() -> None:
    truth = pd.read_csv(STUDIES / "MINI" / "truth_subjects.csv", dtype=str, keep_default_na=False)
    infused = truth.query("INFUSFL == 'Y'")
    assert len(infused) == 12
    known = infused.query("RESPEVFL == 'Y'")["RESPFL"]
    assert min((known == "Y").sum(), (known == "N").sum()) >= 3
    severe = infused["CRSGR"].astype(int) >= 2
    assert min(severe.sum(), (~severe).sum()) >= 3
    assert set(infused["PROCESS"]) == {"A", "B"}
    subjects = pd.read_csv(STUDIES / "MINI" / "dm.csv", dtype=str, keep_default_na=False)
    assert set(subjects.query("RFXSTDTC != ''")["ARMCD"]) == {"DL1", "DL2", "DL3"}

"""Repeat doses in the stage: doses of EX, datasets by course and by dose, results of table 36."""

from __future__ import annotations

from math import exp, nan

import pandas as pd
import pytest

from celldossier.cellular_kinetics.dose_profiles import (
    assign_doses,
    has_repeat_doses,
    list_doses,
)
from celldossier.cellular_kinetics.dose_summaries import summarise_doses
from celldossier.cellular_kinetics.stage import analyse_cellular_kinetics
from celldossier.datasets import conform, empty_dataset
from celldossier.results import AnalysisResults
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

RATE, TAU = 0.3, 7.0
LATE = {1: 0.0, 2: 7.25, 3: 14.0}
"""Actual days of the doses; planned were 0, 7 and 14."""
SUBJECTS = {"S1": (1.0, 3), "S2": (2.0, 3), "S3": (4.0, 1)}
"""Level of each subject, and the number of doses given."""


def conc(level, day):
    """Concentration of the doses given before a day, each 1000 times the level at its start."""
    return level * sum(1000 * exp(-RATE * (day - start)) for start in LATE.values() if start < day)


def make_adpc():
    rows = []
    for subject, (level, doses) in SUBJECTS.items():
        times = [(-0.05, 0.0)]
        for dose in range(1, doses + 1):
            start, planned = LATE[dose], (dose - 1) * TAU
            times += [(start - 0.05, planned)] * (dose > 1)
            times += [(start + day, planned + day) for day in (0.5, 1.0, 2.0, 4.0)]
        times.append((LATE[doses] + TAU, doses * TAU))
        for actual, nominal in times:
            value = conc(level, actual) if actual > 0 else nan
            rows.append(
                {
                    **{"USUBJID": subject, "AFRLT": actual, "NFRLT": nominal, "AVAL": value},
                    **{"BLQFL": "N" if actual > 0 else "Y", "SRCROW": len(rows) + 1},
                }
            )
    frame = pd.DataFrame(rows).assign(
        STUDYID="T", PARAMCD="PCR", PARAM="Transgene", PCSPEC="BLOOD", AVALU="copies/ug"
    )
    return conform(frame.assign(ALQFL="N", ALLOQ=1.0, ANL01FL="Y", SRCDOM="PC"), "ADPC")


def make_adex(**later):
    rows = [
        {
            **{"USUBJID": subject, "DOSENO": dose, "PDOSENO": dose, "CYCLE": 1, "COURSE": 1},
            **{"DOSETYPE": "FIRST" if dose == 1 else "REPEAT", "NFRAC": 1, "FRACNO": 1},
            **{"AFRLT": LATE[dose], "NFRLT": (dose - 1) * TAU, "DOSEA": 100.0 * dose},
        }
        for subject, (_, doses) in SUBJECTS.items()
        for dose in range(1, doses + 1)
    ]
    frame = pd.DataFrame([*rows, later] if later else rows).assign(
        STUDYID="T", EXCAT="CELL PRODUCT", EXTRT="NK", SRCDOM="EX", DOSEU="10^6 cells"
    )
    frame["ADTM"] = [f"2025-01-{number:02d}" for number in range(1, len(frame) + 1)]
    return conform(frame.assign(SRCROW=range(101, 101 + len(frame))), "ADEX")


def make_adsl():
    frame = pd.DataFrame({"USUBJID": list(SUBJECTS), "STUDYID": "T", "INDIC": "NHL"})
    frame = frame.assign(TRT01A="DL1", TRT01P="DL1")
    for flag in ("ENRLFL", "LEUKFL", "MANUFL", "SAFFL", "PKFL", "PDFL", "IMFL", "ERFL"):
        frame[flag] = "Y"
    return conform(frame, "ADSL")


def analyse(adpc=None, adex=None, **settings):
    values = {"peak_from": 0, "dosing_interval": TAU, **settings}
    return analyse_cellular_kinetics(
        adpc=make_adpc() if adpc is None else adpc,
        adsl=make_adsl(),
        adex=make_adex() if adex is None else adex,
        adrs=empty_dataset("ADRS"),
        adcm=empty_dataset("ADCM"),
        adpd=empty_dataset("ADPD"),
        adtte=empty_dataset("ADTTE"),
        adbrg=empty_dataset("ADBRG"),
        settings=CellularKineticsSettings.model_validate(values),
    )


@pytest.fixture(scope="module")
def output():
    return analyse()


@pytest.fixture(scope="module")
def results(output):
    return AnalysisResults([output.results])


def value(output, subject, dose, code, kind="DOSE"):
    rows = output.adpp
    rows = rows[(rows["USUBJID"] == subject) & (rows["PROFTYP"] == kind)]
    return rows[(rows["DOSENO"] == dose) & (rows["PARAMCD"] == code)].iloc[0]


def test_each_dose_has_parameters_of_its_own_beside_those_of_the_course(output):
    assert value(output, "S1", 2, "TMAX")["AVAL"] == pytest.approx(0.5)
    assert value(output, "S1", 2, "CMAX")["AVAL"] == pytest.approx(conc(1.0, 7.75))
    assert value(output, "S1", 1, "TMAX", "COURSE")["AVAL"] == pytest.approx(14.5)
    assert value(output, "S1", 1, "AUC28", "COURSE")["FLAG"] == "EXTRAP;COURSE"
    assert value(output, "S1", 2, "CTROUGH")["AVAL"] == pytest.approx(conc(1.0, 7.2))
    assert value(output, "S1", 3, "AUCTAU")["PPREASND"] == ""


def test_a_subject_with_one_dose_has_it_as_course_and_as_dose(output):
    course, dose = (value(output, "S3", 1, "CMAX", kind) for kind in ("COURSE", "DOSE"))
    assert course["AVAL"] == dose["AVAL"] and course["FLAG"] == dose["FLAG"] == ""
    assert value(output, "S3", 1, "AUCTAU")["PPREASND"] == ""
    assert "AUCTAU" not in set(output.adpp.loc[output.adpp["PROFTYP"] == "COURSE", "PARAMCD"])


def test_without_an_interval_of_the_protocol_the_last_one_is_not_known():
    output = analyse(dosing_interval=None)
    assert value(output, "S1", 3, "AUCTAU")["PPREASND"] == "NOTAU"
    assert value(output, "S1", 2, "AUCTAU")["PPREASND"] == ""


def test_the_trough_is_a_copy_in_the_profile_of_the_dose_that_it_comes_before(output):
    rows = output.adnca[(output.adnca["USUBJID"] == "S1") & (output.adnca["PROFTYP"] == "DOSE")]
    second = rows[rows["DOSENO"] == 2]
    trough = second[second["DTYPE"] == "COPY"]
    assert trough["ARRLT"].tolist() == pytest.approx([-0.05]) and trough["MRRLT"].tolist() == [0.0]
    own = rows[(rows["DOSENO"] == 1) & rows["SRCROW"].isin(trough["SRCROW"])]
    assert own["DTYPE"].tolist() == [""] and own["ARRLT"].tolist() == pytest.approx([7.2])
    # The nominal clock is that of the planned dose.
    assert second.loc[second["DTYPE"] == "", "NRRLT"].tolist() == [0.5, 1.0, 2.0, 4.0, 7.0]
    assert set(second["DOSEA"]) == {200.0}
    course = output.adnca[(output.adnca["USUBJID"] == "S1") & (output.adnca["PROFTYP"] == "COURSE")]
    assert len(course) == (make_adpc()["USUBJID"] == "S1").sum()


def test_a_study_of_single_doses_has_no_profiles_by_dose():
    adpc, adex = make_adpc(), make_adex()
    single = analyse(adpc[adpc["USUBJID"] == "S3"], adex[adex["USUBJID"] == "S3"])
    assert set(single.adpp["PROFTYP"]) == {"COURSE"} == set(single.adlz["PROFTYP"])
    assert not single.results["analysis_id"].str.contains("by_dose").any()


def test_fractions_of_a_split_dose_are_one_dose_on_the_clock_of_the_first():
    adex = make_adex()
    adex = adex[adex["USUBJID"] == "S1"].copy()
    adex["PDOSENO"], adex["FRACNO"], adex["NFRAC"] = [1, 1, 2], [1, 2, 1], [2, 2, 1]
    adex["DOSETYPE"], adex["DOSESUM"] = ["FIRST", "SPLIT", "REPEAT"], [300.0, 300.0, 300.0]
    doses = list_doses(adex)
    assert doses["DOSENO"].tolist() == [1.0, 2.0]
    assert doses["DOSETIME"].tolist() == [0.0, 14.0] and doses["DOSEA"].tolist() == [300.0, 300.0]
    assert has_repeat_doses(doses) and not has_repeat_doses(doses.iloc[:1])


@pytest.mark.parametrize("kind", ["UNPLANNED", "RETREATMENT"])
def test_no_dose_belongs_to_a_course_that_an_infusion_has_ended(kind):
    ending = {"USUBJID": "S1", "DOSENO": 4, "DOSETYPE": kind, "AFRLT": 10.0, "COURSE": 1}
    doses = list_doses(make_adex(**ending))
    assert doses.loc[doses["USUBJID"] == "S1", "DOSENO"].tolist() == [1.0, 2.0]
    assert doses.loc[doses["USUBJID"] == "S2", "DOSENO"].tolist() == [1.0, 2.0, 3.0]


def test_a_sample_belongs_to_the_last_dose_before_it_and_a_dose_without_one_is_kept():
    given = pd.DataFrame(
        {
            **{"USUBJID": "S1", "ANALYTE": "PCR", "TIME": [-1.0, 7.25, 7.3, nan]},
            **{"NTIME": [0.0, 7.0, 7.0, 8.0], "CONC": [nan, 5.0, 6.0, nan], "BLQ": [1, 0, 0, 0]},
            **{"LLOQ": 1.0, "ULOQ": nan, "ALQ": 0, "CONCU": "x", "CENSTIME": nan},
        }
    )
    settings = CellularKineticsSettings(dosing_interval=TAU)
    found = assign_doses(given, list_doses(make_adex()), settings)
    assert found["DOSENO"].tolist() == [1.0, 1.0, 2.0, 2.0, 3.0]
    assert found["CONC"].isna().tolist() == [True, False, False, True, True]
    assert set(found["TAU"]) == {TAU} and found["NDOSETIME"].tolist() == [0.0, 0.0, 7.0, 7.0, 14.0]


def test_the_statistics_by_dose_are_those_of_the_values_of_that_dose(output, results):
    place = ("cellular_kinetics.by_dose", "CMAX", "PCR", {"pdose": "2"})
    assert results.find(*place, "n").number == 2
    assert results.find(*place, "geomean").number == pytest.approx(2**0.5 * conc(1.0, 7.75))
    trough = ("cellular_kinetics.by_dose", "CTROUGH", "PCR", {"pdose": "1"})
    assert results.find(*trough, "n_blq").number == 3
    assert results.find(*trough, "geomean").note_code == "BLQHALF"


@pytest.mark.parametrize(("below", "given"), [(2, True), (3, False)])
def test_a_trough_has_a_geometric_mean_where_at_least_half_are_quantifiable(output, below, given):
    # Beside the two subjects so many more, whose trough before dose 2 is below the limit.
    one = output.adpp[output.adpp["USUBJID"] == "S1"]
    trough = (one["PARAMCD"] == "CTROUGH") & (one["DOSENO"] == 2)
    low = one.assign(AVAL=one["AVAL"].mask(trough, 0.0), FLAG=one["FLAG"].mask(trough, "BLQ"))
    more = [low.assign(USUBJID=f"L{number}") for number in range(below)]
    adpp = pd.concat([output.adpp, *more], ignore_index=True)
    levels = pd.DataFrame(index=pd.Index(adpp["USUBJID"].unique()))
    found = AnalysisResults([summarise_doses(adpp, levels)])
    place = ("cellular_kinetics.by_dose", "CTROUGH", "PCR", {"pdose": "2"})
    assert found.find(*place, "n_blq").number == below
    geomean = found.find(*place, "geomean")
    assert geomean.note_code == ("" if given else "BLQHALF")
    assert given == (geomean.number == pytest.approx(2**0.5 * conc(1.0, 7.2)))


def test_accumulation_is_the_geometric_mean_of_the_ratios_of_subjects(output, results):
    place = ("cellular_kinetics.accumulation", "ARCMAX", "PCR", {"pdose": "3"})
    ratio = conc(1.0, 14.5) / conc(1.0, 0.5)
    assert results.find(*place, "gmr").number == pytest.approx(ratio)
    assert results.find(*place, "n").number == 2
    # Both subjects have one ratio: nothing varies.
    assert results.find(*place, "gmr_low").note_code == "CONSTANT"


def test_the_trend_is_that_from_the_second_dose_on_within_subjects(output, results):
    place = ("cellular_kinetics.dose_trend", "CMAX", "PCR", {})
    assert results.find(*place, "gmr").number == pytest.approx(conc(1.0, 14.5) / conc(1.0, 7.75))
    assert (results.find(*place, "n").number, results.find(*place, "n_values").number) == (2, 4)


def test_an_interval_of_another_length_is_left_out_of_the_trend_of_areas():
    output = analyse(interval_tolerance=0)
    assert value(output, "S1", 2, "ARAUC")["PPREASND"] == "TAUDIFF"
    results = AnalysisResults([output.results])
    found = results.find("cellular_kinetics.dose_trend", "AUCTAU", "PCR", {}, "n_values")
    # The interval of dose 1 is 7.25 days, that of dose 2 is 6.75, that of dose 3 the protocol's.
    assert found.number == 0
    assert results.find("cellular_kinetics.dose_trend", "CMAX", "PCR", {}, "n_values").number == 4


def test_the_summaries_of_the_course_do_not_count_the_doses(output, results):
    assert results.find("cellular_kinetics.summary", "CMAX", "PCR", {}, "n").number == 3

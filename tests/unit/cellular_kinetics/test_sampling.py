"""Planned and collected samples, and whether each profile was sampled well enough (S3.2-12)."""

from __future__ import annotations

from math import nan
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from celldossier.cellular_kinetics.analysis_datasets import (
    add_missing_profiles,
    derive_nca_input,
    select_samples,
)
from celldossier.cellular_kinetics.nca import estimate_nca
from celldossier.cellular_kinetics.sampling import add_peak_gap, analyse_sampling
from celldossier.cellular_kinetics.sampling_adequacy import find_second_blq, look_around_peak
from celldossier.cellular_kinetics.sampling_plan import find_end_of_plan
from celldossier.cellular_kinetics.sampling_summaries import summarise_sampling
from celldossier.datasets import conform, empty_dataset
from celldossier.results import AnalysisResults
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.settings.sampling import PlannedSamples

PLAN = (0.0, 1.0, 3.0, 7.0, 10.0, 14.0, 28.0, 60.0, 90.0, 180.0)
FULL = {
    **{0.0: "BLQ", 1.0: 100.0, 3.0: 60.0, 7.0: 4e3, 10.0: 2e4, 14.0: 8e3, 28.0: 1e3},
    **{60.0: 300.0, 90.0: "BLQ", 180.0: "BLQ"},
}


def without(*days, **changed):
    course = {day: result for day, result in FULL.items() if day not in days}
    return {**course, **{float(day[1:]): result for day, result in changed.items()}}


def make_adpc(courses):
    rows = []
    for subject, course in courses.items():
        for day, result in course.items():
            number = isinstance(result, float)
            rows.append(
                {
                    "STUDYID": "T",
                    "USUBJID": subject,
                    "PARAMCD": "PCR",
                    "PARAM": "Transgene",
                    "PCSPEC": "BLOOD",
                    "AVAL": result if number else nan,
                    "AVALU": "copies/ug",
                    "BLQFL": "Y" if result == "BLQ" else "N",
                    "ALQFL": "N",
                    "ALLOQ": 50.0,
                    "AFRLT": day + 0.125 if day else -0.05,
                    "NFRLT": day,
                    "TIMEDEV": 0.125 if day else -0.05,
                    "WINFL": "",
                    "ANL01FL": "Y",
                    "SRCDOM": "PC",
                    "SRCROW": len(rows) + 1,
                }
            )
    return conform(pd.DataFrame(rows), "ADPC")


def make_adsl(subjects, **variables):
    frame = pd.DataFrame({"USUBJID": list(subjects), "STUDYID": "T", "TRT01A": "DL1"})
    for flag in ("ENRLFL", "SAFFL", "PKFL", "PDFL", "IMFL", "ERFL"):
        frame[flag] = "Y"
    return conform(frame.assign(**{"LSTALVDY": 200.0, **variables}), "ADSL")


def make_adex(subjects, *later):
    rows = [{"USUBJID": s, "DOSENO": 1, "AFRLT": 0.0, "DOSETYPE": "FIRST"} for s in subjects]
    frame = pd.DataFrame([*rows, *later]).assign(STUDYID="T", EXCAT="CELL PRODUCT", EXTRT="C")
    frame["ADTM"] = [f"2025-01-{number:02d}" for number in range(1, len(frame) + 1)]
    return conform(frame.assign(SRCDOM="EX", SRCROW=range(1, len(frame) + 1)), "ADEX")


class Run:
    """The sampling of a few courses."""

    def __init__(
        self, courses, *, adsl=None, later=(), adrs=None, adcm=None, unmarked=(), **rules: Any
    ) -> None:
        rules.setdefault("schedule", [{"days": PLAN}])
        settings = CellularKineticsSettings.model_validate(
            {"sampling": rules, "no_specific_marker": unmarked}
        )
        self.adsl = make_adsl(courses) if adsl is None else adsl
        adex = make_adex(courses, *later)
        adrs = empty_dataset("ADRS") if adrs is None else adrs
        adcm = empty_dataset("ADCM") if adcm is None else adcm
        samples = select_samples(make_adpc(courses))
        given = derive_nca_input(add_missing_profiles(samples, self.adsl), self.adsl, adex, adcm)
        self.result = estimate_nca(given, settings).as_text()
        self.output = analyse_sampling(samples, self.result, self.adsl, adex, adrs, adcm, settings)
        self.settings = settings

    def judged(self, criterion, subject="S1"):
        rows = self.output.adsa
        row = rows[(rows["USUBJID"] == subject) & (rows["CRIT"] == criterion)]
        assert len(row) == 1
        return row["CRITFL"].iloc[0], row["CRITRSN"].iloc[0]

    def measure(self, criterion, subject="S1"):
        rows = self.output.adsa
        return rows[(rows["USUBJID"] == subject) & (rows["CRIT"] == criterion)]["AVAL"].iloc[0]

    def status(self, subject="S1"):
        rows = self.output.compared
        return rows[rows["USUBJID"] == subject].set_index("NFRLT")["STATUS"].to_dict()

    def results(self):
        levels = pd.DataFrame(
            {"dose": self.adsl["TRT01A"].to_numpy()}, index=self.adsl["USUBJID"].to_numpy()
        )
        frame = summarise_sampling(
            self.output.compared,
            self.output.adsa,
            self.result.parameters.rename(columns={"ANALYTE": "PARCAT1"}),
            levels,
            self.settings.sampling,
        )
        return AnalysisResults([frame])


def test_a_course_sampled_as_planned_meets_every_criterion_that_can_be_judged():
    run = Run({"S1": FULL})
    for criterion in ("EARLY", "PEAK", "COUNT", "AREA", "TERMINAL", "COLLECT"):
        assert run.judged(criterion) == ("Y", ""), criterion
    assert run.judged("STOP") == ("Y", "TWOBLQ")
    # No window is declared, so that nothing can lie outside of one.
    assert run.judged("WINDOW") == ("NA", "NOWINDOW")
    assert set(run.status().values()) == {"TAKEN"}


def test_the_peak_is_bracketed_by_results_near_it_on_both_sides():
    assert Run({"S1": FULL}).measure("PEAK") == pytest.approx(7)
    assert Run({"S1": without(14.0)}).judged("PEAK") == ("N", "NONEAFT")
    assert Run({"S1": without(7.0)}).judged("PEAK") == ("N", "NONEBEF")
    assert Run({"S1": without(7.0, 14.0)}).judged("PEAK") == ("N", "NONENEAR")
    assert Run({"S1": without(7.0, 14.0)}).judged("AREA") == ("N", "NONENEAR")
    assert Run({"S1": without(14.0)}).judged("AREA") == ("Y", "")
    assert Run({"S1": without(14.0)}, peak_window=18).judged("PEAK") == ("Y", "")
    rising = {day: result for day, result in FULL.items() if day <= 10}
    assert Run({"S1": rising}).judged("PEAK") == ("N", "PEAKLAST")
    # A result below the limit is a result.
    assert Run({"S1": without(_14="BLQ")}).judged("PEAK") == ("Y", "")


@pytest.mark.parametrize(("before", "after"), [(7.0, 11.0), (11.0, 15.0), (14.0, 18.0)])
@pytest.mark.parametrize("hours", [1, 2, 5, 11, 23])
def test_a_result_just_at_the_limit_of_the_peak_is_near_it_whatever_the_rounding(
    before, after, hours
):
    profile = pd.MultiIndex.from_tuples([("S1", "PCR")], names=["USUBJID", "PARAMCD"])
    # The same hour of the day, four days apart: 7.0833 and 11.0833.
    days = [day + hours / 24 for day in (before, after, after + 4)]
    results = pd.DataFrame({"USUBJID": "S1", "PARAMCD": "PCR", "AFRLT": days})
    found = look_around_peak(profile, results, pd.Series([days[1]], index=profile), 4.0)
    assert found.early.all() and found.late.all()
    assert not look_around_peak(
        profile, results, pd.Series([days[1]], index=profile), 3.99
    ).early.any()


def test_early_results_and_results_by_the_end_of_the_area_are_counted():
    assert Run({"S1": without(1.0)}).judged("EARLY") == ("N", "FEWRES")
    # The sample of day 3 was taken three hours later than planned.
    assert Run({"S1": FULL}).measure("EARLY") == 2
    assert Run({"S1": FULL}, early_until=2.9).measure("EARLY") == 1
    few = without(1.0, 3.0, 14.0)
    # Days 7, 10 and 28: planned for day 28 and taken three hours later.
    assert Run({"S1": few}).measure("COUNT") == 3
    assert Run({"S1": few}).judged("COUNT") == ("N", "FEWRES")
    assert Run({"S1": few}, count=3).judged("COUNT") == ("Y", "")
    missing = without(_14=None)
    assert Run({"S1": missing}).measure("COUNT") == 5


def test_the_terminal_phase_needs_points_and_half_lives():
    short = {day: result for day, result in FULL.items() if day <= 28}
    assert Run({"S1": short}).judged("TERMINAL") == ("N", "FEWRES")
    slow = without(_28=7e3, _60=6e3, _90=5e3, _180=4e3)
    assert Run({"S1": slow}).judged("TERMINAL") == ("N", "SPANLOW")
    assert Run({"S1": slow}, terminal_span=0.1).judged("TERMINAL") == ("Y", "")


def test_a_subject_never_quantifiable_or_never_sampled_is_not_judged_by_its_peak():
    blq = dict.fromkeys(PLAN, "BLQ")
    adsl = make_adsl(["S1", "S2"])
    run = Run({"S1": blq}, adsl=adsl)
    assert run.judged("PEAK") == ("NA", "BLQALL")
    assert run.judged("AREA") == ("NA", "BLQALL")
    assert run.judged("PEAK", "S2") == ("NA", "NOSAMPLE")
    assert run.judged("STOP", "S2") == ("NA", "NOSAMPLE")
    assert run.judged("COUNT", "S2") == ("N", "FEWRES")


@pytest.mark.parametrize(
    ("course", "observed", "outcome"),
    [
        (FULL, 200.0, ("Y", "TWOBLQ")),
        (without(_180=70.0), 200.0, ("Y", "ENDOBS")),
        (without(90.0, 180.0), 200.0, ("N", "STOPPED")),
        # The subject was last seen before the next planned sample.
        (without(90.0, 180.0), 85.0, ("Y", "ENDOBS")),
        # A missed sample between others is no end of the sampling.
        (without(60.0, _90=400.0, _180=80.0), 200.0, ("Y", "ENDOBS")),
        (without(_60="BLQ", _90="BLQ", _180=90.0), 200.0, ("Y", "WENTON")),
        (without(_60="BLQ", _90="BLQ", _180="BLQ"), 200.0, ("Y", "WENTON")),
        (without(180.0, _60="BLQ", _90="BLQ"), 200.0, ("Y", "TWOBLQ")),
    ],
)
def test_sampling_goes_on_to_two_consecutive_blq_or_has_a_reason_to_end(course, observed, outcome):
    run = Run({"S1": course}, adsl=make_adsl(["S1"], LSTALVDY=observed))
    assert run.judged("STOP") == outcome


def test_a_sample_planned_for_the_last_day_is_planned_and_one_without_a_result_is_missing():
    lived = {day: result for day, result in FULL.items() if day <= 28}
    status = Run({"S1": lived}, adsl=make_adsl(["S1"], DTHDY=28.0, LSTALVDY=28.0)).status()
    assert status[28.0] == "TAKEN" and max(status) == 28.0
    # It was taken, and the laboratory reported nothing.
    lacking = Run({"S1": without(_60=None)})
    assert lacking.status()[60.0] == "TAKEN" and lacking.measure("COLLECT") == 1
    assert Run({"S1": FULL}).measure("COLLECT") == 0


def test_two_results_of_one_time_are_not_two_consecutive_ones():
    profile = pd.MultiIndex.from_tuples([("S1", "PCR")], names=["USUBJID", "PARAMCD"])
    results = pd.DataFrame(
        [(7.0, "N"), (14.0, "Y"), (14.0, "Y"), (28.0, "Y"), (28.0, "N"), (60.0, "Y"), (90.0, "Y")],
        columns=["AFRLT", "BLQFL"],
    ).assign(USUBJID="S1", PARAMCD="PCR")
    found = find_second_blq(results, pd.Series([7.0], index=profile))
    # Day 28 was quantifiable in one of its results.
    assert found["STOPDAY"].tolist() == [90.0]


def test_samples_after_two_consecutive_blq_are_not_missed():
    course = without(90.0, 180.0, _28="BLQ", _60="BLQ")
    run = Run({"S1": course})
    assert {run.status()[day] for day in (90.0, 180.0)} == {"STOPPED"}
    assert run.judged("COLLECT") == ("Y", "")
    gone = Run({"S1": without(90.0, 180.0)})
    assert {gone.status()[day] for day in (90.0, 180.0)} == {"MISSED"}
    assert gone.judged("COLLECT") == ("N", "MISSAMP") and gone.measure("COLLECT") == 2
    assert Run({"S1": without(90.0, 180.0)}, missed_share=20).judged("COLLECT") == ("Y", "")


def test_death_and_declared_events_end_the_plan_with_their_reason():
    course = without(90.0, 180.0)
    dead = make_adsl(["S1"], DTHDY=80.0, LSTALVDY=60.0)
    assert Run({"S1": course}, adsl=dead).judged("STOP") == ("Y", "DIED")
    progressed = conform(
        pd.DataFrame(
            [
                {
                    **{"STUDYID": "T", "USUBJID": "S1", "PARAMCD": "OVR", "AVALC": "PD"},
                    **{"EVENTCD": "PROGRESSION", "AFRLT": 62.0, "SRCDOM": "RS", "SRCROW": 1},
                }
            ]
        ),
        "ADRS",
    )
    asked = ["PROGRESSION", "NEW_THERAPY", "REINFUSION"]
    assert Run({"S1": course}, adrs=progressed, ends=asked).judged("STOP") == ("Y", "ENDPROG")
    assert Run({"S1": course}, adrs=progressed).judged("STOP") == ("N", "STOPPED")
    treated = conform(
        pd.DataFrame(
            [
                {
                    **{
                        "STUDYID": "T",
                        "USUBJID": "S1",
                        "CMTRT": "X",
                        "CMDECOD": "X",
                        "CMCLASS": "NEW_THERAPY",
                    },
                    **{"ASTDY": 70.0, "ASTDTM": "2025", "SRCDOM": "CM", "SRCROW": 1},
                }
            ]
        ),
        "ADCM",
    )
    assert Run({"S1": course}, adcm=treated).judged("STOP") == ("Y", "ENDNEWTX")
    again = {"USUBJID": "S1", "DOSENO": 2, "AFRLT": 65.0, "DOSETYPE": "UNPLANNED"}
    run = Run({"S1": without(_90=9e4, _180=8e4)}, later=[again])
    # What was taken after cells were given anew is of no account.
    assert run.judged("STOP") == ("Y", "ENDREINF")
    assert max(run.status()) == 60.0


def test_the_first_event_counts_and_an_earlier_last_record_of_the_dead_is_none():
    adsl = make_adsl(["S1", "S2"], DTHDY=[80.0, nan], LSTALVDY=[60.0, 100.0])
    ends = find_end_of_plan(
        adsl, make_adex(["S1", "S2"]), empty_dataset("ADRS"), empty_dataset("ADCM"), ()
    )
    assert ends["DAY"].to_dict() == {"S1": 80.0, "S2": 100.0}
    assert ends["REASON"].to_dict() == {"S1": "DIED", "S2": "ENDOBS"}


def test_what_is_planned_does_not_depend_on_what_was_collected():
    adsl = make_adsl(["S1", "S2", "S3"], LSTALVDY=[200.0, 30.0, 200.0])
    full, none = Run({"S1": FULL, "S2": FULL, "S3": FULL}, adsl=adsl), Run({"S1": FULL}, adsl=adsl)
    for run in (full, none):
        found = run.results()
        planned = [
            found.find("cellular_kinetics.sampling_time", "", "PCR", {"visit": day}, "n_planned")
            for day in ("0", "28", "60", "180")
        ]
        assert [value.number for value in planned if value] == [3, 3, 2, 2]
    # S2 was seen last on day 30: its later samples were not planned any more.
    place = ("cellular_kinetics.sampling_time", "", "PCR", {"visit": "60"})
    assert full.results().find(*place, "n_extra").number == 1
    assert full.results().find(*place, "n_collected").number == 3
    assert none.results().find(*place, "n_missed").number == 1


def test_plans_by_dose_study_and_analyte_hold_for_their_own():
    second = {"USUBJID": "S1", "DOSENO": 2, "AFRLT": 28.2, "NFRLT": 28.0, "DOSETYPE": "REPEAT"}
    plan = [
        {"origin": "dose", "days": [0, 7]},
        {"origin": "dose", "doses": [2], "days": [14]},
        {"study": "OTHER", "days": [5]},
        {"analytes": ["FLOW"], "days": [6]},
    ]
    run = Run({"S1": {0.0: "BLQ", 7.0: 100.0, 9.0: 300.0}}, later=[second], schedule=plan)
    assert run.status() == {
        **{0.0: "TAKEN", 7.0: "TAKEN", 9.0: "EXTRA"},
        **{28.0: "MISSED", 35.0: "MISSED", 42.0: "MISSED"},
    }


def test_two_consecutive_blq_between_two_doses_excuse_no_sample_of_the_later_one():
    second = {"USUBJID": "S1", "DOSENO": 2, "AFRLT": 70.2, "NFRLT": 70.0, "DOSETYPE": "REPEAT"}
    course = without(90.0, 180.0, _28="BLQ", _60="BLQ")
    run = Run({"S1": course}, later=[second])
    assert {run.status()[day] for day in (90.0, 180.0)} == {"MISSED"}
    assert run.judged("STOP") == ("N", "STOPPED")


def test_without_a_schedule_what_was_planned_is_empty_with_a_reason():
    run = Run({"S1": without(90.0, 180.0)}, schedule=[])
    assert run.judged("STOP") == ("NA", "NOSCHED") == run.judged("COLLECT")
    value = run.results().find(
        "cellular_kinetics.sampling_time", "", "PCR", {"visit": "7"}, "n_planned"
    )
    assert np.isnan(value.number) and value.note_code == "NOSCHED"


def test_samples_outside_their_window_are_counted():
    run = Run({"S1": FULL})
    adpc = make_adpc({"S1": FULL})
    adpc["WINFL"] = np.where(adpc["NFRLT"] == 7, "N", "Y")
    out = analyse_sampling(
        adpc,
        run.result,
        run.adsl,
        make_adex(["S1"]),
        empty_dataset("ADRS"),
        empty_dataset("ADCM"),
        run.settings,
    )
    row = out.adsa[out.adsa["CRIT"] == "WINDOW"].iloc[0]
    assert (row["CRITFL"], row["CRITRSN"], row["AVAL"]) == ("N", "OUTWIN", 1)


def test_counts_by_nominal_time_and_by_criterion_add_up():
    courses = {"S1": FULL, "S2": without(7.0, 14.0), "S3": without(_14=None)}
    run = Run(courses)
    found = run.results()

    def at(day, stat):
        place = ("cellular_kinetics.sampling_time", "", "PCR", {"visit": day})
        return found.find(*place, stat).number

    assert [at("14", stat) for stat in ("n_planned", "n_collected", "n_missed")] == [3, 2, 1]
    assert [at("14", stat) for stat in ("n_analysed", "n_blq")] == [1, 0]
    assert at("90", "n_blq") == 3 and at("7", "median_deviation") == 0.125
    place = ("cellular_kinetics.sampling_adequacy", "PEAK", "PCR", {"dose": "DL1"})
    assert [found.find(*place, stat).number for stat in ("n", "n_judged", "n_not_judged")] == [
        *(1, 3, 0)
    ]
    reasons = found.select("cellular_kinetics.sampling_reason")
    here = reasons[(reasons["variable"] == "PEAK") & (reasons["group1"] == "met")]
    assert dict(zip(here["level2"], here["value"], strict=True)) == {"NONEAFT": 1, "NONENEAR": 1}


def test_a_group_whose_median_peak_no_nominal_time_is_near_is_marked():
    near = Run({"S1": FULL, "S2": FULL}).results()
    place = ("cellular_kinetics.sampling_peak", "TMAX", "PCR", {})
    assert near.find(*place, "nearest").number == 10 and near.find(*place, "near").text == "Y"
    assert near.find(*place, "distance").number == pytest.approx(0.125)
    # Just within the limit of the setting, and just beyond it.
    for window, text in ((0.126, "Y"), (0.124, "N")):
        found = Run({"S1": FULL, "S2": FULL}, group_window=window).results()
        assert found.find(*place, "near").text == text
    # Peaks on days 7 and 28: nobody was sampled near day 17.6.
    wide = {"S1": without(10.0, 14.0), "S2": without(7.0, 10.0, 14.0, _28=9e4)}
    far = Run(wide).results()
    assert far.find(*place, "median_tmax").number == pytest.approx(17.625)
    assert far.find(*place, "near").text == "N"


def test_the_distance_of_the_results_around_the_peak_is_a_parameter():
    run = Run({"S1": FULL, "S2": {10.0: 1e4, 28.0: 500.0}, "S3": {7.0: 10.0, 10.0: 9e3}})
    rows = add_peak_gap(run.result, run.output).parameters.query("PARAMCD == 'PEAKGAP'")
    rows = rows.set_index("USUBJID")
    assert rows.loc["S1", "AVAL"] == pytest.approx(7) and rows.loc["S1", "AVALU"] == "d"
    assert rows.loc["S2", "REASND"] == "NONEBEF" and rows.loc["S3", "REASND"] == "PEAKLAST"


def test_cells_without_a_specific_marker_have_no_terminal_phase_to_cover():
    run = Run({"S1": {**FULL, 0.0: 80.0}}, unmarked=["PCR"])
    assert run.judged("TERMINAL") == ("NA", "NOMARKER") == run.judged("STOP")
    assert run.judged("COUNT") == ("Y", "") == run.judged("PEAK")


def test_planned_days_that_do_not_rise_are_refused():
    with pytest.raises(ValidationError, match="do not rise"):
        PlannedSamples(days=(0, 7, 3))

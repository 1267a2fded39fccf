"""Which subjects and values a model takes, on a few rows and against what follows by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace as Given

import numpy as np
import pandas as pd
import pytest

from celldossier.exposure_response import counts, interaction, sensitivity, subgroups
from celldossier.exposure_response.ader import _add_event, _landmark, _list_watched
from celldossier.exposure_response.covariate_variables import _lots_given, _pool, _single
from celldossier.exposure_response.dose_response import select_dose_subjects
from celldossier.exposure_response.endpoint_values import (
    _from_days,
    _from_event,
    _from_resolution,
    _from_response,
)
from celldossier.exposure_response.marker_values import derive_marker
from celldossier.exposure_response.plan import PlanCell, Selection
from celldossier.exposure_response.survival_groups import (
    _points,
    count_under_observation,
    find_begin,
)
from celldossier.exposure_response.survival_rows import (
    SurvivalRows,
    find_clock_offset,
    find_entry,
    find_landmark,
    select_rows,
)
from celldossier.exposure_response.time_to_event import choose_method
from celldossier.settings.endpoints import EndpointRule
from celldossier.settings.exposure_response import ExposureResponseSettings
from celldossier.settings.subgroups import Subgroup
from celldossier.stats.survival import estimate_survival

NAN = math.nan
PFS = EndpointRule.model_construct(code="PFS", kind="time_to_event", time="PFS", family="EFFICACY")


def settings(**values: object) -> ExposureResponseSettings:
    return ExposureResponseSettings.model_validate(values)


def keys(*names: str) -> dict[str, object]:
    return {"STUDYID": "S", "USUBJID": list(names)}


def selection(exposure: list[float], event: list[float]) -> Selection:
    index = pd.RangeIndex(len(exposure))
    empty = pd.DataFrame(index=index)
    return Selection(np.array(event, float), np.array(exposure, float), empty, {}, "", index)


def survival(start: list[float], stop: list[float], event: list[bool]) -> SurvivalRows:
    n = len(start)
    return SurvivalRows(
        pd.RangeIndex(n), np.array(start), np.array(stop), np.array(event), np.ones(n),
        pd.DataFrame(index=range(n)), np.full(n, ""), {},
    )  # fmt: skip


def test_a_landmark_is_the_later_of_the_end_of_an_area_and_the_one_set() -> None:
    study = Given(settings=settings(time_to_event={"landmark": 28}))
    landmarks = [find_landmark(one, PFS, study) for one in ("AUC84", "AUC14", "CMAX", "CLD7")]
    assert landmarks == [84, 28, 28, 7] and math.isnan(find_landmark("DOSEA", PFS, study))


def test_the_clock_of_an_endpoint_starts_at_0_or_at_1_as_its_dates_say() -> None:
    adtte = pd.DataFrame(
        {
            "PARAMCD": ["PFS", "PFS", "PFS", "OS"],
            "AVAL": [10.0, 20.0, NAN, 9.0],
            "STARTDT": "2026-01-01",
            "ADT": ["2026-01-10", "2026-01-20T09:00", "2026-03-01", "2026-01-01"],
        }
    )
    assert find_clock_offset(Given(sources=Given(adtte=adtte)), PFS) == 1.0
    later = adtte.assign(AVAL=adtte["AVAL"] - 1)
    assert find_clock_offset(Given(sources=Given(adtte=later)), PFS) == 0.0
    assert find_clock_offset(Given(sources=Given(adtte=adtte.iloc[3:])), PFS) == 0.0
    resolved = EndpointRule.model_construct(code="CRSRES", resolution="CRS")
    assert find_clock_offset(Given(sources=Given(adtte=adtte.iloc[3:])), resolved) == 1.0


def timed_study(**columns: object) -> Given:
    """Six subjects of whom the observation ends before, at and after day 28."""
    n = 6
    names = [f"S-{i}" for i in range(n)]
    ader = pd.DataFrame(
        {
            **keys(*names), "ERFL": "Y", "CMAX": [1.0, 2.0, 4.0, 0.0, NAN, 8.0], "CLD7": 1.0,
            "CLD7DY": [NAN, 7.5, 6.5, 7.0, 7.0, 7.0], "DOSEA": [1.0, 1.0, 2.0, 2.0, 0.0, NAN],
            **columns,
        }
    )  # fmt: skip
    values = pd.DataFrame(
        {"AVAL": [20.0, 28.0, 29.0, 40.0, 50.0, NAN], "CNSR": [0, 0, 0, 1, 0, NAN], "STARTDY": 0.0}
    )
    empty = pd.DataFrame({"PARAMCD": [], "AVAL": [], "STARTDT": [], "ADT": []}).astype(str)
    adpp = pd.DataFrame(
        {**keys(*names), "PARAMCD": "TMAX", "PARCAT1": "PCR", "PROFTYP": "COURSE", "AVAL": 10.0}
    )
    rules = settings(
        analyte="PCR", metrics=["CMAX"], primary=[], time_to_event={"early_endpoints": []}
    )
    return Given(
        ader=ader, settings=rules, endpoints=(PFS,), values=lambda endpoint: values,
        sources=Given(adtte=empty, adpp=adpp), units={"DOSEA": "cells"},
    )  # fmt: skip


def test_who_left_by_the_landmark_is_not_in_the_model_of_what_follows() -> None:
    study = timed_study()
    cell = PlanCell(PFS, "CMAX", "COX", "UNADJUSTED", "PRIMARY", "SECONDARY", landmark=28.0)
    rows = select_rows(study, cell)
    assert rows.stop.tolist() == [29.0] and rows.start.tolist() == [28.0]
    assert rows.event.tolist() == [True] and rows.reason == ""
    assert rows.counts == {
        "n_er": 6, "n_nooutcome": 1, "n_before": 2, "events_before": 2, "n_noexposure": 1,
        "n_late": 0, "n_blq": 1, "n_nocovariate": 0,
    }  # fmt: skip
    ranked = select_rows(study, cell, keep_blq=True)
    assert ranked.value.tolist() == [4.0, 0.0] and ranked.counts["n_blq"] == 0
    study.sources.adpp.loc[2, "AVAL"] = 28.5
    assert select_rows(study, cell).counts["n_late"] == 1
    study.sources.adpp.loc[2, "AVAL"] = 28.0
    assert select_rows(study, cell).counts["n_late"] == 0


def test_a_subject_enters_at_the_landmark_or_at_its_later_sample() -> None:
    study = timed_study()
    rows, values = study.ader, study.values(PFS).assign(STARTDY=[0.0, 0.0, 0.0, 3.0, 7.0, 9.0])
    cell = PlanCell(PFS, "CLD7", "COX", "UNADJUSTED", "PRIMARY", "SECONDARY", landmark=7.0)
    entry = find_entry(study, cell, rows, values)
    assert entry.tolist() == [7.0, 7.5, 7.0, 4.0, -math.inf, -math.inf]
    free = PlanCell(PFS, "CLD7", "COX", "UNADJUSTED", "PRIMARY", "SECONDARY")
    assert np.isneginf(find_entry(study, free, rows, values)).all()


def test_who_left_at_the_landmark_was_too_early_for_a_dose_too() -> None:
    cell = PlanCell(PFS, "DOSEA", "DOSE_COX", "UNADJUSTED", "PRIMARY", "SECONDARY", landmark=28.0)
    data = select_dose_subjects(timed_study(), cell)
    assert data.stop.tolist() == [29.0, 40.0] and data.start.tolist() == [28.0, 28.0]
    assert data.chosen.event.tolist() == [1.0, 0.0]
    assert data.chosen.exposure.tolist() == [1.0, 1.0] and data.chosen.reason == ""
    assert data.chosen.counts == {
        "n_infused": 6, "n_nooutcome": 1, "n_early": 2, "n_nodose": 1, "n_noexposure": 0,
        "n_late": 0,
    }  # fmt: skip
    free = PlanCell(PFS, "DOSEA", "DOSE_COX", "UNADJUSTED", "PRIMARY", "SECONDARY")
    assert select_dose_subjects(timed_study(), free).stop.tolist() == [20.0, 28.0, 29.0, 40.0]
    study = timed_study()
    study.units = {}
    assert select_dose_subjects(study, cell).chosen.reason == "MIXUNIT"
    unknown = timed_study(DOSEA=NAN)
    assert select_dose_subjects(unknown, cell).chosen.reason == "NODOSE"


def test_firths_method_is_for_fewer_events_per_slope_than_the_limit() -> None:
    assert [choose_method(events, 2, 10) for events in (19, 20)] == ["FIRTH", "ML"]
    assert choose_method(4, 2, 10) == "FIRTH"


def test_a_curve_begins_when_enough_of_each_group_have_entered() -> None:
    rows = survival([0.0, 3.0, 5.0, 2.0, 4.0], [9.0, 9.0, 9.0, 4.0, 9.0], [True] * 5)
    group = np.array([0, 0, 0, 1, 1])
    # On day 2 one of each; on day 4 the first of group 1 has left as the second enters.
    assert find_begin(rows, group, 1) == 2.0
    assert math.isnan(find_begin(rows, group, 2))
    assert find_begin(rows.keep(np.array([True] * 3 + [False] * 2)), group[:3], 2) == 3.0
    observed = [count_under_observation(rows, day) for day in (1.9, 2.0, 4.0, 4.1, 9.0, 9.1)]
    assert observed == [1, 2, 4, 3, 4, 0]


def test_the_points_of_a_curve_begin_with_everybody_at_its_start() -> None:
    rows = survival([2.0, 2.0, 2.0, 2.0], [3.0, 4.0, 4.0, 8.0], [True, True, False, True])
    points = _points(rows, estimate_survival(rows.stop, rows.event, rows.start), 0.95)
    found = [(point["x"], point["n"], round(float(point["y"]), 6)) for point in points]
    assert found == [(2.0, 4.0, 100.0), (3.0, 4.0, 75.0), (4.0, 3.0, 50.0), (8.0, 1.0, 0.0)]
    free = survival([-math.inf] * 2, [3.0, 4.0], [True, True])
    first = _points(free, estimate_survival(free.stop, free.event, free.start), 0.95)[0]
    assert (first["x"], first["n"]) == (0.0, 2.0)


def test_an_outlier_is_farther_from_the_median_than_the_limit_in_scaled_deviations() -> None:
    # Median 3, distances 2, 1, 0, 1, 4: their median is 1, times 1.4826.
    chosen = selection([1.0, 2, 3, 4, 7], [0, 1, 0, 1, 0])
    leave = sensitivity._leave_outliers
    for limit, left in ((2.6, [1.0, 2, 3, 4]), (2.8, None)):
        study = Given(settings=settings(sensitivity={"outlier_limit": limit}))
        found = leave(study, chosen)
        assert (found.reason, found.exposure.tolist()) == (
            ("", left) if left else ("NOOUTLIER", [1.0, 2, 3, 4, 7])
        )
    same = selection([3.0, 3, 3, 3, 9], [0, 1, 0, 1, 0])
    assert leave(study, same).reason == "NOOUTLIER"


def test_subjects_with_a_dose_outside_the_window_are_left_out_where_it_was_judged() -> None:
    def leave(*flags: str) -> Selection:
        adex = pd.DataFrame(
            {
                **keys("A", "B", "B"), "DOSETYPE": "", "EXCAT": "CELL PRODUCT", "AFRLT": 0.0,
                "INWINFL": list(flags),
            }
        )  # fmt: skip
        study = Given(ader=pd.DataFrame(keys("A", "B", "C")), sources=Given(adex=adex))
        return sensitivity._leave_doses_outside(study, selection([1.0, 2, 3], [0, 1, 1]))

    assert leave("", "", "").reason == "NODOSEWIN"
    assert leave("Y", "Y", "Y").reason == "NOOUTDOSE"
    left = leave("Y", "Y", "N")
    assert (left.reason, left.exposure.tolist()) == ("", [1.0, 3.0])


def burden_study(units: list[str]) -> Given:
    names = ["A", "B", "C", "D", "E"]
    adsl = pd.DataFrame({**keys(*names), "TBURDBL": [1.0, 2.0, 0.0, 8.0, NAN], "TBURDU": units})
    adsl["SITEID"] = ["1", "1", "2", "2", ""]
    return Given(ader=pd.DataFrame(keys(*names)), sources=Given(adsl=adsl), settings=settings())


def test_exposure_over_burden_is_centred_within_the_unit_of_the_burden() -> None:
    divide = sensitivity._divide_by_burden
    chosen = selection([5.0, 8.0, 1.0, 3.0, 2.0], [0, 1, 0, 1, 1])
    # log2 of the ratio: 5 - 0, 8 - 1, 3 - 3; without a burden above 0 there is none.
    one = divide(burden_study(["mm2"] * 5), chosen)
    assert one.exposure == pytest.approx([1.0, 3.0, -4.0]) and one.event.tolist() == [0, 1, 1]
    assert one.covariates.shape == (3, 0)
    two = divide(burden_study(["mm2", "mm2", "mm2", "%", "%"]), chosen)
    assert two.exposure == pytest.approx([-1.0, 1.0, 0.0])
    assert list(two.covariates) == ["TBURDU=%"]


def test_strata_in_which_all_or_none_have_the_event_say_nothing() -> None:
    cell = PlanCell(PFS, "CMAX", "X", "UNADJUSTED", f"{sensitivity.STRATIFIED}SITEID", "SECONDARY")
    study = burden_study(["mm2"] * 5)
    chosen, stratum = sensitivity._stratify(study, cell, selection([1.0] * 5, [0, 1, 1, 1, 1]))
    assert stratum is not None and stratum.tolist() == ["1", "1"]
    assert chosen.event.tolist() == [0, 1]
    study.sources.adsl["SITEID"] = ["1"] * 4 + [""]
    one, none = sensitivity._stratify(study, cell, selection([1.0] * 5, [0, 1, 1, 1, 1]))
    assert (one.reason, none) == ("ONELEVEL", None)
    study.sources.adsl["SITEID"] = ""
    assert sensitivity._stratify(study, cell, selection([1.0] * 5, [0] * 5))[0].reason == "NOTCOLL"


def test_a_median_divides_the_population_and_belongs_to_the_lower_half() -> None:
    ader = pd.DataFrame({"ERFL": ["Y", "Y", "Y", "N", "Y"], "AGE": [30.0, 40.0, 50.0, 99.0, NAN]})
    labels, cut = subgroups._label(ader, Subgroup(variable="AGE", split="MEDIAN"))
    assert cut == 40.0
    low, high = subgroups.LOW, subgroups.HIGH
    assert labels.tolist() == [low, low, high, high, ""]
    assert subgroups._order(pd.Series([high, low])) == [low, high]
    assert subgroups._order(pd.Series(["10", "9"])) == ["9", "10"]
    nobody = ader.assign(ERFL="N")
    assert math.isnan(subgroups._label(nobody, Subgroup(variable="AGE", split="MEDIAN"))[1])


def test_the_commonest_level_is_the_first_by_name_of_equals() -> None:
    assert interaction._commonest(pd.Series(["B", "A", "C", "B"])) == "B"
    assert interaction._commonest(pd.Series(["B", "A"])) == "A"


def test_products_are_tested_together_by_walds_statistic() -> None:
    fit = Given(
        coefficients=[Given(name=name, estimate=e) for name, e in (("x", 9.0), ("p", 1), ("q", 2))],
        covariance=np.diag([1.0, 0.5, 2.0]),
    )
    # 1 / 0.5 + 4 / 2 = 4 with two degrees of freedom: exp(-4 / 2).
    assert interaction._test_jointly(fit, ["p", "q"]) == pytest.approx(math.exp(-2))


def test_counts_are_negative_binomial_where_the_dispersion_is_tested_so() -> None:
    rules = settings(counts={"distribution": "BY_DISPERSION", "dispersion_alpha": 0.05})
    chosen = [counts._choose(Given(p=p), rules) for p in (0.049, 0.05, NAN)]
    assert chosen == ["NEGBIN", "POISSON", "POISSON"]
    fixed = settings(counts={"distribution": "POISSON"})
    assert counts._choose(Given(p=0.001), fixed) == "POISSON"


def test_subjects_with_an_event_carry_a_model_of_counts_not_their_events() -> None:
    rules = settings(min_events=2, min_events_per_parameter=1, max_correlation=0.9)

    def refuse(number: list[float], exposure: list[float], *columns: list[float]) -> str:
        design = np.array(columns).T if columns else np.zeros((len(number), 0))
        return counts._refuse(np.array(number), np.array(exposure), design, rules)

    assert refuse([], []) == "NOSUBJ"
    assert refuse([0, 0, 0], [1, 2, 3]) == "NOEVENT"
    assert refuse([9, 0, 0], [1, 2, 3]) == "FEWEVENT"
    assert refuse([1, 1, 0], [1, 2, 3]) == ""
    assert refuse([1, 1, 0], [2, 2, 2]) == "CONSTANT"
    assert refuse([1, 1, 0], [1, 2, 3], [3, 2, 1]) == "COLLIN"


def test_the_attribute_of_several_lots_is_weighted_by_dose_and_unknown_with_one_of_them() -> None:
    subjects = pd.DataFrame({**keys("A", "B", "C", "D"), "LOTID": ["", "", "L3", ""]})
    adex = pd.DataFrame(
        {
            **keys("A", "A", "A", "B", "B", "A", "D"),
            "LOTID": ["L1", "L1", "L2", "L1", "L4", "L4", "L3"],
            "DOSEA": [1.0, 2.0, 1.0, 5.0, 5.0, 50.0, NAN],
            "DOSETYPE": ["", "", "", "", "", "RETREATMENT", ""],
            "EXCAT": "CELL PRODUCT",
        }
    )
    adpq = pd.DataFrame(
        {
            "STUDYID": "S", "USUBJID": "", "LOTID": ["L1", "L2", "L3"], "PROCESS": ["A", "B", "A"],
            "TCMPCT": [10.0, 50.0, 30.0],
        }
    )  # fmt: skip
    lots = _lots_given(subjects, adex, adpq)
    share = _pool(lots, "TCMPCT")["S"]
    # 3 doses of 10 and 1 of 50; one lot alone needs no dose.
    assert share[["A", "C", "D"]].tolist() == [20.0, 30.0, 30.0] and math.isnan(share["B"])
    process = _single(lots, "PROCESS")["S"]
    assert (process["A"], process["C"]) == ("SEVERAL", "A")


def test_the_highest_lowest_and_relative_value_of_a_marker_are_those_by_its_last_day() -> None:
    rows = [
        ("A", -1.0, NAN, 0.5, "N", "Y"),
        ("A", 2.0, NAN, 30.0, "N", ""),
        ("A", 28.1, 28.0, 50.0, "N", ""),
        ("A", 29.0, 29.0, 90.0, "N", ""),
        ("B", 3.0, 3.0, NAN, "Y", ""),
        ("C", -1.0, NAN, 7.0, "N", "Y"),
        ("A", 4.0, 4.0, 999.0, "N", ""),
    ]
    names = ["USUBJID", "AFRLT", "NFRLT", "AVAL", "BLQFL", "ABLFL"]
    adpd = pd.DataFrame(rows, columns=names).assign(
        STUDYID="S", PARAMCD="IL6", ASPEC=["SERUM"] * 6 + ["PLASMA"], ALLOQ=4.0, BASE=NAN,
        AVALU="pg/mL", SRCROW=range(7),
    )  # fmt: skip
    ader = pd.DataFrame(keys("A", "B", "C", "D"))

    def derive(statistic: str) -> dict[str, object]:
        endpoint = EndpointRule.model_construct(
            code="X", kind="continuous", marker="IL6", statistic=statistic, until=28.0
        )
        return derive_marker(Given(adpd=adpd, adcm=None), ader, endpoint)

    peak, fold, nadir = derive("PEAK"), derive("FOLD"), derive("NADIR")
    assert peak["AVAL"].tolist()[:2] == [50.0, 2.0] and nadir["AVAL"].iloc[0] == 30.0
    assert fold["AVAL"].iloc[0] == 100.0 and fold["AVALU"] == "" and peak["AVALU"] == "pg/mL"
    assert peak["REASND"].tolist() == ["", "", "NOPDPOST", "NOPDPOST"]
    assert fold["REASND"].tolist() == ["", "NOPDBASE", "NOPDPOST", "NOPDPOST"]
    assert peak["BLQFL"].tolist() == ["N", "Y", "", ""]


def event_sources(**columns: object) -> Given:
    episodes = pd.DataFrame(
        {
            **keys("A", "A", "B", "C"), "AESI": "CRS", "EPISODE": 1.0,
            "WORSTFL": ["Y", "", "Y", "Y"], "ATOXGRN": [2.0, 1.0, NAN, 1.0],
            "ASTDY": [3.0, 40.0, 5.0, 29.0], "ADURN": [4.0, 2.5, 3.0, NAN],
            "ONGOFL": ["N", "N", "Y", "N"], "ADURRSN": "",
            "ASTDTM": ["2026-01-04T10:00", "", "2026-01-06", "2026-01-30"], **columns,
        }
    )  # fmt: skip
    adsl = pd.DataFrame(
        {**keys("A", "B", "C", "D", "E"), "FUDUR": [90.0, 90, 90, 28, 27], "TRTSDTM": "2026-01-01"}
    )
    adae = pd.DataFrame({"STUDYID": ["S"], "SRCDOM": ["AE"]})
    return Given(adaesi=episodes, adsl=adsl, adae=adae)


ADER = pd.DataFrame(keys("A", "B", "C", "D", "E"))


def test_no_event_is_known_of_those_followed_long_enough_and_a_grade_of_those_graded() -> None:
    rule = {"code": "CRSX", "event": "CRS", "observed_until": 28.0}
    binary = EndpointRule.model_construct(kind="binary", at_least=2, **rule)
    found = _from_event(event_sources(), ADER, binary)
    assert found["AVAL"].fillna(-1).tolist() == [1.0, -1.0, 0.0, 0.0, -1.0]
    assert found["REASND"].tolist() == ["", "UNGRADED", "", "", "SHORTOBS"]
    assert found["ONSETDY"].fillna(0).tolist() == [3.0, 5.0, 29.0, 0.0, 0.0]
    number = EndpointRule.model_construct(kind="count", at_least=None, **rule)
    counted = _from_event(event_sources(), ADER, number)
    # Beyond day 28 no event counts and no follow-up either.
    assert counted["AVAL"].tolist() == [1.0, 1.0, 0.0, 0.0, 0.0]
    assert counted["ADURFU"].tolist() == [28.0, 28.0, 28.0, 28.0, 27.0]


def test_days_with_an_event_are_the_sum_of_its_episodes_unless_one_has_no_end() -> None:
    rule = EndpointRule.model_construct(code="CRSDAYS", kind="count", days="CRS")
    found = _from_days(event_sources(), ADER, rule)
    assert found["AVAL"].fillna(-1).tolist() == [6.0, -1.0, -1.0, 0.0, 0.0]
    assert found["REASND"].tolist() == ["", "NOAEDUR", "NOAEDUR", "", ""]


def test_a_resolution_is_of_the_worst_episode_and_censored_while_that_goes_on() -> None:
    rule = EndpointRule.model_construct(code="CRSRES", kind="time_to_event", resolution="CRS")
    found = _from_resolution(event_sources(), ADER, rule)
    assert found["AVAL"].fillna(-1).tolist() == [4.0, 3.0, -1.0, -1.0, -1.0]
    assert found["CNSR"].fillna(-1).tolist() == [0.0, 1.0, -1.0, -1.0, -1.0]
    assert found["REASND"].tolist() == ["", "", "NOAEDUR", "NOEPISODE", "NOEPISODE"]
    assert found["STARTDY"].fillna(-1).tolist() == [3.0, 5.0, 29.0, -1.0, -1.0]
    dead = event_sources(ADURRSN=["DIED", "", "", ""])
    assert _from_resolution(dead, ADER, rule)["CNSR"].iloc[0] == 1.0


def test_a_response_that_could_not_be_judged_is_unknown() -> None:
    adrs = pd.DataFrame({**keys("A", "B", "C"), "PARAMCD": "CRM3", "AVALC": ["CR", "PD", "NE"]})
    rule = EndpointRule.model_construct(code="CR3", response="CRM3", levels=("CR", "CRI"))
    found = _from_response(Given(adrs=adrs), ADER, rule)
    assert found["AVAL"].fillna(-1).tolist() == [1.0, 0.0, -1.0, -1.0, -1.0]
    assert len(set(found["REASND"].tolist()[2:])) == 1 and found["REASND"].tolist()[:2] == ["", ""]
    other = ADER.assign(STUDYID="T")
    reasons = _from_response(Given(adrs=adrs), other, rule)["REASND"]
    assert set(reasons) == {"NOTCOLL"}


def test_a_subject_was_watched_whose_components_were_graded_from_day_0_to_the_last() -> None:
    adfa = pd.DataFrame(
        {
            **keys("A", "B", "C", "D", "E"), "DTYPE": ["REDERIVED"] * 4 + [""], "FAOBJ": "CRS",
            "AVAL": [0.0, 0.0, 0.0, NAN, 0.0], "ADY": [0.0, 28.0, 29.0, 3.0, 3.0],
        }
    )  # fmt: skip
    none = pd.DataFrame({"STUDYID": ["S"], "SRCDOM": ["FA"]})
    watched = _list_watched(ADER, none, adfa, "CRS", 28.0)
    assert watched.tolist() == [True, True, False, False, False]
    assert not _list_watched(ADER, none, adfa, "ICANS", 28.0).any()
    assert _list_watched(ADER, none.assign(SRCDOM="AE"), adfa, "CRS", 28.0).all()


def test_the_worst_grade_is_of_events_in_the_window_unless_a_doubtful_one_may_be_worse() -> None:
    rows = [
        ("A", 2.0, 3.0),
        ("A", 4.0, 29.0),
        ("B", 1.0, 28.0),
        ("B", NAN, 5.0),
        ("C", 3.0, 5.0),
        ("C", 2.0, NAN),
        ("D", 3.0, 5.0),
    ]
    adae = pd.DataFrame(rows, columns=["USUBJID", "ATOXGRN", "ASTDY"]).assign(
        STUDYID="S", AESI="CRS", TRTEMFL=["Y"] * 6 + ["N"]
    )
    watched = pd.Series([True, True, True, True, False], index=ADER.index)
    names = ("CRSGR", "CRSONDY", "CRSRSN")
    found = _add_event(ADER, adae, "CRS", names, watched, 28.0)
    assert found["CRSGR"].fillna(-1).tolist() == [2.0, -1.0, 3.0, 0.0, -1.0]
    assert found["CRSONDY"].fillna(-1).tolist() == [3.0, 5.0, 5.0, -1.0, -1.0]
    assert found["CRSRSN"].tolist() == ["", "UNGRADED", "", "", "NOCOMPON"]
    # Nothing is worse than grade 5: an event without a grade beside it changes nothing.
    fatal = adae.assign(ATOXGRN=[2.0, 4.0, 5.0, NAN, 3.0, 2.0, 3.0])
    worst = _add_event(ADER, fatal, "CRS", names, watched, 28.0)["CRSGR"]
    assert worst.fillna(-1).tolist()[:3] == [2.0, 5.0, 3.0]


def test_a_landmark_concentration_is_the_last_by_its_nominal_day_within_the_lookback() -> None:
    rows = [
        ("A", 3.0, 3.2, 10.0, "N"),
        ("A", 1.0, 1.0, 90.0, "N"),
        ("B", NAN, 2.0, NAN, "Y"),
        ("B", 7.0, 2.5, 99.0, "N"),
        ("C", 1.0, 1.0, 50.0, "N"),
        ("D", 3.0, 3.0, NAN, "N"),
        ("E", 0.0, 0.0, 50.0, "N"),
    ]
    names = ["USUBJID", "NFRLT", "AFRLT", "AVAL", "BLQFL"]
    samples = pd.DataFrame(rows, columns=names).assign(STUDYID="S", ALLOQ=4.0, SRCROW=range(7))
    value, day = _landmark(samples, 3, 1.5)
    assert value.to_dict() == {("S", "A"): 10.0, ("S", "B"): 2.0}
    assert day.to_dict() == {("S", "A"): 3.2, ("S", "B"): 2.0}
    assert _landmark(samples, 3, 2.0)[0].to_dict()["S", "C"] == 50.0

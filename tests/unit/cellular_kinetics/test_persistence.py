"""Duration of quantifiability: what ends it, who is at risk, and its estimates."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from persistence_study import (
    COURSES,
    Course,
    make_levels,
    make_persistence_samples,
    make_persistence_times,
    repeat_courses,
)

from celldossier.cellular_kinetics.duration import estimate_duration
from celldossier.cellular_kinetics.landmarks import classify_landmark
from celldossier.cellular_kinetics.persistence import summarise_persistence
from celldossier.cellular_kinetics.quantifiability import (
    PARAMETERS,
    derive_adpers,
    list_planned_days,
    read_persistence,
)
from celldossier.results import AnalysisResults
from celldossier.settings.persistence import Landmark, PersistenceSettings
from celldossier.stats.proportion import clopper_pearson
from celldossier.stats.survival import (
    estimate_at,
    estimate_incidence,
    estimate_quantile,
    estimate_survival,
)

Study = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]


def make_study(
    courses: dict[str, Course] | None = None, first_day: float = 0, **settings: object
) -> Study:
    """Facts, samples, ADPERS and levels."""
    samples = make_persistence_samples(courses)
    adtte = make_persistence_times(samples, courses, first_day)
    levels = make_levels(courses)
    facts, analyte = read_persistence(adtte, samples, levels.index, "PCR")
    rules = PersistenceSettings.model_validate(settings)
    adpers = derive_adpers(facts, analyte, list_planned_days(samples, analyte), rules)
    return facts, samples, adpers, levels


def of(adpers: pd.DataFrame, parameter: str) -> pd.DataFrame:
    return adpers[adpers["PARAMCD"] == parameter].set_index("USUBJID")


@pytest.fixture(scope="module")
def study() -> Study:
    return make_study()


def test_each_subject_has_one_record_under_each_handling_of_relapse(study: Study) -> None:
    adpers = study[2]
    assert len(adpers) == len(PARAMETERS) * len(COURSES)
    assert set(adpers["PARCAT1"]) == {"PCR"}
    never = adpers[adpers["USUBJID"] == "NEVER"]
    assert set(never["REASND"]) == {"BLQALL"} and never["AVALLO"].isna().all()


def test_a_relapse_before_the_loss_ends_the_observation(study: Study) -> None:
    main = of(study[2], "PERSIST")
    # Quantifiable until day 90, hence at the relapse of day 40; the later loss is not of it.
    earlier = main.loc["RELAPSED-EARLIER"]
    assert (earlier["AVALLO"], earlier["EVENTCD"], earlier["EVENTDY"]) == (40, "RELAPSE", 40)
    assert earlier["CNSR"] == 1 and math.isnan(earlier["AVALHI"])
    assert (main.loc["LOST", ["AVALLO", "AVALHI", "CNSR"]] == [28, 60, 0]).all()
    # Between the samples of day 28 and 60 either may have come first: both ends are kept.
    either = main.loc["EITHER"]
    assert (either["AVALLO"], either["AVALHI"], either["CNSR"]) == (28, 60, 1)
    assert either["EVENTCD"] == "RELAPSE"


def test_disregarded_a_relapse_leaves_the_endpoint_as_it_was(study: Study) -> None:
    ignored = of(study[2], "PERSIGN")
    assert (ignored.loc["RELAPSED-EARLIER", ["AVALLO", "AVALHI", "CNSR"]] == [90, 180, 0]).all()
    assert ignored.loc["EITHER", "EVENTCD"] == "LOSS"
    stopped = ignored.loc["RELAPSED-AND-STOPPED"]
    assert (stopped["AVALLO"], stopped["CNSR"], stopped["EVENTCD"]) == (28, 1, "")
    same = make_study(relapse="ignore")[2]
    columns = ["AVALLO", "AVALHI", "CNSR", "EVENTCD", "EVENTDY", "LATECD", "CNSRSN"]
    pd.testing.assert_frame_equal(of(same, "PERSIST")[columns], ignored[columns])


def test_sampling_that_stopped_at_a_relapse_is_a_loss_there_in_one_sensitivity_analysis(
    study: Study,
) -> None:
    as_loss = of(study[2], "PERSLOS")
    stopped = as_loss.loc["RELAPSED-AND-STOPPED"]
    assert (stopped["AVALLO"], stopped["AVALHI"], stopped["CNSR"]) == (28, 30, 0)
    # Sampled after the relapse: the samples themselves tell.
    assert (as_loss.loc["RELAPSED-EARLIER", ["AVALLO", "AVALHI"]] == [90, 180]).all()
    assert as_loss.loc["ONGOING", "CNSR"] == 1
    sampled = {"SAMPLED": Course(180, relapse=40), "SINGLE": Course(28, last=60, relapse=40)}
    later = of(make_study(sampled)[2], "PERSLOS")
    assert later["CNSR"].tolist() == [1, 1] and later["AVALHI"].isna().all()


def test_a_relapse_at_which_sampling_did_not_stop_is_no_loss_of_the_sensitivity_analysis() -> None:
    courses = {
        # A new therapy had ended the sampling before the relapse.
        "TREATED-BEFORE": Course(28, last=28, ended="NEWTHERAPY", day=35, relapse=50),
        # Days 60, 90 and 180 had gone by without a sample.
        "STOPPED-BEFORE": Course(28, last=28, relapse=300),
        "STOPPED-AT-IT": Course(28, last=28, relapse=50),
        # The last sample, a single one below the limit, is of the day of the relapse.
        "SAMPLED-AT-IT": Course(28, last=60, relapse=60),
        # The planned days of the others.
        "ONGOING": Course(360),
    }
    as_loss = of(make_study(courses)[2], "PERSLOS")
    treated = as_loss.loc["TREATED-BEFORE"]
    assert (treated["CNSR"], treated["EVENTCD"], treated["EVENTDY"]) == (1, "NEWTHERAPY", 35)
    stopped = as_loss.loc["STOPPED-BEFORE"]
    assert (stopped["CNSR"], stopped["EVENTCD"], stopped["AVALLO"]) == (1, "", 28)
    at_it = as_loss.loc["STOPPED-AT-IT"]
    assert (at_it["CNSR"], at_it["AVALLO"], at_it["AVALHI"]) == (0, 28, 50)
    same_day = as_loss.loc["SAMPLED-AT-IT"]
    assert (same_day["CNSR"], same_day["AVALLO"], same_day["AVALHI"]) == (0, 28, 60)


def test_an_event_after_the_end_of_the_planned_sampling_neither_competes_nor_is_a_loss() -> None:
    # The plan ends with day 360: nobody could have been seen to lose the cells later.
    courses = {
        "RELAPSED": Course(360, relapse=500, alive=800),
        "TREATED": Course(360, ended="NEWTHERAPY", day=500, alive=800),
        "DIED-AT-THE-END": Course(360, ended="DEATH", day=365, alive=365),
        **{f"LOST-{number}": Course(28, 60) for number in range(9)},
    }
    facts, samples, adpers, levels = make_study(courses)
    main, as_loss = of(adpers, "PERSIST"), of(adpers, "PERSLOS")
    relapsed = main.loc["RELAPSED"]
    assert (relapsed["EVENTCD"], relapsed["LATECD"], relapsed["AVALLO"]) == ("", "RELAPSE", 360)
    assert main.loc["TREATED", "LATECD"] == "NEWTHERAPY"
    assert main.loc["DIED-AT-THE-END", "EVENTCD"] == "DEATH"
    assert as_loss.loc["RELAPSED", "CNSR"] == 1
    frame, curves = summarise_persistence(adpers, facts, samples, levels, PersistenceSettings())
    found = AnalysisResults([frame])
    for parameter in PARAMETERS:
        for stat in ("km", "early", "late"):
            at = find(found, "persistence_survival", stat, parameter, landmark="M24")
            assert math.isnan(at.number) and at.note_code == "BEYONDFU", (parameter, stat)
    assert curves["x"].max() <= 365


def test_a_relapse_on_the_day_of_the_sample_that_showed_the_loss_does_not_precede_it() -> None:
    main = of(make_study({"SAME-DAY": Course(28, 60, relapse=60)})[2], "PERSIST")
    assert main.loc["SAME-DAY", "CNSR"] == 0 and main.loc["SAME-DAY", "EVENTCD"] == "LOSS"


def test_who_was_last_seen_on_the_day_of_a_landmark_was_followed_so_long() -> None:
    courses = {"SEEN": Course(28, 60, last=90, alive=180), "GONE": Course(28, 60, alive=179)}
    facts, samples, _, _ = make_study(courses)
    early = samples[samples["AFRLT"] <= 90]
    state = classify_landmark(facts, early, Landmark(label="M6", day=180, window=30))
    assert state.to_dict() == {"SEEN": "LOST", "GONE": "NOTFOLLOWED"}


def test_a_sample_after_a_new_therapy_says_nothing_of_a_landmark_before_it() -> None:
    courses = {"TREATED": Course(60, last=90, ended="NEWTHERAPY", day=85)}
    facts, samples, _, _ = make_study(courses)
    state = classify_landmark(facts, samples, Landmark(label="D82", day=82, window=15))
    assert state["TREATED"] == "MISSED"


def test_an_upper_limit_that_one_end_does_not_reach_is_not_known() -> None:
    # Those censored at day 28 are at risk at the left end of the losses, not at the right one.
    rows = {f"L{n}": Course(28, 60, last=90) for n in range(8)}
    rows |= {f"C{n}": Course(28, last=28) for n in range(4)} | {"ONGOING": Course(360)}
    duration = estimate_duration(of(make_study(rows)[2], "PERSIST"), PersistenceSettings())
    left, right = (estimate_quantile(curve) for curve in (duration.left, duration.right))
    medians = duration.medians()
    assert math.isnan(left.high) and not math.isnan(right.high)
    assert math.isnan(medians["both_high"])


def test_the_curves_pass_through_the_estimates_of_their_days() -> None:
    duration = estimate_duration(
        of(make_study(repeat_courses(3))[2], "PERSIST"), PersistenceSettings()
    )
    curves = duration.curves()
    assert set(curves) == {"km", "turnbull", "early", "late"}
    for name, points in curves.items():
        begin = points[0]
        assert (begin[0], begin[4]) == (0, duration.n) and len(points) > 2
        start = {"km": 100, "turnbull": math.nan}.get(name, 0)
        assert begin[1] == pytest.approx(start, nan_ok=True)
        for day, *found, at_risk in points[1:]:
            # The bounds of a class are those just after its end, but for the end of follow-up.
            late = day + 1e-6 if name == "turnbull" and day < points[-1][0] else day
            at = duration.at(late)
            expected = [at.get(name, math.nan), at[f"{name}_low"], at[f"{name}_high"]]
            assert found == pytest.approx(expected, nan_ok=True), (name, day)
            if name == "km":
                assert at_risk == at["n_at_risk"]


def test_medians_are_those_of_each_curve_in_months_and_need_the_least_number_of_subjects() -> None:
    adpers = of(make_study(repeat_courses(3))[2], "PERSIST")
    known = int((adpers["REASND"] == "").sum())
    duration = estimate_duration(adpers, PersistenceSettings(min_subjects=known))
    medians = duration.medians()
    month = 365.25 / 12
    for name, curve in (("km", duration.right), ("left", duration.left)):
        expected = estimate_quantile(curve)
        found = [medians[name], medians[f"{name}_low"], medians[f"{name}_high"]]
        days = [expected.value, expected.low, expected.high]
        assert found == pytest.approx([value / month for value in days], nan_ok=True)
    bounds = [medians["turnbull_left"], medians["turnbull_right"]]
    assert bounds == pytest.approx([v / month for v in duration.turnbull.quantile()], nan_ok=True)
    few = estimate_duration(adpers, PersistenceSettings(min_subjects=known + 1))
    assert set(few.medians()) == set(medians) and few.curves() == {}
    assert all(math.isnan(value) for value in few.medians().values())


def test_an_event_long_after_sampling_had_stopped_does_not_compete(study: Study) -> None:
    main = of(study[2], "PERSIST")
    assert (main.loc["DIED", "EVENTCD"], main.loc["DIED", "EVENTDY"]) == ("DEATH", 70)
    late = main.loc["DIED-LATE"]
    assert (late["EVENTCD"], late["LATECD"], late["CNSRSN"]) == ("", "DEATH", "SAMPSTOP")
    # Days 60, 90 and 180 went by without a sample.
    kept = of(make_study(missed_samples=4)[2], "PERSIST").loc["DIED-LATE"]
    assert (kept["EVENTCD"], kept["LATECD"], kept["EVENTDY"]) == ("DEATH", "", 300)
    assert of(make_study(missed_samples=3)[2], "PERSIST").loc["DIED-LATE", "LATECD"] == "DEATH"
    assert main.loc["TREATED", "EVENTCD"] == "NEWTHERAPY"
    assert (main.loc["SINGLE", "AVALLO"], main.loc["SINGLE", "CNSRSN"]) == (60, "ONGOING")


def test_days_are_elapsed_days_whatever_the_number_of_the_first_day(study: Study) -> None:
    pd.testing.assert_frame_equal(make_study(first_day=1)[2], study[2])


def test_states_at_a_landmark_follow_their_order(study: Study) -> None:
    facts, samples, _, _ = study
    known = facts[facts["REASND"] == ""]
    at = classify_landmark(known, samples, Landmark(label="M3", day=90, window=15))
    expected = {
        "LOST": "BELOW",
        "RELAPSED-EARLIER": "QUANTIFIABLE",
        "EITHER": "BELOW",
        "DIED": "DIED",
        "DIED-LATE": "MISSED",
        "RELAPSED-AND-STOPPED": "RELAPSED",
        "TREATED": "QUANTIFIABLE",
        "ONGOING": "QUANTIFIABLE",
        "SINGLE": "BELOW",
        "LOST-AND-DIED": "BELOW",
    }
    assert at.to_dict() == expected
    later = classify_landmark(known, samples, Landmark(label="M6", day=180, window=30))
    assert later["TREATED"] == "STOPPED"
    # The loss was seen, sampling stopped, the subject is alive: not quantifiable.
    assert later["LOST-AND-DIED"] == "LOST"
    year = classify_landmark(known, samples, Landmark(label="Y2", day=720, window=60))
    assert year["LOST"] == "NOTFOLLOWED" and year["LOST-AND-DIED"] == "DIED"


def test_a_new_therapy_after_the_loss_leaves_a_later_landmark_unknown() -> None:
    # The loss ends the endpoint; the therapy after it stands in another one.
    treated = Course(28, 60, last=90, ended="NEWTHERAPY", day=120)
    facts, samples, _, _ = make_study({"TREATED": treated, "NOT": Course(28, 60, last=90)})
    state = classify_landmark(facts, samples, Landmark(label="M6", day=180, window=30))
    assert state.to_dict() == {"TREATED": "STOPPED", "NOT": "LOST"}


def test_the_sample_nearest_to_the_landmark_decides_and_the_window_holds(study: Study) -> None:
    facts, samples, _, _ = study
    known = facts.loc[["LOST"]]
    near = classify_landmark(known, samples, Landmark(label="D45", day=43, window=20))
    assert near["LOST"] == "QUANTIFIABLE"
    near = classify_landmark(known, samples, Landmark(label="D45", day=45, window=20))
    assert near["LOST"] == "BELOW"
    # The sample of day 60 is just within 15 days, and not within 14.
    for window, state in ((15, "BELOW"), (14, "MISSED")):
        at = Landmark(label="D45", day=45, window=window)
        assert classify_landmark(known, samples, at)["LOST"] == state


@pytest.mark.parametrize(
    ("subject", "day", "state", "before"),
    [
        ("DIED", 70, "DIED", "MISSED"),
        ("TREATED", 100, "STOPPED", "MISSED"),
        ("RELAPSED", 70, "RELAPSED", "MISSED"),
        ("LOST", 90, "LOST", "MISSED"),
    ],
)
def test_what_happened_on_the_day_of_a_landmark_counts_at_it(
    subject: str, day: float, state: str, before: str
) -> None:
    courses = {
        "DIED": Course(28, last=28, ended="DEATH", day=70, alive=70),
        "TREATED": Course(28, last=28, ended="NEWTHERAPY", day=100, alive=300),
        "RELAPSED": Course(28, last=28, relapse=70, alive=300),
        "LOST": Course(28, 90, last=180, alive=300),
    }
    facts, samples, _, _ = make_study(courses)
    # Without the sample that showed the loss; its day stands in the facts.
    early = samples[samples["AFRLT"] <= 28]
    for at, expected in ((day, state), (day - 1, before)):
        found = classify_landmark(facts, early, Landmark(label="D1", day=at, window=1))
        assert found[subject] == expected


@pytest.fixture(scope="module")
def results() -> AnalysisResults:
    facts, samples, adpers, levels = make_study(repeat_courses(3))
    frame, _ = summarise_persistence(adpers, facts, samples, levels, PersistenceSettings())
    return AnalysisResults([frame])


def find(results: AnalysisResults, analysis: str, stat: str, parameter: str = "PERSIST", **by: str):
    value = results.find(f"cellular_kinetics.{analysis}", parameter, "PCR", by, stat)
    assert value is not None, (analysis, stat, by)
    return value


def test_counts_of_losses_events_and_censoring_add_up(results: AnalysisResults) -> None:
    counts = {
        stat: find(results, "persistence", stat).number
        for stat in ("n_set", "n_never", "n", "n_loss", "n_censored", "n_either")
    }
    assert counts == {
        "n_set": 33,
        "n_never": 3,
        "n": 30,
        "n_loss": 6,
        "n_censored": 24,
        "n_either": 3,
    }
    ended = results.select("cellular_kinetics.persistence_ended")
    reasons = results.select("cellular_kinetics.persistence_censored")
    total = sum(
        rows.loc[
            (rows["variable"] == "PERSIST") & (rows["group2"] == "") & (rows["stat_name"] == "n"),
            "value",
        ].sum()
        for rows in (ended, reasons)
    )
    assert total == counts["n_censored"]


def test_the_share_at_a_landmark_is_of_the_evaluable_with_its_exact_interval(
    results: AnalysisResults,
) -> None:
    at = {"landmark": "M3"}
    found = find(results, "persistence_landmark", "n_quantifiable", **at).number
    total = find(results, "persistence_landmark", "n_evaluable", **at).number
    assert (found, total) == (9, 21)
    # All but those lost before and not sampled any more; one share is of the sampled alone.
    lost = find(results, "persistence_landmark", "n_lost", **at).number
    sampled = find(results, "persistence_landmark", "pct_sampled", **at).number
    assert sampled == pytest.approx(100 * found / (total - lost))
    low, high = clopper_pearson(9, 21)
    assert find(results, "persistence_landmark", "pct_low", **at).number == pytest.approx(100 * low)
    assert find(results, "persistence_landmark", "pct_high", **at).number == pytest.approx(
        100 * high
    )
    states = results.select("cellular_kinetics.persistence_landmark")
    states = states[(states["level1"] == "M3") & (states["group2"] == "")]
    counts = states.set_index("stat_name")["value"]
    names = [
        "quantifiable",
        "below",
        "lost",
        "died",
        "stopped",
        "relapsed",
        "notfollowed",
        "missed",
    ]
    assert sum(counts[f"n_{name}"] for name in names) == 30


def test_a_landmark_at_which_nobody_was_sampled_has_no_share() -> None:
    # At month 24 the losses seen before would stand alone, and the share would be 0.
    courses = {"LOST": Course(28, 60, alive=900), **{f"S{n}": Course(360) for n in range(9)}}
    facts, samples, adpers, levels = make_study(courses)
    frame, _ = summarise_persistence(adpers, facts, samples, levels, PersistenceSettings())
    found = AnalysisResults([frame])
    at = {"landmark": "M24"}
    assert find(found, "persistence_landmark", "n_lost", **at).number == 1
    share = find(found, "persistence_landmark", "pct", **at)
    assert math.isnan(share.number) and share.note_code == "NOLANDM"
    share = find(found, "persistence_landmark", "pct", landmark="M12")
    assert share.number == pytest.approx(90)


def test_where_nobody_lost_the_cells_no_interval_is_given_and_no_event_is_the_reason() -> None:
    facts, samples, adpers, levels = make_study({f"S{n}": Course(360) for n in range(12)})
    frame, _ = summarise_persistence(adpers, facts, samples, levels, PersistenceSettings())
    found = AnalysisResults([frame])
    for name, value in (("km", 100), ("left", 100), ("early", 0), ("late", 0)):
        at = find(found, "persistence_survival", name, landmark="M3")
        low = find(found, "persistence_survival", f"{name}_low", landmark="M3")
        assert (at.number, low.note_code) == (value, "NOEVENT"), name


def test_estimates_are_those_of_the_intervals_at_either_end(results: AnalysisResults) -> None:
    adpers = of(make_study(repeat_courses(3))[2], "PERSIST")
    known = adpers[adpers["REASND"] == ""]
    lost = (known["CNSR"] == 0).to_numpy()
    right = estimate_at(
        estimate_survival(np.where(lost, known["AVALHI"], known["AVALLO"]), lost), 90
    )
    left = estimate_at(estimate_survival(known["AVALLO"], lost), 90)
    at = {"landmark": "M3"}
    assert find(results, "persistence_survival", "km", **at).number == pytest.approx(
        100 * right.value
    )
    assert find(results, "persistence_survival", "left", **at).number == pytest.approx(
        100 * left.value
    )
    low = find(results, "persistence_survival", "both_low", **at).number
    high = find(results, "persistence_survival", "both_high", **at).number
    assert low == pytest.approx(100 * min(left.low, right.low))
    assert high == pytest.approx(100 * max(left.high, right.high))
    competes = ((known["EVENTCD"] != "") & ~lost).to_numpy()
    either = ~lost & known["AVALHI"].notna().to_numpy()
    ended = np.where(competes, known["EVENTDY"], known["AVALLO"])
    late = estimate_incidence(
        np.where(lost, known["AVALHI"], ended), np.where(lost, 1, np.where(competes, 2, 0)), 90
    )
    early = estimate_incidence(
        np.where(lost | either, known["AVALLO"], ended),
        np.where(lost | either, 1, np.where(competes, 2, 0)),
        90,
    )
    assert find(results, "persistence_survival", "late", **at).number == pytest.approx(
        100 * late.value
    )
    assert find(results, "persistence_survival", "early", **at).number == pytest.approx(
        100 * early.value
    )
    assert early.value > late.value
    assert find(results, "persistence_survival", "n_at_risk", **at).unit == ""


def test_a_group_of_few_has_counts_and_no_estimates() -> None:
    courses = {**repeat_courses(2), "ALONE": Course(28, 60, dose="DL9")}
    facts, samples, adpers, levels = make_study(courses)
    frame, curves = summarise_persistence(adpers, facts, samples, levels, PersistenceSettings())
    results = AnalysisResults([frame])
    by = {"dose": "DL9"}
    assert find(results, "persistence", "n_loss", **by).number == 1
    value = find(results, "persistence_median", "km", **by)
    assert math.isnan(value.number) and value.note_code == "FEWSUBJ"
    series = set(curves["series"])
    assert "dose=DL1" in series and "dose=DL9" not in series


def test_nobody_observed_so_long_is_said_and_no_event_has_no_interval() -> None:
    courses = {f"S{number}": Course(360, alive=380) for number in range(12)}
    facts, samples, adpers, levels = make_study(courses)
    frame, _ = summarise_persistence(adpers, facts, samples, levels, PersistenceSettings())
    results = AnalysisResults([frame])
    assert find(results, "persistence_survival", "km", landmark="M24").note_code == "BEYONDFU"
    assert find(results, "persistence_survival", "km", landmark="M6").number == 100
    assert find(results, "persistence_survival", "km_low", landmark="M6").note_code == "NOEVENT"
    assert find(results, "persistence_survival", "both_low", landmark="M6").note_code == "NOEVENT"
    assert find(results, "persistence_landmark", "pct", landmark="M24").note_code == "NOLANDM"
    assert find(results, "persistence_median", "km").note_code == "NOTREACH"


def test_curves_hold_the_estimates_at_their_times() -> None:
    facts, samples, adpers, levels = make_study(repeat_courses(3))
    _, curves = summarise_persistence(adpers, facts, samples, levels, PersistenceSettings())
    total = curves[curves["series"] == "total"]
    km = total[total["curve_id"] == "cellular_kinetics.persistence_km/PCR"].sort_values("x")
    assert (km["y"].iloc[0], km["x"].iloc[0], km["n"].iloc[0]) == (100, 0, 30)
    assert (km["y"].diff().dropna() <= 0).all()
    bounds = total[total["curve_id"] == "cellular_kinetics.persistence_turnbull/PCR"]
    assert (bounds["low"] <= bounds["high"] + 1e-9).all()
    assert set(curves["x_unit"]) == {"d"} and set(curves["y_unit"]) == {"%"}


def test_a_study_without_the_endpoint_has_no_duration() -> None:
    samples = make_persistence_samples()
    adtte = make_persistence_times(samples)
    adtte = adtte[adtte["PARAMCD"] != "PERSIST"]
    levels = make_levels()
    facts, analyte = read_persistence(adtte, samples, levels.index, "PCR")
    assert facts.empty and analyte == ""
    adpers = derive_adpers(facts, analyte, {}, PersistenceSettings())
    frame, curves = summarise_persistence(adpers, facts, samples, levels, PersistenceSettings())
    assert adpers.empty and frame.empty and curves.empty


def test_landmarks_are_named_once_and_in_order() -> None:
    for landmarks in (
        [{"label": "D28", "day": 28, "window": 7}, {"label": "D28", "day": 60, "window": 7}],
        [{"label": "M3", "day": 90, "window": 7}, {"label": "D28", "day": 28, "window": 7}],
    ):
        with pytest.raises(ValueError, match=r"twice|order"):
            PersistenceSettings.model_validate({"landmarks": landmarks})

"""Endpoints of ADTTE: origin, event, censoring and its reason, competing events."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from small_study import ManyStudies, SmallStudy, make_study

from celldossier.io.resources import read_resource
from celldossier.settings.study import ProductClass
from celldossier.settings.time_to_event import TimeToEventSettings
from celldossier.study_data.assessment_schedule import (
    count_missed,
    merge_schedules,
    plan_assessments,
)
from celldossier.study_data.endpoints import list_endpoints

NEW_THERAPY = {"medication_classes": {"NEW_THERAPY": ["BLINATUMOMAB"], "HSCT": ["TRANSPLANT"]}}


def endpoint(study: SmallStudy, code: str, subject: str = "A") -> pd.Series:
    """The record of one endpoint and subject."""
    adtte = study.derive().datasets["ADTTE"]
    return adtte[(adtte["PARAMCD"] == code) & (adtte["USUBJID"] == subject)].iloc[0]


def assess(study: SmallStudy, *assessments: tuple[str, str]) -> None:
    """Give subject A these assessments after the infusion of 2024-03-01."""
    table = study.tables["RS"]
    study.tables["RS"] = table[table["USUBJID"] == "B"].reset_index(drop=True)
    study.tables["RS"].index = pd.RangeIndex(1, len(study.tables["RS"]) + 1, name="row")
    for category, date in assessments:
        study.repeat("RS", 1, {"USUBJID": "A", "RSSTRESC": category, "RSDTC": date})


def test_survival_ends_with_death_or_is_censored_at_the_last_date_known_alive(study):
    dead, alive = endpoint(study, "OS", "B"), endpoint(study, "OS")
    assert dead[["AVAL", "CNSR", "EVENTCD", "ADT", "SRCDOM", "SRCVAR"]].tolist() == [
        *(70, 0, "DEATH", "2024-06-10", "DM", "DTHDTC"),
    ]
    assert alive[["AVAL", "CNSRSN", "ADT", "SRCDOM", "SRCROW"]].tolist() == [
        *(275, "CNSCOMPL", "2024-12-01", "DS", 1),
    ]


def test_progression_free_survival_ends_with_progression(study):
    found = endpoint(study, "PFS")
    assert found[["AVAL", "CNSR", "EVENTCD", "SRCROW", "SRCVAR"]].tolist() == [
        *(184, 0, "PROGRESSION", 4, "RSDTC"),
    ]
    assert found["STARTDT"] == "2024-03-01"


def test_the_day_of_the_infusion_may_be_day_1(study):
    study.options = {"efficacy": {"time_to_event": {"first_day": 1}}}
    assert endpoint(study, "PFS")["AVAL"] == 185
    assert endpoint(study, "OS", "B")[["AVAL", "EVENTDY"]].tolist() == [71, 71]


def test_duration_of_response_starts_at_the_first_response(study):
    found = endpoint(study, "DOR")
    assert found[["STARTDT", "AVAL", "EVENTCD"]].tolist() == ["2024-06-01", 92, "PROGRESSION"]
    none = endpoint(study, "DOR", "B")
    assert (none["REASND"], none["ADT"]) == ("NORESPONSE", "") and pd.isna(none["AVAL"])


@pytest.mark.parametrize(
    ("handling", "events", "expected"),
    [
        ("censor", [], (28, "CNSNEWTH", "NEWTHERAPY", 50)),
        ("event", ["NEWTHERAPY"], (50, "", "NEWTHERAPY", 50)),
        ("ignore", [], (184, "", "PROGRESSION", 184)),
    ],
)
def test_a_new_therapy_censors_at_the_last_assessment_before_it_or_as_the_study_says(
    study, handling, events, expected
):
    rule = {"new_therapy": handling, "events": ["PROGRESSION", "DEATH", *events]}
    study.options = {**NEW_THERAPY, "efficacy": {"time_to_event": {"pfs": rule}}}
    study.repeat("CM", 1, {"CMDECOD": "Blinatumomab", "CMSTDTC": "2024-04-20"})
    found = endpoint(study, "PFS")
    assert tuple(found[["AVAL", "CNSRSN", "EVENTCD", "EVENTDY"]]) == expected


def test_a_transplantation_censors_and_one_on_the_day_of_progression_does_not(study):
    study.options = NEW_THERAPY
    row = study.repeat("CM", 1, {"CMDECOD": "Transplant", "CMSTDTC": "2024-06-20"})
    found = endpoint(study, "PFS")
    assert tuple(found[["AVAL", "CNSRSN", "EVENTCD"]]) == (92, "CNSHSCT", "HSCT")
    study.set("CM", row, "CMSTDTC", "2024-09-01")
    assert endpoint(study, "PFS")["EVENTCD"] == "PROGRESSION"


@pytest.mark.parametrize(
    ("missed", "planned", "expected"),
    [
        ("censor", [28, 92, 120, 150, 184], (92, "CNSMISSED")),
        ("event", [28, 92, 120, 150, 184], (184, "")),
        # One missed assessment is not two; a visit inside a window is not missed.
        ("censor", [28, 92, 130, 184], (184, "")),
        ("censor", [28, 92, 100, 180, 184], (184, "")),
    ],
)
def test_an_event_after_two_missed_assessments_is_censored_before_them(
    study, missed, planned, expected
):
    tte = {"assessment_days": planned, "assessment_window": 10, "pfs": {"missed": missed}}
    study.options = {"efficacy": {"time_to_event": tte}}
    assert tuple(endpoint(study, "PFS")[["AVAL", "CNSRSN"]]) == expected


def test_without_an_assessment_the_origin_is_the_date_of_censoring(study):
    assess(study, ("NE", "2024-03-29"))
    study.set("DS", 1, "DSDECOD", "LAST CONTACT")
    found = endpoint(study, "PFS")
    assert tuple(found[["AVAL", "CNSRSN", "SRCDOM", "SRCVAR"]]) == (
        *(0, "CNSNOPOST", "EX", "EXSTDTC"),
    )


def test_a_missing_baseline_censors_only_where_the_study_asks_for_it(study):
    study.set("DM", 1, "TBURDBL", "")
    study.set("RS", 1, "RSSTRESC", "NE")
    assert endpoint(study, "PFS")["EVENTCD"] == "PROGRESSION"
    study.options = {"efficacy": {"time_to_event": {"baseline_required": True}}}
    assert tuple(endpoint(study, "PFS")[["AVAL", "CNSRSN"]]) == (0, "CNSNOBASE")


@pytest.mark.parametrize(
    ("term", "reason"),
    [
        ("LOST TO FOLLOW-UP", "CNSLOST"),
        ("Withdrawal by subject", "CNSWITHD"),
        ("COMPLETED", "CNSCOMPL"),
        ("LAST CONTACT", "ONGOING"),
    ],
)
def test_the_disposition_gives_the_reason_for_censoring(study, term, reason):
    assess(study, ("PR", "2024-03-29"))
    study.set("DS", 1, "DSDECOD", term)
    found = endpoint(study, "PFS")
    assert tuple(found[["AVAL", "CNSRSN"]]) == (28, reason)
    assert found["CNSR"] == read_resource("terms", "efficacy_parameters.yaml")["censoring"][reason]


def test_who_is_lost_was_last_alive_at_the_last_record_and_not_when_the_loss_was_noted(study):
    study.set("DS", 1, "DSDECOD", "LOST TO FOLLOW-UP")
    assert tuple(endpoint(study, "OS")[["AVAL", "CNSRSN", "SRCDOM"]]) == (184, "CNSLOST", "RS")


def test_progression_death_and_new_therapy_compete_with_response(study):
    assess(study, ("SD", "2024-03-29"), ("PD", "2024-05-01"))
    found = endpoint(study, "TTR")
    assert tuple(found[["AVAL", "CNSRSN", "EVENTCD", "EVENTDY"]]) == (
        *(61, "CNSPROG", "PROGRESSION", 61),
    )
    assert endpoint(make_study(), "TTR")["AVAL"] == 92


def test_a_death_that_only_the_disposition_knows_counts(study):
    study.set("DM", 2, "DTHDTC", "")
    found = endpoint(study, "OS", "B")
    assert tuple(found[["AVAL", "EVENTCD", "SRCDOM"]]) == (70, "DEATH", "DS")


def add_samples(study: SmallStudy, *results: tuple[str, str]) -> None:
    """Give subject A further PCR results: day and result."""
    zero = pd.Timestamp("2024-03-01T10:00")
    for day, result in results:
        date = (zero + pd.Timedelta(days=float(day))).strftime("%Y-%m-%dT%H:%M")
        study.repeat("PC", 2, {"PCORRES": result, "PCDTC": date, "PCTPTNUM": day})


def test_loss_of_persistence_is_the_first_of_two_results_below_the_limit(study):
    # Quantifiable on day 7, below the limit on day 28.25 and on day 60: lost in (7, 28.25].
    add_samples(study, ("60", "BLQ"), ("90", "120"))
    found = endpoint(study, "PERSIST")
    assert tuple(found[["AVAL", "AVALLO", "AVALHI", "EVENTCD", "SRCROW"]]) == (
        *(28.25, 7, 28.25, "LOSS", 3),
    )


def test_a_single_result_below_the_limit_is_no_loss(study):
    add_samples(study, ("60", "80"), ("90", "BLQ"))
    found = endpoint(study, "PERSIST")
    assert tuple(found[["AVAL", "AVALLO", "CNSRSN"]]) == (60, 60, "CNSCOMPL")
    assert pd.isna(found["AVALHI"])


def test_two_results_of_one_time_below_the_limit_are_no_loss(study):
    study.options = {"duplicate_samples": "warning"}
    add_samples(study, ("28.25", "BLQ"), ("60", "80"))
    found = endpoint(study, "PERSIST")
    assert tuple(found[["AVAL", "AVALLO", "EVENTCD"]]) == (60, 60, "")


def test_samples_after_a_new_therapy_are_no_loss_and_the_therapy_competes(study):
    study.options = NEW_THERAPY
    study.repeat("CM", 1, {"CMDECOD": "Blinatumomab", "CMSTDTC": "2024-03-20"})
    add_samples(study, ("60", "BLQ"))
    found = endpoint(study, "PERSIST")
    assert tuple(found[["AVAL", "CNSRSN", "EVENTCD", "EVENTDY"]]) == (
        *(7, "CNSNEWTH", "NEWTHERAPY", 19),
    )


def test_who_was_never_quantifiable_has_no_persistence(study):
    study.set("PC", 2, "PCORRES", "BLQ")
    found = endpoint(study, "PERSIST")
    assert found["REASND"] == "BLQALL" and pd.isna(found["CNSR"])


def use_marker(study: SmallStudy, *results: tuple[int, str], baseline: str = "50", **rule) -> None:
    """Take IL6 for a marker of recovery from 20 on; results of subject A by day."""
    for row in (1, 2):
        study.set("LB", row, "LBORRES", baseline)
    study.tables["LB"] = study.tables["LB"].drop(index=3)
    for day, result in results:
        date = (pd.Timestamp("2024-03-01") + pd.Timedelta(days=day)).strftime("%Y-%m-%d")
        table = study.tables["LB"]
        new = table.loc[[2]].assign(LBORRES=result, LBDTC=date)
        new.index = pd.Index([table.index.max() + 1], name="row")
        study.tables["LB"] = pd.concat([table, new])
    rule = {"analyte": "IL6", "at_least": 20, "unit": "pg/mL", **rule}
    study.options = {"efficacy": {"time_to_event": {"recoveries": {"BCREC": rule, "BCAPL": rule}}}}


def test_recovery_counts_from_the_infusion_and_the_condition_from_its_start(study):
    use_marker(study, (7, "3"), (28, "BLQ"), (90, "25"))
    found, lasting = endpoint(study, "BCREC"), endpoint(study, "BCAPL")
    assert tuple(found[["AVAL", "AVALLO", "AVALHI", "EVENTCD"]]) == (90, 28, 90, "RECOVERY")
    assert tuple(lasting[["AVAL", "STARTDT"]]) == (83, "2024-03-08")


def test_who_is_low_at_baseline_is_low_from_the_infusion(study):
    use_marker(study, (7, "30"), (28, "40"), baseline="5")
    found = endpoint(study, "BCAPL")
    assert tuple(found[["AVAL", "AVALLO", "AVALHI", "STARTDT"]]) == (7, 0, 7, "2024-03-01")


def test_recovery_may_take_consecutive_results(study):
    use_marker(study, (7, "3"), (28, "25"), (60, "4"), (90, "25"), (120, "30"), consecutive=2)
    assert endpoint(study, "BCREC")["AVAL"] == 90


def test_who_was_never_low_has_no_recovery(study):
    use_marker(study, (7, "30"), (28, "40"))
    assert endpoint(study, "BCREC")["REASND"] == "NEVERLOW"


def test_who_does_not_recover_is_censored_at_the_last_sample(study):
    use_marker(study, (7, "3"), (28, "4"))
    found = endpoint(study, "BCREC")
    assert tuple(found[["AVAL", "AVALLO", "CNSRSN"]]) == (28, 28, "CNSCOMPL")


def test_every_reason_and_event_has_words_in_both_languages():
    terms = read_resource("terms", "efficacy_parameters.yaml")
    reasons = read_resource("terms", "reason_codes.yaml")
    numbers = list(terms["censoring"].values())
    assert len(set(numbers)) == len(numbers) and min(numbers) >= 1
    for code in terms["censoring"]:
        assert reasons[code]["en"] and reasons[code]["zh"], code
    for part in ("responses", "endpoints", "events", "censoring_dates"):
        for code, words in terms[part].items():
            assert words["en"] and words["zh"], code


CATEGORIES = st.sampled_from(["CR", "PR", "SD", "NE"])
COURSE = st.lists(st.tuples(st.integers(1, 250), CATEGORIES), min_size=1, max_size=5)


def assess_days(study: SmallStudy, course: list[tuple[int, str]]) -> None:
    """Assessments of subject A by day."""
    zero = pd.Timestamp("2024-03-01")
    days = {day: category for day, category in course}
    assess(
        study,
        *((c, (zero + pd.Timedelta(days=d)).strftime("%Y-%m-%d")) for d, c in days.items()),
    )


# One run of the stage costs seconds, however many subjects it has: the courses of an example are
# those of as many copies of the study, derived together.
COURSES = 8
slowly = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def courses_of(*parts: st.SearchStrategy) -> st.SearchStrategy:
    """As many courses as are derived together, each with the parts named."""
    return st.lists(st.tuples(COURSE, *parts), min_size=COURSES, max_size=COURSES)


def merge_courses(courses: list[list[tuple[int, str]]]) -> SmallStudy:
    """A study with the courses, each in subject A of a copy of its own."""
    copies = [make_study() for _ in courses]
    for copy, course in zip(copies, courses, strict=True):
        assess_days(copy, course)
    return ManyStudies(copies).merge()


@pytest.mark.slow
@slowly
@given(drawn=courses_of(st.integers(1, 250), st.integers(1, 40), CATEGORIES))
def test_an_assessment_after_progression_changes_no_endpoint_and_no_best_response(drawn):
    found = []
    for late in (False, True):
        courses = []
        for course, progression, later, category in drawn:
            before = [(day, c) for day, c in course if day < progression]
            after = [(progression + later, category)] if late else []
            courses.append([*before, (progression, "PD"), *after])
        data = merge_courses(courses).derive().datasets
        assessed = data["ADRS"][data["ADRS"]["USUBJID"].str.startswith("A")]
        best = assessed.loc[assessed["PARAMCD"] == "BOR", ["USUBJID", "AVALC"]].to_csv(index=False)
        codes = data["ADTTE"]["PARAMCD"].isin(["PFS", "EFS", "DOR", "TTR"])
        rows = data["ADTTE"][codes & data["ADTTE"]["USUBJID"].str.startswith("A")]
        found.append((best, rows.drop(columns=["SRCROW"]).to_csv(index=False)))
    assert found[0] == found[1]
    assert found[0][0].count("\n") == COURSES + 1


@pytest.mark.slow
@slowly
@given(courses=courses_of(), seed=st.integers(0, 99))
def test_the_order_of_the_rows_changes_nothing(courses, seed):
    study = merge_courses([sorted({day: c for day, c in course}.items()) for (course,) in courses])
    first = study.derive().datasets["ADTTE"]
    mixed = study.tables["RS"].sample(frac=1, random_state=seed)
    mixed.index = pd.RangeIndex(1, len(mixed) + 1, name="row")
    study.tables["RS"] = mixed
    second = study.derive().datasets["ADTTE"]
    columns = ["USUBJID", "PARAMCD", "ADT", "AVAL", "CNSR", "EVENTCD", "CNSRSN", "REASND"]
    pd.testing.assert_frame_equal(first[columns], second[columns])


# The latest date is 2024-12-01, the cut-off 2024-12-31: a longer shift would pass it.
@pytest.mark.slow
@slowly
@given(courses=courses_of(), days=st.integers(-200, 30))
def test_a_shift_of_all_dates_changes_no_time(courses, days):
    study = merge_courses([course for (course,) in courses])
    first = study.derive().datasets["ADTTE"]
    for name, table in study.tables.items():
        for column in table.columns:
            if column.endswith("DTC"):
                table = table.assign(**{column: [shift(text, days) for text in table[column]]})
        study.tables[name] = table
    second = study.derive().datasets["ADTTE"]
    columns = ["USUBJID", "PARAMCD", "AVAL", "CNSR", "EVENTCD", "CNSRSN", "REASND"]
    pd.testing.assert_frame_equal(first[columns], second[columns])


def shift(text: str, days: int) -> str:
    """A full date moved by days; a partial one is left out."""
    if len(text) < 10:
        return ""
    moved = pd.Timestamp(text[:10]) + pd.Timedelta(days=days)
    return moved.strftime("%Y-%m-%d") + text[10:]


def test_only_the_endpoints_that_a_study_names_are_derived(study):
    every = set(study.derive().datasets["ADTTE"]["PARAMCD"])
    assert every == {"OS", "PFS", "EFS", "DOR", "TTR", "TTNT", "PERSIST"}
    study.options = {"efficacy": {"time_to_event": {"endpoints": ["OS", "DOR"]}}}
    assert set(study.derive().datasets["ADTTE"]["PARAMCD"]) == {"OS", "DOR"}
    study.options = {"efficacy": {"time_to_event": {"endpoints": []}}}
    assert study.derive().datasets["ADTTE"].empty


@pytest.mark.parametrize(
    ("product", "background", "expected"),
    [
        (ProductClass.CAR_T, "none", ("OS", "PFS", "EFS", "DOR", "TTR", "TTNT", "PERSIST")),
        (ProductClass.CAR_NK, "endogenous", ("OS", "PFS", "EFS", "DOR", "TTR", "TTNT", "PERSIST")),
        (ProductClass.MESENCHYMAL, "none", ("PERSIST",)),
        (ProductClass.MESENCHYMAL, "endogenous", ()),
    ],
)
def test_the_class_of_the_product_decides_where_no_endpoint_is_named(
    study, product, background, expected
):
    first, *others = study.bioanalysis.assays
    assays = (first.model_copy(update={"background": background}), *others)
    bioanalysis = study.bioanalysis.model_copy(update={"assays": assays})
    assert list_endpoints(TimeToEventSettings(), product, bioanalysis) == expected
    rule = {"analyte": "NEUT", "at_least": 1, "unit": "10^9/L"}
    more = TimeToEventSettings.model_validate({"recoveries": {"NEUTREC": rule}})
    assert list_endpoints(more, product, bioanalysis) == (*expected, "NEUTREC")


def test_times_of_estimates_and_endpoints_that_cannot_be_are_refused():
    for wrong in ({"landmark_months": [6, 3]}, {"landmark_days": [0]}, {"endpoints": ["OS", "OS"]}):
        with pytest.raises(ValidationError):
            TimeToEventSettings.model_validate(wrong)


def retreat(study: SmallStudy, date: str, epoch: str = "RETREATMENT") -> None:
    """Infuse subject A again, as a retreatment or as an unplanned infusion."""
    for row in (2, 3):
        study.set("EX", row, "EPOCH", "TREATMENT")
    study.repeat("EX", 2, {"EXSTDTC": date, "EXENDTC": "", "EPOCH": epoch, "EXPLFL": "N"})


@pytest.mark.parametrize("epoch", ["RETREATMENT", "TREATMENT"])
def test_persistence_is_that_of_the_course_before_another_infusion(study, epoch):
    # Lost on day 28 and 60; what comes after the infusion on day 184 is not the first product.
    add_samples(study, ("60", "BLQ"), ("193", "5000"), ("223", "900"))
    retreat(study, "2024-09-01T10:00", epoch)
    found = endpoint(study, "PERSIST")
    assert tuple(found[["AVAL", "AVALLO", "EVENTCD"]]) == (28.25, 7, "LOSS")


def test_another_infusion_competes_with_the_loss_of_persistence(study):
    add_samples(study, ("60", "80"), ("193", "5000"))
    retreat(study, "2024-09-01T10:00")
    found = endpoint(study, "PERSIST")
    assert tuple(found[["AVAL", "CNSRSN", "EVENTCD", "EVENTDY"]]) == (
        *(60, "CNSREIN", "REINFUSION", 184),
    )


def test_the_sample_before_another_infusion_on_its_day_still_counts(study):
    study.set("PC", 3, "PCORRES", "70")
    add_samples(study, ("60", "BLQ"), ("184", "BLQ"))
    retreat(study, "2024-09-01T14:00")
    assert endpoint(study, "PERSIST")["EVENTCD"] == "LOSS"
    retreat(study := make_study(), "2024-09-01T09:00")
    study.set("PC", 3, "PCORRES", "70")
    add_samples(study, ("60", "BLQ"), ("184", "BLQ"))
    assert endpoint(study, "PERSIST")["CNSRSN"] == "CNSREIN"


@pytest.mark.parametrize(
    ("handling", "expected"),
    [
        ("censor", (92, "CNSREIN", "REINFUSION", 122)),
        ("event", (122, "", "REINFUSION", 122)),
        ("ignore", (184, "", "PROGRESSION", 184)),
    ],
)
def test_another_infusion_censors_or_is_what_the_study_says(study, handling, expected):
    study.options = {"efficacy": {"time_to_event": {"pfs": {"reinfusion": handling}}}}
    retreat(study, "2024-07-01T10:00")
    found = endpoint(study, "PFS")
    assert tuple(found[["AVAL", "CNSRSN", "EVENTCD", "EVENTDY"]]) == expected


def test_another_infusion_is_an_event_of_event_free_survival_and_competes_with_response(study):
    assess(study, ("SD", "2024-03-29"), ("CR", "2024-08-01"))
    retreat(study, "2024-07-01T10:00")
    adtte = study.derive().datasets["ADTTE"].query("USUBJID == 'A'").set_index("PARAMCD")
    assert tuple(adtte.loc["EFS", ["AVAL", "EVENTCD"]]) == (122, "REINFUSION")
    assert tuple(adtte.loc["TTR", ["AVAL", "CNSRSN", "EVENTDY"]]) == (28, "CNSREIN", 122)
    # Life goes on.
    assert adtte.loc["OS", "CNSRSN"] == "CNSCOMPL"


def test_an_event_that_is_handled_otherwise_than_listed_is_refused():
    with pytest.raises(ValidationError, match="REINFUSION is among the events"):
        TimeToEventSettings.model_validate({"pfs": {"events": ["DEATH", "REINFUSION"]}})


@pytest.mark.parametrize(
    ("last", "missed"),
    [
        # Within the window after the last assessment, a planned one is that assessment.
        ({"A": 78.0}, 1),
        ({"A": 73.9}, 2),
        # Within the window before the event it is not yet missed.
        ({"A": 95.0}, 1),
    ],
)
def test_a_planned_visit_within_the_window_of_an_assessment_is_not_missed(last, missed):
    planned = pd.DataFrame({"USUBJID": "A", "DAY": [28.0, 84.0, 112.0, 140.0]})
    count = count_missed(planned, pd.Series(last), pd.Series({"A": 150.0}), 10)
    assert count["A"] == missed


def planned_of(*days: tuple[str, float]) -> pd.DataFrame:
    return pd.DataFrame(days, columns=["USUBJID", "NFRLT"])


@pytest.mark.parametrize(
    ("planned", "visits"),
    [
        # Two subjects on day 84, one on day 90 after an amendment: one visit.
        ([("A", 28), ("A", 84), ("B", 84), ("C", 28), ("C", 90)], [28, 84]),
        ([("A", 84), ("B", 90), ("C", 90)], [90]),
        ([("A", 84), ("B", 90)], [84]),
        # Farther apart than the window, or both in one schedule: two visits.
        ([("A", 84), ("B", 99)], [84, 99]),
        ([("A", 14), ("A", 28), ("B", 28)], [14, 28]),
        # A chain of days does not make all of them one.
        ([("A", 80), ("B", 90), ("C", 100)], [80, 100]),
    ],
)
def test_planned_days_of_two_schedules_are_one_visit(planned, visits):
    assert merge_schedules(planned_of(*planned), 14) == visits


def test_each_study_cohort_and_indication_has_its_own_schedule():
    groups = pd.DataFrame(
        {
            "STUDYID": ["S1", "S1", "S1", "S2"],
            "COHORT": ["1", "1", "2", "1"],
            "INDIC": ["ALL", "NHL", "ALL", "ALL"],
        },
        index=["A", "B", "C", "D"],
    )
    adrs = planned_of(("A", 28), ("B", 60), ("C", 90), ("D", 120)).assign(PARAMCD="OVR")
    found = plan_assessments(adrs, groups, TimeToEventSettings())
    assert found[["USUBJID", "DAY"]].to_numpy().tolist() == [
        *(["A", 28], ["B", 60], ["C", 90], ["D", 120]),
    ]
    none = plan_assessments(adrs.iloc[:0], groups, TimeToEventSettings())
    assert none.empty


def test_a_death_on_the_day_of_an_assessment_is_no_missed_one(study):
    tte = {"assessment_days": [28, 60, 90, 120]}
    study.options = {"efficacy": {"time_to_event": tte}}
    study.set("RS", 5, "RSSTRESC", "PR")
    row = study.repeat("RS", 5, {"RSSTRESC": "SD", "RSDTC": "2024-08-29"})
    study.set("DM", 2, "DTHDTC", "2024-08-29")
    study.set("DS", 2, "DSSTDTC", "2024-08-29")
    data = study.derive()
    found = data.datasets["ADTTE"].query("PARAMCD == 'PFS' and USUBJID == 'B'").iloc[0]
    assert tuple(found[["AVAL", "CNSRSN", "EVENTCD"]]) == (150, "", "DEATH")
    assert "ASSESSMENTSMISSED" not in set(data.findings["rule_id"])
    # Without it, two were missed before the death.
    study.tables["RS"] = study.tables["RS"].drop(index=row)
    assert endpoint(study, "PFS", "B")["CNSRSN"] == "CNSMISSED"

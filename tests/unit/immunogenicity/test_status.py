from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from antibody_courses import N, P, Visit, course, make_adab, make_adsl

from celldossier.immunogenicity.stage import summarise_immunogenicity
from celldossier.immunogenicity.status import derive_adim, derive_samples
from celldossier.results import AnalysisResults
from celldossier.settings.immunogenicity import ImmunogenicitySettings
from celldossier.stats.proportion import clopper_pearson

SETTINGS = ImmunogenicitySettings()


def status(*visits: Visit, settings: ImmunogenicitySettings = SETTINGS) -> pd.Series:
    adim = derive_adim(make_adab(course("A", *visits)), make_adsl(["A"]), settings)
    assert len(adim) == 1
    return adim.iloc[0]


@pytest.mark.parametrize(
    ("visits", "stat", "duration"),
    [
        ([(0, N, None), (28, N, None)], "NEGATIVE", ""),
        ([(0, N, None), (28, P, 20), (90, N, None)], "INDUCED", "INDETERMINATE"),
        ([(0, N, None), (28, P, 20), (90, P, 20), (180, N, None)], "INDUCED", "TRANSIENT"),
        ([(0, N, None), (28, P, 20), (60, P, 20), (139, N, None)], "INDUCED", "INDETERMINATE"),
        ([(0, N, None), (28, P, 20), (140, P, 20), (180, N, None)], "INDUCED", "PERSISTENT"),
        ([(0, N, None), (28, N, None), (90, P, 20)], "INDUCED", "INDETERMINATE"),
        ([(0, N, None), (28, P, 20), (90, P, 20)], "INDUCED", "INDETERMINATE"),
        ([(0, N, None), (28, P, 20), (90, N, None), (140, P, 20)], "INDUCED", "PERSISTENT"),
        ([(0, P, 20), (28, P, 80)], "BOOSTED", ""),
        ([(0, P, 20), (28, P, 40)], "NOT BOOSTED", ""),
        ([(0, P, 20), (28, N, None)], "NOT BOOSTED", ""),
        ([(0, P, None), (28, P, 40)], "UNDETERMINED", ""),
        ([(0, P, 20), (28, P, None), (90, P, 40)], "UNDETERMINED", ""),
        ([(0, P, 20), (28, P, None), (90, P, 160)], "BOOSTED", ""),
    ],
)
def test_status_follows_from_baseline_and_later_results(
    visits: list[Visit], stat: str, duration: str
) -> None:
    row = status(*visits)
    assert (row["ADASTAT"], row["ADADUR"], row["EVALFL"]) == (stat, duration, "Y")
    words_alone = [titre for _, _, titre in visits] == [None] * len(visits)
    reason = "CATEGORIC" if words_alone else "NOTITER"
    assert row["UNDRSN"] == (reason if stat == "UNDETERMINED" else "")


def test_sixteen_weeks_exactly_are_persistent() -> None:
    visits: list[Visit] = [(0, N, None), (28, P, 20), (28 + 112, P, 20), (300, N, None)]
    assert status(*visits)["ADADUR"] == "PERSISTENT"
    visits[2] = (28 + 111.9, P, 20)
    assert status(*visits)["ADADUR"] == "TRANSIENT"
    assert status(*visits, settings=ImmunogenicitySettings(persistent_weeks=8))["ADADUR"] == (
        "PERSISTENT"
    )


def test_steps_and_factor_of_the_dilution_that_are_a_boost_are_settings() -> None:
    visits: list[Visit] = [(0, P, 20), (28, P, 60)]
    for steps, factor, expected in ((1, 2, "BOOSTED"), (1, 3, "BOOSTED"), (2, 3, "NOT BOOSTED")):
        settings = ImmunogenicitySettings(boosted_steps=steps, dilution_factor=factor)
        assert status(*visits, settings=settings)["ADASTAT"] == expected


def readouts(*visits: tuple[float, str, float, str]) -> list[dict[str, Any]]:
    """A final result in words with a signal beside it."""
    rows: list[dict[str, Any]] = []
    for day, result, value, unit in visits:
        common = {"USUBJID": "A", "AFRLT": day, "ISCAT": "RESULT"}
        rows.append({**common, "AVALC": result})
        rows.append({**common, "AVALC": "VALUE", "AVAL": value, "AVALU": unit})
    return rows


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (readouts((0, P, 10, "MFI"), (28, P, 30, "MFI")), ("BOOSTED", "", "SIGNAL")),
        (readouts((0, P, 10, "MFI"), (28, P, 29, "MFI")), ("NOT BOOSTED", "", "SIGNAL")),
        (readouts((0, P, 10, "MFI"), (28, P, 90, "S/N")), ("UNDETERMINED", "NOTITER", "SIGNAL")),
        # An inhibition confirms; it is no amount, so that the readout is in words alone.
        (readouts((0, P, 20, "%"), (28, P, 90, "%")), ("UNDETERMINED", "CATEGORIC", "CATEGORY")),
    ],
)
def test_a_signal_has_a_fold_of_its_own_and_words_have_none(
    records: list[dict[str, Any]], expected: tuple[str, str, str]
) -> None:
    settings = ImmunogenicitySettings(signal_fold=3, boosted_steps=5)
    row = derive_adim(make_adab(records), make_adsl(["A"]), settings).iloc[0]
    assert (row["ADASTAT"], row["UNDRSN"], row["ADAREAD"]) == expected


def titre(day: float, text: str) -> list[dict[str, Any]]:
    """A titre of a series from 20 to 2560, as a laboratory writes it."""
    common = {"USUBJID": "A", "AFRLT": day, "ALLOQ": 20.0, "AULOQ": 2560.0, "AVALU": "titer"}
    number = float(text.strip("<>"))
    row = {**common, "ISCAT": "TITER", "AVALC": "TITER", "AVAL": None if "<" in text else number}
    row |= {"BLQFL": "Y" if "<" in text else "N", "ALQFL": "Y" if ">" in text else "N"}
    return [{"USUBJID": "A", "AFRLT": day, "ISCAT": "CONFIRMATORY", "AVALC": P}, row]


@pytest.mark.parametrize(
    ("before", "after", "expected", "reason"),
    [
        ("<20", "80", "BOOSTED", ""),
        ("<20", "40", "UNDETERMINED", "TITERLIM"),
        ("40", "<20", "NOT BOOSTED", ""),
        ("640", ">2560", "BOOSTED", ""),
        ("1280", ">2560", "UNDETERMINED", "TITERLIM"),
        (">2560", ">2560", "UNDETERMINED", "TITERLIM"),
        (">2560", "2560", "NOT BOOSTED", ""),
    ],
)
def test_a_titre_outside_its_series_decides_where_its_bound_does(
    before: str, after: str, expected: str, reason: str
) -> None:
    adab = make_adab([*titre(0, before), *titre(28, after)])
    row = derive_adim(adab, make_adsl(["A"]), SETTINGS).iloc[0]
    assert (row["ADASTAT"], row["UNDRSN"]) == (expected, reason)


def test_days_and_titres_of_the_course_are_kept() -> None:
    row = status((-1, P, 20), (28, P, 40), (90, P, 160), (180, N, None))
    assert (row["TITERBL"], row["TITERPK"], row["TITERU"]) == (20, 160, "titer")
    assert (row["ADAONDY"], row["ADALSTDY"], row["ADADURDY"]) == (28, 90, 62)
    # The titre of day 28 is one step above baseline, that of day 90 three.
    assert row["ADATEDY"] == 90
    assert (row["NPOSTBL"], row["NPOSTPOS"], row["NNOSTAT"]) == (3, 2, 0)


@pytest.mark.parametrize(
    ("visits", "onset"),
    [
        ([(0, N, None), (28, N, None), (90, P, 20)], 90),
        # Two steps of a two-fold dilution are reached on day 60, though day 28 was positive.
        ([(0, P, 20), (28, P, 40), (60, P, 80), (90, P, 640)], 60),
        ([(0, P, 20), (28, P, None), (60, P, 80)], 60),
        ([(0, P, 20), (28, P, 40)], math.nan),
        ([(0, N, None), (28, N, None)], math.nan),
    ],
)
def test_the_onset_of_emergent_antibodies_is_the_first_sample_that_makes_them(
    visits: list[Visit], onset: float
) -> None:
    assert status(*visits)["ADATEDY"] == pytest.approx(onset, nan_ok=True)


@pytest.mark.parametrize(
    ("visits", "reason"),
    [([(28, P, 20)], "NOADABASE"), ([(0, N, None)], "NOADAPOST")],
)
def test_without_a_baseline_or_a_later_result_there_is_no_status(
    visits: list[Visit], reason: str
) -> None:
    row = status(*visits)
    assert (row["EVALFL"], row["NEVALRSN"], row["ADASTAT"]) == ("N", reason, "")


def test_an_infused_subject_without_any_sample_has_a_row_with_its_reason() -> None:
    adab = make_adab(course("A", (0, N, None), (28, N, None)))
    adsl = make_adsl(["A", "B", "C"], SAFFL={"C": "N"})
    adim = derive_adim(adab, adsl, SETTINGS).set_index("USUBJID")
    assert list(adim.index) == ["A", "B"]
    assert adim.loc["B", "NEVALRSN"] == "NOADASAMP"


def test_a_subject_whom_a_decision_leaves_out_has_results_and_no_status() -> None:
    adab = make_adab(course("A", (0, N, None), (28, P, 80)))
    adsl = make_adsl(["A"], IMFL={"A": "N"}, NIMRSN={"A": "DECISION"})
    row = derive_adim(adab, adsl, SETTINGS).iloc[0]
    assert row[["EVALFL", "NEVALRSN", "ADASTAT"]].tolist() == ["N", "DECISION", ""]
    assert row["NPOSTPOS"] == 1


def test_a_positive_screen_without_confirmation_says_nothing() -> None:
    adab = make_adab(
        [
            *course("A", (0, N, None), (90, P, 20)),
            {"USUBJID": "A", "AFRLT": 28.0, "ISCAT": "SCREENING", "AVALC": P},
        ]
    )
    row = derive_adim(adab, make_adsl(["A"]), SETTINGS).iloc[0]
    assert (row["NPOSTBL"], row["NNOSTAT"], row["ADAONDY"]) == (1, 1, 90)


def test_a_positive_screen_counts_where_the_assay_has_no_confirmatory_tier() -> None:
    adab = make_adab(
        [
            {"USUBJID": "A", "AFRLT": 0.0, "ISCAT": "SCREENING", "AVALC": N},
            {"USUBJID": "A", "AFRLT": 28.0, "ISCAT": "SCREENING", "AVALC": P},
        ]
    )
    assert derive_adim(adab, make_adsl(["A"]), SETTINGS).iloc[0]["ADASTAT"] == "INDUCED"


def test_the_confirmatory_tier_overrules_the_screen_and_the_result_both() -> None:
    tiers = [("SCREENING", P), ("CONFIRMATORY", N)]
    rows = [{"USUBJID": "A", "AFRLT": 28.0, "ISCAT": c, "AVALC": v} for c, v in tiers]
    assert derive_samples(make_adab(rows))["STATUS"].tolist() == [N]
    rows.append({"USUBJID": "A", "AFRLT": 28.0, "ISCAT": "RESULT", "AVALC": P})
    assert derive_samples(make_adab(rows))["STATUS"].tolist() == [P]


def test_a_titre_alone_makes_a_sample_positive() -> None:
    rows = [
        {
            "USUBJID": "A",
            "AFRLT": 28.0,
            "ISCAT": "TITER",
            "AVALC": "TITER",
            "AVAL": 40.0,
            "AVALU": "titer",
        }
    ]
    sample = derive_samples(make_adab(rows)).iloc[0]
    assert (sample["STATUS"], sample["TITER"], sample["TITERU"]) == (P, 40, "titer")


def test_each_rate_has_its_own_denominator_and_exact_interval_total_and_by_dose() -> None:
    records = [
        *course("A", (0, N, None), (28, N, None)),
        *course("B", (0, N, None), (28, P, 20)),
        *course("C", (0, P, 20), (28, P, 80)),
        *course("D", (0, P, 20), (28, P, 20)),
        *course("E", (0, N, None)),
    ]
    adsl = make_adsl(list("ABCDEF"), TRT01A={"A": "DL2", "B": "DL2"})
    output = summarise_immunogenicity(make_adab(records), adsl, SETTINGS)
    values = AnalysisResults([output.results])

    def number(variable: str, stat: str, **by: str) -> float:
        found = values.find("immunogenicity.incidence", variable, "CAR", by, stat)
        assert found is not None
        return found.number

    assert (number("EVALUABLE", "n"), number("EVALUABLE", "n_infused")) == (4, 6)
    shares = {
        "PREVALENCE": (3, 4),
        "BASELINE_POSITIVE": (2, 4),
        "TREATMENT_INDUCED": (1, 2),
        "TREATMENT_BOOSTED": (1, 2),
        "TREATMENT_EMERGENT": (2, 4),
        "NOT_BOOSTED": (1, 2),
        "NEGATIVE": (1, 4),
        "UNDETERMINED": (0, 2),
        "PERSISTENT": (0, 1),
        "TRANSIENT": (0, 1),
        "INDETERMINATE": (1, 1),
        "POSITIVE_AT_END": (1, 1),
    }
    for variable, (count, of) in shares.items():
        assert (number(variable, "n"), number(variable, "denominator")) == (count, of)
        low, high = clopper_pearson(count, of)
        assert number(variable, "pct") == 100 * count / of
        assert number(variable, "ci_low") == pytest.approx(100 * low)
        assert number(variable, "ci_high") == pytest.approx(100 * high)
    # A and B of DL2 are both negative at baseline: nobody there can be boosted.
    assert number("TREATMENT_INDUCED", "pct", dose="DL2") == 50
    assert number("TREATMENT_BOOSTED", "denominator", dose="DL2") == 0
    assert math.isnan(number("TREATMENT_BOOSTED", "pct", dose="DL2"))
    for reason in ("NOADAPOST", "NOADASAMP"):
        found = values.find(
            "immunogenicity.not_evaluable", "EVALFL", "CAR", {"reason": reason}, "n"
        )
        assert found is not None and found.number == 1


def test_targets_are_judged_on_their_own() -> None:
    records = course("A", (0, N, None), (28, P, 20))
    other = [{**r, "ISBDAGNT": "EGFRt"} for r in course("A", (0, N, None), (28, N, None))]
    adim = derive_adim(make_adab([*records, *other]), make_adsl(["A"]), SETTINGS)
    assert dict(zip(adim["ISBDAGNT"], adim["ADASTAT"], strict=True)) == {
        "CAR": "INDUCED",
        "EGFRt": "NEGATIVE",
    }


def test_no_evaluable_subject_gives_reasons_not_rates() -> None:
    output = summarise_immunogenicity(
        make_adab(course("A", (0, N, None))), make_adsl(["A"]), SETTINGS
    )
    found = AnalysisResults([output.results]).find(
        "immunogenicity.incidence", "PREVALENCE", "CAR", {}, "pct"
    )
    assert found is not None and math.isnan(found.number) and found.note_code == "NOGROUP"


def test_a_study_without_samples_gives_empty_datasets() -> None:
    adab = make_adab(course("A", (0, N, None))).iloc[:0]
    output = summarise_immunogenicity(adab, make_adsl(["A"]), SETTINGS)
    assert output.adim.empty and output.results.empty


def neutralising(subject: str, day: float, result: str) -> dict[str, Any]:
    return {
        "USUBJID": subject, "AFRLT": day, "ISCAT": "RESULT", "AVALC": result, "PARAMCD": "ADA_NAB",
    }  # fmt: skip


def test_neutralising_antibodies_are_counted_among_the_positive_who_were_tested() -> None:
    records = [
        *course("A", (0, N, None), (28, P, 20)),
        *course("B", (0, N, None), (28, P, 20)),
        *course("C", (0, N, None), (28, P, 20)),
        *course("D", (0, N, None), (28, N, None)),
        neutralising("A", 0.0, N),
        neutralising("A", 28.0, P),
        neutralising("B", 28.0, N),
        # D is negative: a result of it is none of ADA-positive subjects.
        neutralising("D", 28.0, P),
    ]
    adab, adsl = make_adab(records), make_adsl(list("ABCD"))
    settings = ImmunogenicitySettings(neutralising_tests=("ADA_NAB",))
    output = summarise_immunogenicity(adab, adsl, settings)
    status = output.adim.set_index("USUBJID")
    assert status["NABFL"].to_dict() == {"A": "Y", "B": "N", "C": "", "D": ""}
    assert status["NABRSN"].to_dict() == {"A": "", "B": "", "C": "NABNORES", "D": "NABNOPOS"}
    assert status["ADASTAT"].to_dict() == {
        "A": "INDUCED", "B": "INDUCED", "C": "INDUCED", "D": "NEGATIVE",
    }  # fmt: skip
    values = AnalysisResults([output.results])
    place = ("immunogenicity.incidence", "NEUTRALISING", "CAR", {})
    assert [values.find(*place, stat).number for stat in ("n", "denominator")] == [1, 2]


def test_a_neutralising_result_before_the_infusion_says_nothing_of_what_came_after() -> None:
    rows = [
        *course("A", (0, P, 20), (28, P, 20)),
        *(
            {"USUBJID": "A", "AFRLT": day, "ISCAT": "RESULT", "AVALC": word, "PARAMCD": "ADA_NAB"}
            for day, word in ((0.0, P), (28.0, N))
        ),
    ]
    settings = ImmunogenicitySettings(neutralising_tests=("ADA_NAB",))
    row = derive_adim(make_adab(rows), make_adsl(["A"]), settings).iloc[0]
    assert (row["ADAPOSFL"], row["NABFL"], row["NABRSN"]) == ("Y", "N", "")


def test_a_study_without_neutralising_tests_says_that_they_were_not_collected() -> None:
    adab = make_adab(course("A", (0, N, None), (28, P, 20)))
    output = summarise_immunogenicity(adab, make_adsl(["A"]), SETTINGS)
    assert output.adim["NABRSN"].tolist() == ["NABNOTCO"]
    values = AnalysisResults([output.results])
    for stat in ("n", "denominator", "pct", "ci_low", "ci_high"):
        found = values.find("immunogenicity.incidence", "NEUTRALISING", "CAR", {}, stat)
        assert found is not None and math.isnan(found.number) and found.note_code == "NABNOTCO"


def test_onset_duration_and_titres_are_described_by_status() -> None:
    records = [
        *course("A", (0, N, None), (28, P, 20), (90, P, 80)),
        *course("B", (0, N, None), (30, P, 40)),
        *course("C", (0, P, 20), (28, P, 160)),
    ]
    output = summarise_immunogenicity(make_adab(records), make_adsl(list("ABC")), SETTINGS)
    values = AnalysisResults([output.results])
    expected = {
        ("course", "ADAONDY", "INDUCED"): 29,
        ("course", "ADADURDY", "INDUCED"): 31,
        ("titre", "TITERPK", "INDUCED"): 60,
        ("titre", "TITERBL", "BOOSTED"): 20,
        ("titre", "TITERPK", "BOOSTED"): 160,
    }
    for (analysis, variable, status_), median in expected.items():
        place = (f"immunogenicity.{analysis}", variable, "CAR", {"status": status_})
        found = values.find(*place, "median")
        assert found is not None and found.number == median, variable

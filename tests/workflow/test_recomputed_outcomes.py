"""Antibodies, grades, response and survival of the example study, counted again from the raw files.

As in test_recomputed_kinetics.py nothing of the package is imported.
"""

from __future__ import annotations

import math

import pandas as pd
import pytest
from plain_study import ORDER, RESPONDERS, days, kaplan_meier, last_seen
from scipy import stats


def test_antibody_incidence_and_its_exact_interval_agree_with_a_count_of_the_raw_results(
    raw, infusion, result
) -> None:
    tests = raw("is")
    tests = tests[tests["USUBJID"].isin(infusion.index) & (tests["ISCAT"] != "CELLULAR")]
    tests = tests.assign(
        day=[
            days(t, infusion.at[s, "zero"])
            for s, t in zip(tests["USUBJID"], tests["ISDTC"], strict=True)
        ]
    )
    counts = dict.fromkeys(["EVALUABLE", "BASELINE", "INDUCED", "BOOSTED"], 0)
    for _, rows in tests.groupby("USUBJID"):
        tiers = {
            day: dict(zip(sample["ISCAT"], sample["ISORRES"], strict=True))
            for day, sample in rows.groupby("day")
        }
        before = [tiers[day] for day in sorted(tiers) if day <= 0]
        later = [tiers[day] for day in sorted(tiers) if day > 0]
        if not before or not later:
            continue
        counts["EVALUABLE"] += 1
        positive = [tier for tier in later if tier.get("CONFIRMATORY") == "POSITIVE"]
        if before[-1].get("CONFIRMATORY") == "POSITIVE":
            counts["BASELINE"] += 1
            fold = [float(tier["TITER"]) / float(before[-1]["TITER"]) for tier in positive]
            counts["BOOSTED"] += max(fold, default=0) >= 4
        else:
            counts["INDUCED"] += bool(positive)
    counts["EMERGENT"] = counts["INDUCED"] + counts["BOOSTED"]
    # Induced could be only those negative before, boosted only those positive before.
    of = {"INDUCED": counts["EVALUABLE"] - counts["BASELINE"], "BOOSTED": counts["BASELINE"]}
    names = {"BASELINE": "BASELINE_POSITIVE", **{
        name: f"TREATMENT_{name}" for name in ("INDUCED", "BOOSTED", "EMERGENT")
    }}  # fmt: skip
    for name, variable in names.items():
        n = of.get(name, counts["EVALUABLE"])
        found = result("immunogenicity", "incidence", variable)
        interval = stats.binomtest(counts[name], n).proportion_ci(method="exact")
        assert (found["n"], found["denominator"]) == (counts[name], n)
        limits = [found["pct"], found["ci_low"], found["ci_high"]]
        expected = [counts[name] / n, interval.low, interval.high]
        assert limits == pytest.approx([100 * x for x in expected], rel=1e-9)


def test_cellular_responders_agree_with_a_count_of_the_raw_readouts(raw, infusion, result) -> None:
    tests = raw("is")
    tests = tests[tests["USUBJID"].isin(infusion.index) & (tests["ISCAT"] == "CELLULAR")]
    assert set(tests["ISTESTCD"]) == {"ELISPOT"}
    responders: dict[str, bool] = {}
    first: list[float] = []
    by_day: dict[float, list[bool]] = {}
    for subject, rows in tests.groupby("USUBJID"):
        zero = infusion.at[subject, "zero"]
        course = sorted(
            (days(time, zero), float(planned), float(readout))
            for time, planned, readout in zip(
                rows["ISDTC"], rows["ISTPTNUM"], rows["ISORRES"], strict=True
            )
        )
        before = [readout for day, _, readout in course if day <= 0]
        later = [row for row in course if row[0] > 0]
        if not before or not later:
            continue
        # Three times the subject's own baseline and 50 spots above it, both.
        limit = max(3 * before[-1], before[-1] + 50)
        shown = [readout >= limit for _, _, readout in later]
        responders[subject] = any(shown)
        first += [day for (day, _, _), yes in zip(later, shown, strict=True) if yes][:1]
        for (_, planned, _), yes in zip(later, shown, strict=True):
            by_day.setdefault(planned, []).append(yes)
    # Both sides are there, or the count would say nothing.
    assert 5 < sum(responders.values()) < len(responders) - 5

    def agrees(flags: list[bool], found: dict[str, float]) -> None:
        events, n = sum(flags), len(flags)
        interval = stats.binomtest(events, n).proportion_ci(method="exact")
        assert (found["n"], found["denominator"]) == (events, n)
        expected = [100 * events / n, 100 * interval.low, 100 * interval.high]
        assert [found[name] for name in ("pct", "ci_low", "ci_high")] == pytest.approx(expected)

    flags = list(responders.values())
    agrees(flags, result("immunogenicity", "cellular_incidence", "AFTER", test="ELISPOT"))
    counted = result("immunogenicity", "cellular_evaluable", "AFTER", test="ELISPOT")
    assert (counted["n"], counted["n_infused"]) == (len(responders), len(infusion))
    onset = result("immunogenicity", "cellular_onset", "FIRSTDY", test="ELISPOT")
    assert onset["n"] == len(first)
    assert onset["median"] == pytest.approx(pd.Series(first).median(), abs=1e-4)
    assert set(by_day) == {28, 90, 180}
    for day, own in by_day.items():
        place = {"test": "ELISPOT", "time": f"{day:g}"}
        agrees(own, result("immunogenicity", "cellular_course", "RESPONSE", **place))


def test_worst_grades_agree_with_a_count_of_the_raw_events(grades, dataset) -> None:
    ader = dataset("ADER").set_index("USUBJID")
    assert set(grades["CRS"]) >= {0.0, 1.0, 2.0, 3.0}
    assert ader["CRSGR"].tolist() == grades["CRS"].reindex(ader.index).tolist()
    assert ader["ICANSGR"].tolist() == grades["ICANS"].reindex(ader.index).tolist()


@pytest.fixture(scope="module")
def indication(raw, infusion) -> pd.Series:
    return raw("dm").set_index("USUBJID")["INDIC"].reindex(infusion.index)


def test_best_response_and_its_rates_agree_with_a_count_of_the_raw_assessments(
    assessments, new_therapy, indication, result
) -> None:
    best = {}
    for subject, course in assessments.items():
        progressed = min((day for day, name in course if name == "PD"), default=math.inf)
        end = min(progressed, new_therapy.get(subject, math.inf))
        names = [name for day, name in course if day <= end]
        best[subject] = min(names, key=ORDER.index) if names else ""
    best = pd.Series(best).reindex(indication.index)
    criteria = {"ALL": "ALL", "NHL": "LUGANO2014"}
    for name, vocabulary in criteria.items():
        own = best[indication == name]
        for category in sorted(set(own) - {""}):
            found = result(
                "study_data", "best_response", vocabulary, indication=name, category=category
            )
            assert found["n"] == (own == category).sum()
            assert found["pct"] == pytest.approx(100 * (own == category).mean())
        unknown = result(
            "study_data", "best_response_unknown", "BOR", indication=name, reason="NOASSESS"
        )
        assert unknown["n"] == (own == "").sum() > 0
    for by, own in (({}, best), *(({"indication": n}, best[indication == n]) for n in criteria)):
        known = own[~own.isin(["", "NE"])]
        for variable, names in (("ORR", RESPONDERS), ("CR", ["CR"])):
            for denominator, size in (("INFUSED", len(own)), ("EVALUABLE", len(known))):
                found = result(
                    "study_data", "response_rate", variable, denominator=denominator, **by
                )
                events = int(own.isin(names).sum())
                limits = stats.binomtest(events, size).proportion_ci(method="exact")
                expected = [events, size, 100 * events / size, 100 * limits.low, 100 * limits.high]
                names_of = ("n", "denominator", "pct", "ci_low", "ci_high")
                assert [found[stat] for stat in names_of] == pytest.approx(expected)


def test_survival_events_and_medians_agree_with_a_count_of_the_raw_dates(
    raw, infusion, assessments, new_therapy, indication, result
) -> None:
    dm = raw("dm").set_index("USUBJID")
    death = {
        subject: int(days(dm.at[subject, "DTHDTC"][:10], zero))
        for subject, zero in infusion["zero"].items()
        if dm.at[subject, "DTHDTC"]
    }
    alive = last_seen(raw)
    ex = raw("ex")
    cells = ex[ex["EXCAT"] == "CELL PRODUCT"].sort_values("EXSTDTC", kind="stable")
    # Retreatments and an unplanned infusion: what comes after them is not of the first course.
    second = cells[cells["USUBJID"].duplicated()].drop_duplicates("USUBJID")
    again = {
        row["USUBJID"]: days(row["EXSTDTC"][:10], infusion.at[row["USUBJID"], "zero"])
        for row in second.to_dict("records")
    }
    assert len(again) == 3
    month = 365.25 / 12
    courses: dict[str, dict[str, tuple[float, bool]]] = {"OS": {}, "PFS": {}, "DOR": {}}
    for subject, course in assessments.items():
        zero = infusion.at[subject, "zero"]
        last = days(alive[subject], zero)
        courses["OS"][subject] = (death.get(subject, last), subject in death)
        adequate = [(day, name) for day, name in course if name != "NE"]
        therapy = min(new_therapy.get(subject, math.inf), again.get(subject, math.inf))
        answers = [d for d, name in adequate if name in RESPONDERS and d <= therapy]
        progressed = min((d for d, name in adequate if name == "PD"), default=math.inf)
        event = min(progressed, death.get(subject, math.inf))
        # New therapy before the event: censored at the last assessment up to it.
        until = [0, *(day for day, _ in adequate if day <= min(therapy, event))]
        occurred = event <= therapy and event < math.inf
        courses["PFS"][subject] = (event if occurred else max(until), occurred)
        first = min((d for d in answers if d <= progressed), default=math.inf)
        if first < math.inf:
            time, happened = courses["PFS"][subject]
            courses["DOR"][subject] = (time - first, happened)
    assert (len(courses["PFS"]), len(courses["DOR"])) == (120, 67)
    for endpoint, rows in courses.items():
        for by in ({}, {"indication": "ALL"}, {"indication": "NHL"}):
            own = [
                row
                for subject, row in rows.items()
                if not by or indication[subject] == by["indication"]
            ]
            found = result("study_data", "time_to_event", endpoint, **by)
            events = sum(event for _, event in own)
            assert (found["n"], found["n_events"]) == (len(own), events), (endpoint, by)
            assert found["n_censored"] == len(own) - events
            in_months = [(time / month, event) for time, event in own]
            median, survival, risk = kaplan_meier(in_months, 6)
            printed = result("study_data", "time_to_event_median", endpoint, **by)["median"]
            assert printed == pytest.approx(median, nan_ok=True), (endpoint, by)
            at = result("study_data", "time_to_event_landmark", endpoint, time="6", **by)
            assert at["survival"] == pytest.approx(100 * survival), (endpoint, by)
            assert at["n_at_risk"] == risk
    deaths = result("study_data", "time_to_event_events", "OS", event="DEATH")
    assert deaths["n"] == len(death) == 46

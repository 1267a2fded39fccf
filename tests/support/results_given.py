"""Analysis results of the study data, the doses and antibodies, as their stages give them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from cut_points_given import add_cut_points
from outcome_results import add_responses, add_times
from products_given import make_products_given

from celldossier.datasets import conform, empty_dataset
from celldossier.results import ResultCollector
from celldossier.stats.descriptive import describe

DOSES = ({}, {"dose": "DL1"}, {"dose": "DL2"})


def add_block(
    out: ResultCollector,
    analysis: str,
    values: Iterable[float],
    *,
    reason: str = "NOVALUE",
    extra: Mapping[str, float] | None = None,
    **place: Any,
) -> None:
    """Add a descriptive block, as the stages do: missing statistics carry a reason."""
    data = list(values)
    block: dict[str, float | str] = dict(describe(data))
    notes = {stat: reason for stat, value in block.items() if math.isnan(float(value))}
    if 0 < len(data) < 3:
        block["values"] = "; ".join(f"{value:.6g}" for value in data)
    out.add(
        analysis,
        {**block, **(extra or {})},
        dataset="ADPP",
        n=float(len(data)),
        notes=notes,
        **place,
    )


def study_data_results() -> pd.DataFrame:
    out = ResultCollector("study_data")
    for name in ("ENROLLED", "MANUFACTURED", "INFUSED", "CK"):
        for by, n in zip(DOSES, (10, 4, 6), strict=True):
            count = n - (name == "CK")
            out.add(
                "populations",
                {"n": count, "pct": 100 * count / n},
                dataset="ADSL",
                by={"population": name, **by},
                n=count,
            )
    for reason, n in (("NOCK", 1), ("<b>own words</b>", 2)):
        out.add(
            "population_reasons",
            {"n": n},
            dataset="ADSL",
            by={"population": "CK", "reason": reason},
        )
    ages = ([12, 30, 45, 64, 70], [12, 70], [30, 45, 64])
    for by, known, missing in zip(DOSES, ages, (5.0, 2.0, 3.0), strict=True):
        extra = {"n_missing": missing}
        add_block(
            out, "demographics", known, variable="AGE", by=dict(by), unit="years", extra=extra
        )
        for sex in ("F", "M"):
            out.add(
                "demographics",
                {"n": 2, "pct": 40.0},
                dataset="ADSL",
                variable="SEX",
                by={"level": sex, **by},
            )
        for group in ("18-64", "<18", ">=65"):
            out.add(
                "demographics",
                {"n": 1, "pct": 20.0},
                dataset="ADSL",
                variable="AGEGR1",
                by={"level": group, **by},
            )
        add_block(
            out,
            "demographics",
            [1200, 2400, 3600],
            variable="TBURDBL",
            by={"indication": "NHL", **by},
            unit="mm2",
        )
    for by, n in zip(DOSES, (2, 0, 2), strict=True):
        add_events(out, dict(by), n)
    add_responses(out, "ALL", "LUGANO2014", **dict.fromkeys(("CR", "PR", "SD", "PD", "NE"), 1))
    for endpoint in ("OS", "DOR", "BCREC"):
        add_times(out, endpoint, {"indication": "ALL"})
        add_times(out, endpoint, {})
    return pd.concat([out.frame(), make_products_given().summarise()], ignore_index=True)


def add_events(out: ResultCollector, by: Mapping[str, str], n: int) -> None:
    """Add CRS of some of six subjects, all of grade 3, and no ICANS."""
    for event, count in (("ICANS", 0), ("CRS", n)):
        counts = {"n": count, "pct": 100 * count / 6, "n_infused": 6, "n_episodes": count}
        out.add("special_interest", counts, dataset="ADAESI", variable=event, by=by, n=count)
    if not n:
        return
    place = {"dataset": "ADAESI", "variable": "CRS"}
    for grade in ("1", "2", "3", "4", "5", "UNKNOWN"):
        share = {"n": n * (grade == "3"), "pct": 100 / 3 * (grade == "3")}
        out.add("special_interest_grade", share, by={**by, "grade": grade}, **place)
    onset = {"n": n, "median": 2.5, "min": 1, "max": 4}
    out.add("special_interest_onset", onset, by=by, **place)
    unknown = {"n": 0, "median": math.nan, "min": math.nan, "max": math.nan, "n_ongoing": 2}
    notes = dict.fromkeys(("median", "min", "max"), "NOVALUE")
    out.add("special_interest_duration", unknown, by=by, notes=notes, **place)
    for treatment in ("TOCILIZUMAB", "STEROID", "ANAKINRA", "SILTUXIMAB"):
        given = {"n": n * (treatment == "STEROID"), "pct": 100.0 * (treatment == "STEROID")}
        out.add("special_interest_treatment", given, by={**by, "treatment": treatment}, **place)


def dose_results() -> pd.DataFrame:
    out = ResultCollector("dose_exploration")
    for by in DOSES:
        add_block(out, "dose", [40, 50, 60], variable="DOSEA", by=dict(by), unit="10^6 cells")
        add_block(out, "dose", [], variable="DOSETOT", by=dict(by), reason="NOTCOLL")
        out.add(
            "dose",
            {"n_inwindow": 2, "pct_inwindow": 66.7, "n_outwindow": 1, "n_nowindow": 0},
            dataset="ADEX",
            variable="INWINFL",
            by=dict(by),
        )
    return out.frame()


ADA_STATUSES = (
    "BASELINE_POSITIVE", "PREVALENCE", "TREATMENT_EMERGENT", "TREATMENT_INDUCED",
    "TREATMENT_BOOSTED", "NOT_BOOSTED", "PERSISTENT", "TRANSIENT",
    "INDETERMINATE", "POSITIVE_AT_END", "NEUTRALISING", "NEGATIVE", "UNDETERMINED",
)  # fmt: skip


def immunogenicity_results(target: str = "CAR") -> pd.DataFrame:
    out = ResultCollector("immunogenicity")
    for by in DOSES:
        common = {"dataset": "ADIM", "analyte": target, "by": dict(by)}
        out.add("incidence", {"n": 9.0, "n_infused": 10.0}, variable="EVALUABLE", n=10.0, **common)
        for status in ADA_STATUSES:
            out.add(
                "incidence",
                {"n": 1.0, "denominator": 9.0, "pct": 11.1, "ci_low": 0.3, "ci_high": 48.2},
                variable=status,
                n=9.0,
                **common,
            )
    out.add(
        "not_evaluable",
        {"n": 1.0},
        dataset="ADIM",
        variable="EVALFL",
        analyte=target,
        by={"reason": "NOADAPOST"},
    )
    add_cut_points(out, target)
    return out.frame()


def adim(subjects: int) -> pd.DataFrame:
    rows = [
        {
            "STUDYID": "S",
            "USUBJID": f"S-{number:03d}",
            "TRT01A": "DL1",
            "ISBDAGNT": "CAR",
            "EVALFL": "Y",
            "ADASTAT": "INDUCED",
            "ADAONDY": 28.25,
            "NPOSTBL": 4,
            "NPOSTPOS": 2,
            "NNOSTAT": 0,
        }
        for number in range(subjects)
    ]
    return conform(pd.DataFrame(rows), "ADIM") if rows else empty_dataset("ADIM")


def exclusions(subjects: int) -> pd.DataFrame:
    """One record of each subject that was not used."""
    names = [f"S-{number:03d}" for number in range(1, subjects + 1)]
    frame = pd.DataFrame({"subject": names, "row": range(1, subjects + 1)})
    return conform(frame.assign(domain="PC", file="pc.csv", reason="NOTDONE"), "EXCLUSIONS")

"""Response, CRS, ICANS and markers before and after the change: side by side, without a verdict."""

from __future__ import annotations

import math

import pandas as pd

from celldossier.comparability.groups import KEY
from celldossier.comparability.study import Study
from celldossier.results import (
    SHARE_UNITS,
    ResultCollector,
    add_block,
    describe_share,
    explain_missing,
)
from celldossier.settings.comparability import MarkerParameter
from celldossier.stats.ratio import estimate_ratio
from celldossier.stats.risk_contrast import estimate_risk_difference, estimate_risk_ratio

RESPONSE = "RESPONSE"
EVENTS = {"CRS": 1, "CRSGE3": 3, "ICANS": 1, "ICANSGE3": 3}
"""Events and the lowest grade that counts; the event is the name without its grade."""


def read_outcomes(study: Study) -> dict[str, pd.Series]:
    """Each outcome of each subject, in the rows of the subjects: 1, 0, or NaN where not evaluable.

    Response: best overall response of the efficacy set. Events: of all infused subjects; NaN for
    all where no adverse event was collected.
    """
    sources, subjects = study.sources, study.subjects
    places = pd.MultiIndex.from_frame(subjects[KEY])
    best = sources.adrs.loc[sources.adrs["PARAMCD"] == "BOR"].drop_duplicates(KEY)
    response = best.set_index(KEY)["RESPFL"].reindex(places).reset_index(drop=True)
    known = response.isin(["Y", "N"]) & (subjects["EFFFL"] == "Y")
    found = {RESPONSE: (response == "Y").astype(float).where(known)}
    events = sources.adaesi
    collected = len(sources.adae) > 0 or len(events) > 0
    for name, grade in EVENTS.items():
        rows = events.loc[events["AESI"] == name.removesuffix("GE3")]
        if grade > 1:
            rows = rows.loc[rows["ATOXGRN"] >= grade]
        having = places.isin(pd.MultiIndex.from_frame(rows[KEY])).astype(float)
        found[name] = pd.Series(having if collected else math.nan, index=subjects.index)
    return found


def summarise_outcomes(study: Study, out: ResultCollector) -> None:
    """Add `outcome` (each group) and `risk` (each group after the change)."""
    settings, group = study.settings, study.subjects["GROUP"]
    for name, flags in read_outcomes(study).items():
        absent = "NOTCOLL" if flags.isna().all() else "NOGROUP"
        dataset = "ADRS" if name == RESPONSE else "ADAESI"
        where = "EFFFL = Y, PARAMCD = BOR" if name == RESPONSE else "SAFFL = Y"
        counts = {}
        for level in study.groups:
            own = flags[group == level].dropna()
            counts[level] = (int(own.sum()), len(own))
            share = describe_share(*counts[level], settings.confidence_level)
            out.add(
                "outcome",
                share,
                dataset=dataset,
                variable=name,
                by={"group": level},
                where=where,
                units=SHARE_UNITS,
                n=share["denominator"],
                method="Clopper-Pearson",
                notes=explain_missing(share, absent),
            )
        for level in study.changed:
            given = (*counts[level], *counts[study.reference])
            difference = estimate_risk_difference(*given, settings.confidence_level)
            ratio = estimate_risk_ratio(*given, settings.confidence_level)
            statistics = {
                "n_test": float(given[1]),
                "n_reference": float(given[3]),
                "rd": 100 * difference.estimate,
                "rd_low": 100 * difference.low,
                "rd_high": 100 * difference.high,
                "rr": ratio.estimate,
                "rr_low": ratio.low,
                "rr_high": ratio.high,
            }
            of_ratio = absent if ratio.reason == "NOGROUP" else ratio.reason
            out.add(
                "risk",
                statistics,
                dataset=dataset,
                variable=name,
                by={"group": level},
                where=where,
                units=dict.fromkeys(("rd", "rd_low", "rd_high"), "%"),
                n=float(given[1] + given[3]),
                method="difference: Newcombe; ratio: Miettinen and Nurminen",
                notes=explain_missing(
                    statistics, absent, **dict.fromkeys(("rr", "rr_low", "rr_high"), of_ratio)
                ),
            )


def summarise_markers(study: Study, out: ResultCollector) -> None:
    """Add `marker` (each group) and `marker_ratio` (each group after the change)."""
    for marker in study.settings.markers:
        for specimen in _list_specimens(study, marker):
            _add_marker(study, out, marker, specimen)


def _rows(study: Study, marker: MarkerParameter) -> pd.DataFrame:
    adpdp = study.sources.adpdp
    rows: pd.DataFrame = adpdp.loc[
        (adpdp["PARCAT1"] == marker.analyte) & (adpdp["PARAMCD"] == marker.parameter)
    ]
    return rows.loc[rows["ASPEC"] == marker.specimen] if marker.specimen else rows


def _list_specimens(study: Study, marker: MarkerParameter) -> list[str]:
    """Specimens of a marker, each compared by itself; the one that the settings name always."""
    return [marker.specimen] if marker.specimen else sorted(set(_rows(study, marker)["ASPEC"]))


def _add_marker(study: Study, out: ResultCollector, marker: MarkerParameter, specimen: str) -> None:
    """A parameter of a marker in one specimen; at several locations the first by name."""
    rows = _rows(study, marker)
    rows = rows.loc[rows["ASPEC"] == specimen].sort_values([*KEY, "ALOC"]).drop_duplicates(KEY)
    places = pd.MultiIndex.from_frame(study.subjects[KEY])
    found = rows.set_index(KEY)["AVAL"].reindex(places).to_numpy(dtype=float)
    values = pd.Series(found, index=study.subjects.index)
    known = rows.loc[rows["AVAL"].notna(), "AVALU"]
    unit = str(known.iloc[0]) if len(known) else ""
    group, settings = study.subjects["GROUP"], study.settings
    by = {"parameter": marker.parameter, "specimen": specimen or "MISSING"}
    where = f"SAFFL = Y, ASPEC = {specimen}"
    for level in study.groups:
        add_block(
            out,
            "marker",
            values[group == level],
            dataset="ADPDP",
            variable=marker.analyte,
            by={**by, "group": level},
            where=where,
            unit=unit,
            of_positive=True,
        )
    for level in study.changed:
        ratio = estimate_ratio(
            values[group == level], values[group == study.reference], settings.equivalence_level
        )
        few = min(ratio.n_test, ratio.n_reference) < settings.min_per_group
        statistics = {
            "n_test": float(ratio.n_test),
            "n_reference": float(ratio.n_reference),
            "gmr": math.nan if few else ratio.ratio,
            "gmr_low": math.nan if few else ratio.low,
            "gmr_high": math.nan if few else ratio.high,
        }
        out.add(
            "marker_ratio",
            statistics,
            dataset="ADPDP",
            variable=marker.analyte,
            by={**by, "group": level},
            where=where,
            n=float(ratio.n_test + ratio.n_reference),
            method="Welch t interval on ln",
            notes=explain_missing(statistics, "FEWSUBJ" if few else ratio.reason or "NOVALUE"),
        )

"""Vector and expression of a gene-modified product, and its long-term follow-up (clause S8.5-1).

Persistence (last quantifiable time, Kaplan-Meier) stands in the results of the kinetics and is
not computed a second time.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.results import ResultCollector, add_block, explain_missing
from celldossier.special_considerations.groups import add_rate
from celldossier.special_considerations.study import KEY, Study
from celldossier.stats.proportion import clopper_pearson
from celldossier.stats.rank_correlation import estimate_rank_correlation
from celldossier.terms.study_terms import DAYS_PER_YEAR

LOT_ATTRIBUTES = {"VCN": "copies/cell", "TRANSPCT": "%"}
"""Attributes of the lots that tell of the gene (ADPQ, ADSL), with their units."""

SECONDARY = "SECONDMALIG"
"""Event of special interest (ADAESI.AESI); its terms are those of the settings of study_data."""

POSITIVE = ("POSITIVE", "DETECTED")
"""Results that say that a replication-competent virus or a dominant clone was found."""

NEGATIVE = ("NEGATIVE", "NOT DETECTED", "UNDETECTED")
"""Results that say that it was not; another word or a number says neither."""

BLOOD = "BLOOD"


def summarise_gene_modification(study: Study, out: ResultCollector) -> None:
    """Add `lot_attribute`, `lot_correlation`, `expression`, `vector_test` and `follow_up`."""
    _add_lots(study, out)
    _add_expression(study, out)
    _add_vector_tests(study, out)
    _add_follow_up(study, out)


def _add_lots(study: Study, out: ResultCollector) -> None:
    """Copy number and transduction of the infused lots, and their correlation with exposure."""
    lots = study.sources.adpq
    infused = lots.loc[lots["INFUSFL"] == "Y"]
    for name, unit in LOT_ATTRIBUTES.items():
        add_block(
            out,
            "lot_attribute",
            infused[name],
            dataset="ADPQ",
            variable=name,
            where="INFUSFL = Y",
            unit=unit,
            absent="NOTCOLL",
        )
        for metric in study.settings.metrics:
            values = study.subjects[name]
            found = estimate_rank_correlation(
                values, study.subjects[metric], study.settings.confidence_level
            )
            statistics = {
                "n": float(found.n), "rho": found.rho, "rho_low": found.low, "rho_high": found.high
            }  # fmt: skip
            out.add(
                "lot_correlation",
                statistics,
                dataset="ADSL",
                variable=name,
                analyte=study.analyte,
                by={"metric": metric},
                where="PKFL = Y",
                n=float(found.n),
                method="Spearman, interval after Bonett and Wright",
                notes=explain_missing(
                    statistics, "NOTCOLL" if values.isna().all() else found.reason
                ),
            )


def select_landmark_samples(samples: pd.DataFrame, day: float, window: float) -> pd.DataFrame:
    """The sample of each subject that is nearest to a day, of two as near the earlier.

    Parameters
    ----------
    samples
        Records of one analyte of ADPC.
    day, window
        Day since the infusion, and the largest distance from it, both in days.
    """
    distance = (samples["AFRLT"] - day).abs()
    near = samples.assign(DISTANCE=distance).loc[distance <= window]
    return near.sort_values([*KEY, "DISTANCE", "AFRLT"]).drop_duplicates(KEY)


def _add_expression(study: Study, out: ResultCollector) -> None:
    """Subjects in whose blood the product of the gene was found, at the landmarks."""
    analyte, adpc = study.settings.expression_analyte, study.sources.adpc
    samples = adpc.loc[
        (adpc["PARAMCD"] == analyte) & (adpc["PCSPEC"] == BLOOD) & (adpc["ANL01FL"] == "Y")
    ]
    samples = samples.merge(study.subjects[KEY], on=KEY)
    if not analyte or samples.empty:
        out.add(
            "expression",
            {"n": math.nan},
            dataset="ADPC",
            variable="EXPRESSION",
            notes={"n": "NOTCOLL"},
        )
        return
    unit = str(samples["AVALU"].iloc[0])
    for landmark in study.landmarks:
        rows = select_landmark_samples(samples, landmark.day, landmark.window)
        found = rows["BLQFL"] != "Y"
        n, events = len(rows), int(found.sum())
        low, high = clopper_pearson(events, n, study.settings.confidence_level)
        values = rows.loc[found, "AVAL"].dropna()
        statistics = {
            "n": float(n),
            "n_quantifiable": float(events),
            "pct": 100 * events / n if n else math.nan,
            "ci_low": 100 * low,
            "ci_high": 100 * high,
            "median": float(values.median()) if len(values) else math.nan,
            "min": float(values.min()) if len(values) else math.nan,
            "max": float(values.max()) if len(values) else math.nan,
        }
        out.add(
            "expression",
            statistics,
            dataset="ADPC",
            variable="EXPRESSION",
            analyte=analyte,
            by={"landmark": landmark.label},
            where=f"PCSPEC = {BLOOD}, ANL01FL = Y, day {landmark.day:g} ± {landmark.window:g}",
            unit=unit,
            units={"n": "", "n_quantifiable": "", "pct": "%", "ci_low": "%", "ci_high": "%"},
            n=float(n),
            method="Clopper-Pearson; median of the quantifiable",
            notes=explain_missing(statistics, "NOVISIT" if n == 0 else "BLQALL"),
        )


def _add_vector_tests(study: Study, out: ResultCollector) -> None:
    """Tests for replication-competent virus and of integration sites after the infusion."""
    rules, adpd = study.settings, study.sources.adpd
    for name, codes in (("RCV", rules.replication_tests), ("INTEGRATION", rules.integration_tests)):
        day = adpd["AFRLT"].fillna(adpd["NFRLT"])
        rows = adpd.loc[adpd["PARAMCD"].isin(codes) & (day > 0)]
        rows = rows.merge(study.subjects[KEY], on=KEY)
        # What says neither is no sign that the virus is absent.
        judged = rows.loc[read_verdicts(rows) != ""]
        positive = read_verdicts(judged) == "POSITIVE"
        flags = positive.groupby([judged[key] for key in KEY]).any().astype(bool)
        add_rate(
            out,
            "vector_test",
            name,
            flags,
            rules.confidence_level,
            dataset="ADPD",
            by={},
            where="SAFFL = Y, after the infusion, result positive or negative",
            absent="" if len(judged) else "NOVERDICT" if len(rows) else "NOTCOLL",
        )
        out.add(
            "vector_unjudged",
            {"n": float(len(rows) - len(judged))},
            dataset="ADPD",
            variable=name,
            where="SAFFL = Y, after the infusion",
            n=float(len(rows)),
        )


def read_verdicts(results: pd.DataFrame) -> pd.Series:
    """What each result of a test of the vector says: POSITIVE, NEGATIVE, or blank.

    A result below the limit of quantitation is negative; any other number says neither, since
    from which number on a virus or a dominant clone was found is the laboratory's to say.

    Parameters
    ----------
    results
        Records of ADPD, shape (n,).
    """
    words = results["AVALC"].fillna("").str.strip().str.upper()
    below = results["BLQFL"] == "Y"
    verdicts = np.select(
        [words.isin(POSITIVE), words.isin(NEGATIVE) | below], ["POSITIVE", "NEGATIVE"], ""
    )
    return pd.Series(verdicts, index=results.index, dtype=object)


def _add_follow_up(study: Study, out: ResultCollector) -> None:
    """A row a year from the infusion, and secondary malignancies in all."""
    subjects, sources = study.subjects, study.sources
    known = subjects.loc[subjects["FUDUR"] >= 0]
    events = sources.adaesi.loc[
        (sources.adaesi["AESI"] == SECONDARY) & ~(sources.adaesi["ASTDY"] < 0)
    ].merge(subjects[KEY], on=KEY)
    first = events.groupby(KEY)["ASTDY"].min()
    adpc = sources.adpc
    samples = adpc.loc[
        (adpc["PARAMCD"] == study.analyte)
        & (adpc["PCSPEC"] == BLOOD)
        & (adpc["ANL01FL"] == "Y")
        & (adpc["AFRLT"] > 0)
    ].merge(subjects[KEY], on=KEY)
    collected = len(sources.adae) > 0 or len(sources.adaesi) > 0
    longest = float(known["FUDUR"].max()) if len(known) else math.nan
    years = max(1, math.ceil(longest / DAYS_PER_YEAR)) if len(known) else 0
    for year in range(1, years + 1):
        start, end = (year - 1) * DAYS_PER_YEAR, year * DAYS_PER_YEAR
        # The day between two years is in the first of them; the day of the infusion is in year 1.
        start = start if year > 1 else -math.inf
        at_risk = known.loc[known["FUDUR"] > start, "FUDUR"]
        within = samples.loc[(samples["AFRLT"] > start) & (samples["AFRLT"] <= end)]
        deaths = (subjects["DTHDY"] > start) & (subjects["DTHDY"] <= end)
        malignant = (first > start) & (first <= end)
        statistics = {
            "n": float(len(at_risk)),
            "person_years": float((at_risk.clip(upper=end) - max(start, 0)).sum() / DAYS_PER_YEAR),
            "n_sampled": float(len(within[KEY].drop_duplicates())),
            "n_quantifiable": float(len(within.loc[within["BLQFL"] != "Y", KEY].drop_duplicates())),
            "n_deaths": float(deaths.sum()),
            "n_secondary": float(malignant.sum()) if collected else math.nan,
        }
        out.add(
            "follow_up",
            statistics,
            dataset="ADSL",
            variable="FUDUR",
            analyte=study.analyte,
            by={"year": f"{year}"},
            where=f"SAFFL = Y, FUDUR > {start:g}" if year > 1 else "SAFFL = Y",
            units={"person_years": "years"},
            n=float(len(at_risk)),
            notes=explain_missing(statistics, "NOTCOLL"),
        )
    having = pd.MultiIndex.from_frame(subjects[KEY]).isin(first.index)
    add_rate(
        out,
        "secondary_malignancy",
        SECONDARY,
        pd.Series(having),
        study.settings.confidence_level,
        dataset="ADAESI",
        by={},
        where=f"SAFFL = Y; AESI = {SECONDARY}, from the infusion on",
        absent="" if collected else "NOTCOLL",
    )

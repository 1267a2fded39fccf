"""Incidence and course of cellular immune responses (table 79).

Analyses (analyte = target, by `test`, the test code):

====================== ======== =================== ===========================================
analysis               variable by                  statistics
====================== ======== =================== ===========================================
cellular_evaluable     AFTER    test                n, n_infused
cellular_incidence     BEFORE   test                n, denominator, pct, ci_low, ci_high (%):
                       NEW,     test                subjects with a response at baseline; in
                       LAST     test                a later sample, having had none before; in
                       AFTER    test, or test, ada  the last sample; in any later one
cellular_not_evaluable AFTER    reason, test        n
cellular_onset         FIRSTDY  test                block, d
cellular_course        RESPONSE test, time          n, denominator, pct, ci_low, ci_high (%)
cellular_readout       VALUE    test, time          block, in the unit of the readout
cellular_unjudged      RESPONSE reason, test        n (samples)
====================== ======== =================== ===========================================

`ada` is EMERGENT (induced or boosted antibodies to the same target at any time) or NONE.
"""

from __future__ import annotations

import pandas as pd

from celldossier.immunogenicity.cellular_response import (
    SUBJECT,
    derive_cellular_samples,
    derive_cellular_subjects,
)
from celldossier.immunogenicity.emergence import EMERGENT, NEVER
from celldossier.immunogenicity.status import NEGATIVE, POSITIVE, UNKNOWN
from celldossier.results import SHARE_UNITS, ResultCollector, add_block, describe_share
from celldossier.settings.immunogenicity import ImmunogenicitySettings


def summarise_cellular_response(
    adab: pd.DataFrame,
    adsl: pd.DataFrame,
    adim: pd.DataFrame,
    settings: ImmunogenicitySettings,
    out: ResultCollector,
) -> None:
    """Count responders by subject and by nominal day, with exact intervals."""
    samples = derive_cellular_samples(adab, settings.cellular)
    infused = adsl.loc[adsl["SAFFL"] == "Y", SUBJECT]
    samples = samples.merge(infused, on=SUBJECT)
    subjects = derive_cellular_subjects(samples, adsl)
    subjects = subjects.merge(adim[[*SUBJECT, "ISBDAGNT", "ADASTAT"]], how="left")
    level = settings.confidence_level
    for (target, test), rows in subjects.groupby(["ISBDAGNT", "PARAMCD"]):
        analyte, by = str(target), {"test": str(test)}
        of_test = (samples["ISBDAGNT"] == target) & (samples["PARAMCD"] == test)
        _add_subjects(rows, analyte, by, level, out)
        _add_course(samples.loc[of_test], analyte, by, level, out)


def _add_subjects(
    rows: pd.DataFrame, target: str, by: dict[str, str], level: float, out: ResultCollector
) -> None:
    evaluable = rows.loc[rows["AFTER"] != UNKNOWN]
    out.add(
        "cellular_evaluable",
        {"n": float(len(evaluable)), "n_infused": float(len(rows))},
        dataset="ADAB",
        variable="AFTER",
        analyte=target,
        by=by,
        where="SAFFL = Y",
        n=float(len(rows)),
    )
    rows = rows.assign(NEW=rows["AFTER"].where(rows["BEFORE"] == NEGATIVE, UNKNOWN))
    # Who has no control of its own at baseline has no verdict there.
    unjudged = bool((rows["BEFORE"] == UNKNOWN).all())
    for variable in ("BEFORE", "AFTER", "NEW", "LAST"):
        absent = "NOCTRLRD" if variable in ("BEFORE", "NEW") and unjudged else "NOGROUP"
        _add_share(rows[variable], "cellular_incidence", variable, target, by, level, absent, out)
    for name, statuses in (("EMERGENT", EMERGENT), ("NONE", NEVER)):
        part = rows.loc[rows["ADASTAT"].isin(statuses), "AFTER"]
        within = by | {"ada": name}
        _add_share(part, "cellular_incidence", "AFTER", target, within, level, "NOGROUP", out)
    for reason, count in rows["REASON"].value_counts().sort_index().items():
        if reason:
            out.add(
                "cellular_not_evaluable",
                {"n": float(count)},
                dataset="ADAB",
                variable="AFTER",
                analyte=target,
                by=by | {"reason": str(reason)},
                where="SAFFL = Y",
                n=float(len(rows)),
            )
    add_block(
        out,
        "cellular_onset",
        rows["FIRSTDY"].dropna(),
        dataset="ADAB",
        variable="FIRSTDY",
        analyte=target,
        by=by,
        where="a response after the infusion",
        unit="d",
        absent="NOGROUP",
    )


def _add_course(
    samples: pd.DataFrame, target: str, by: dict[str, str], level: float, out: ResultCollector
) -> None:
    units = samples.loc[samples["AVALU"] != "", "AVALU"]
    unit = str(units.iloc[0]) if len(units) else ""
    for day, part in samples.groupby("NFRLT"):
        within = by | {"time": f"{day:g}"}
        reasons = part.loc[part["REASON"] != "", "REASON"]
        absent = str(reasons.iloc[0]) if len(reasons) else "NOVALUE"
        _add_share(
            part["RESPONSE"], "cellular_course", "RESPONSE", target, within, level, absent, out
        )
        add_block(
            out,
            "cellular_readout",
            part["VALUE"],
            dataset="ADAB",
            variable="VALUE",
            analyte=target,
            by=within,
            where="ISCAT = CELLULAR",
            unit=unit,
            of_positive=True,
        )
    # At a baseline that is the control of the others there is nothing to judge.
    later = samples.loc[~samples["BASELINE"]]
    for reason, count in later["REASON"].value_counts().sort_index().items():
        if reason:
            out.add(
                "cellular_unjudged",
                {"n": float(count)},
                dataset="ADAB",
                variable="RESPONSE",
                analyte=target,
                by=by | {"reason": str(reason)},
                where="ISCAT = CELLULAR",
                n=float(len(later)),
            )


def _add_share(
    verdicts: pd.Series,
    analysis: str,
    variable: str,
    target: str,
    by: dict[str, str],
    level: float,
    absent: str,
    out: ResultCollector,
) -> None:
    """Share of the positive among the judged, with its exact interval."""
    n, count = int((verdicts != UNKNOWN).sum()), int((verdicts == POSITIVE).sum())
    out.add(
        analysis,
        describe_share(count, n, level),
        dataset="ADAB",
        variable=variable,
        analyte=target,
        by=by,
        where="ISCAT = CELLULAR",
        units=SHARE_UNITS,
        n=float(n),
        method="Clopper-Pearson",
        notes={} if n else dict.fromkeys(SHARE_UNITS, absent),
    )

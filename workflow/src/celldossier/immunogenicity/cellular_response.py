"""Cellular immune responses: from readouts of ELISpot and flow cytometry to responders (S7.2-4).

A sample shows a response where its readout is both `fold` times its control or more and at
least `difference` above it: a fold alone makes a response of noise where the control is near
zero, a difference alone where the background is high.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd

from celldossier.immunogenicity.status import CELLULAR, NEGATIVE, POSITIVE, UNKNOWN
from celldossier.settings.cellular_response import CellularSettings

TEST = ["ISBDAGNT", "PARAMCD"]
SUBJECT = ["STUDYID", "USUBJID"]
SAMPLE = [*SUBJECT, *TEST, "DAY"]
ROUNDING = 1e-9
"""Relative distance below a limit that counts as at it: readouts are rounded decimals."""


def derive_cellular_samples(adab: pd.DataFrame, settings: CellularSettings) -> pd.DataFrame:
    """Whether each sample shows a cellular response.

    A result in words (positive, negative) is the laboratory's own verdict and stands. A readout
    is held against its control: that of the control test of the same sample, else that of the
    subject's baseline sample. A control below its limit of quantitation stands at the limit, a
    readout below it is no response; of several readouts of a sample and test (pools of peptides)
    the highest decides, of several controls the mean.

    Parameters
    ----------
    adab
        Dataset ADAB; records of the tier CELLULAR are taken.
    settings
        Responder rules by unit, and the control test of each test.

    Returns
    -------
    pandas.DataFrame
        STUDYID, USUBJID, ISBDAGNT, PARAMCD, PARAM, AVALU; DAY and NFRLT (days from the first
        infusion, actual else nominal, and nominal); BASELINE (bool); BELOW (bool, a readout below
        its limit); VALUE and CONTROL (unit AVALU, NaN where there is none); RESPONSE (POSITIVE,
        NEGATIVE or blank) and REASON, the code where it is blank. One row a sample and test.
    """
    cellular = adab.loc[adab["ISCAT"] == CELLULAR]
    day = cellular["AFRLT"].where(cellular["AFRLT"].notna(), cellular["NFRLT"])
    below = cellular["BLQFL"] == "Y"
    records = cellular.assign(
        DAY=day,
        VALUE=cellular["AVAL"].where(~below),
        # The limit is the most that a background which was not seen can be.
        BOUND=cellular["AVAL"].where(~below, cellular["ALLOQ"]),
        BELOW=below,
        BASELINE=cellular["ABLFL"] == "Y",
        POSITIVE=cellular["AVALC"] == POSITIVE,
        NEGATIVE=cellular["AVALC"] == NEGATIVE,
    )
    control_tests = set(settings.controls.values())
    tested = records.loc[~records["PARAMCD"].isin(control_tests)]
    samples = (
        tested.groupby(SAMPLE, dropna=False)
        .agg(
            PARAM=("PARAM", "first"),
            AVALU=("AVALU", "first"),
            NFRLT=("NFRLT", "first"),
            BASELINE=("BASELINE", "any"),
            VALUE=("VALUE", "max"),
            BOUND=("BOUND", "max"),
            BELOW=("BELOW", "any"),
            POSITIVE=("POSITIVE", "any"),
            NEGATIVE=("NEGATIVE", "any"),
        )
        .reset_index()
    )
    samples["CONTROL"] = _find_controls(samples, records, settings)
    verdicts = [_judge(row, settings) for row in samples.to_dict("records")]
    samples["RESPONSE"] = [response for response, _ in verdicts]
    samples["REASON"] = [reason for _, reason in verdicts]
    return samples.drop(columns=["BOUND", "POSITIVE", "NEGATIVE"])


def _find_controls(
    samples: pd.DataFrame, records: pd.DataFrame, settings: CellularSettings
) -> list[float]:
    """Control of each sample: of its control test, else of the baseline sample."""
    wells = records.groupby([*SUBJECT, "PARAMCD", "DAY"])["BOUND"].mean().to_dict()
    before = samples.loc[samples["BASELINE"]].set_index([*SUBJECT, *TEST])["BOUND"].to_dict()
    controls = []
    for row in samples.to_dict("records"):
        subject = (row["STUDYID"], row["USUBJID"])
        well = settings.controls.get(row["PARAMCD"])
        if well is not None:
            found = wells.get((*subject, well, row["DAY"]), math.nan)
        elif row["BASELINE"]:
            found = math.nan
        else:
            found = before.get((*subject, row["ISBDAGNT"], row["PARAMCD"]), math.nan)
        controls.append(float(found))
    return controls


def _judge(row: Mapping[Hashable, object], settings: CellularSettings) -> tuple[str, str]:
    """Response of a sample, and the reason where there is no saying."""
    if row["POSITIVE"] or row["NEGATIVE"]:
        return (POSITIVE if row["POSITIVE"] else NEGATIVE), ""
    value, control = float(str(row["VALUE"])), float(str(row["CONTROL"]))
    if math.isnan(value) and not row["BELOW"]:
        return UNKNOWN, "NOVALUE"
    rule = next((rule for rule in settings.rules if rule.unit == row["AVALU"]), None)
    if rule is None:
        return UNKNOWN, "NOCELLRL"
    if math.isnan(control):
        return UNKNOWN, "NOCTRLRD"
    if math.isnan(value):
        return NEGATIVE, ""
    limit = max(rule.fold * control, control + rule.difference)
    return (POSITIVE if value >= limit * (1 - ROUNDING) else NEGATIVE), ""


def derive_cellular_subjects(samples: pd.DataFrame, adsl: pd.DataFrame) -> pd.DataFrame:
    """Cellular response of each infused subject, by target and test.

    Parameters
    ----------
    samples
        From `derive_cellular_samples`.
    adsl
        Subjects; those with SAFFL = Y are taken.

    Returns
    -------
    pandas.DataFrame
        STUDYID, USUBJID, ISBDAGNT, PARAMCD; BEFORE (at baseline), AFTER (in any later sample) and
        LAST (in the last judged one), each POSITIVE, NEGATIVE or blank; FIRSTDY, day of the first
        response after the infusion; REASON, why AFTER is blank.
    """
    infused = adsl.loc[adsl["SAFFL"] == "Y", SUBJECT]
    tests = samples[["STUDYID", *TEST]].drop_duplicates()
    groups = dict(iter(samples.groupby([*SUBJECT, *TEST])))
    rows = []
    for subject in infused.merge(tests, on="STUDYID").to_dict("records"):
        key = tuple(str(subject[name]) for name in (*SUBJECT, *TEST))
        rows.append(subject | _subject(groups.get(key)))
    columns = [*SUBJECT, *TEST, "BEFORE", "AFTER", "LAST", "FIRSTDY", "REASON"]
    return pd.DataFrame(rows, columns=columns)


def _subject(samples: pd.DataFrame | None) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(("BEFORE", "AFTER", "LAST", "REASON"), "")
    row["FIRSTDY"] = math.nan
    if samples is None:
        return row | {"REASON": "NOCELLSM"}
    before = samples.loc[samples["BASELINE"], "RESPONSE"]
    if len(before):
        row["BEFORE"] = str(before.iloc[-1])
    later = samples.loc[~samples["BASELINE"] & (samples["DAY"] > 0)].sort_values("DAY")
    judged = later.loc[later["RESPONSE"] != UNKNOWN]
    if judged.empty:
        reasons = later.loc[later["REASON"] != "", "REASON"]
        return row | {"REASON": str(reasons.iloc[0]) if len(reasons) else "NOCELLPB"}
    positive = judged.loc[judged["RESPONSE"] == POSITIVE]
    row["AFTER"] = POSITIVE if len(positive) else NEGATIVE
    row["LAST"] = str(judged["RESPONSE"].iloc[-1])
    if len(positive):
        row["FIRSTDY"] = float(np.min(positive["DAY"]))
    return row

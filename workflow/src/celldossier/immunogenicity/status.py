"""ADA status of a subject: from tiers to samples, from samples to the subject.

Terms and rules follow Shankar G et al. (2014), AAPS J 16:658-673.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.datasets import conform, empty_dataset
from celldossier.immunogenicity.amounts import (
    CATEGORY,
    derive_amounts,
    find_boost_day,
    test_boost,
)
from celldossier.immunogenicity.interference import mark_interference
from celldossier.immunogenicity.neutralising import classify_neutralising
from celldossier.settings.immunogenicity import ImmunogenicitySettings

KEY = ["STUDYID", "USUBJID", "ISBDAGNT"]
DECISION = "DECISION"
"""Reason in ADSL of a subject whom a decision of the study leaves out of the set."""
POSITIVE, NEGATIVE, UNKNOWN, INCONCLUSIVE = "POSITIVE", "NEGATIVE", "", "INCONCLUSIVE"
TIERS = ("RESULT", "", "CONFIRMATORY", "SCREENING")
"""Tiers of a test from the one that decides; a record without a tier is a final result."""
TITRE = "TITER POSITIVE"
CELLULAR = "CELLULAR"
"""Tier of a cellular response, which is no antibody."""
DAYS_PER_WEEK = 7


def derive_samples(adab: pd.DataFrame) -> pd.DataFrame:
    """Status of each sample from its tiers.

    A final RESULT decides; else the CONFIRMATORY tier; else the SCREENING tier, which
    alone can only say negative where the target has a confirmatory tier at all; else
    a titre makes the sample positive. Of results at different time the day (actual,
    else nominal) tells samples apart.

    Parameters
    ----------
    adab
        Dataset ADAB.

    Returns
    -------
    pandas.DataFrame
        STUDYID, USUBJID, ISBDAGNT, DAY (NaN without a time), STATUS (POSITIVE, NEGATIVE
        or blank), BASELINE (bool), and of `derive_amounts` TITER, TITERLO, TITERHI, TITERU
        and READOUT (CATEGORY for all samples of a target that has no amount at all); one
        row a sample.
    """
    adab = adab[adab["ISCAT"] != CELLULAR]
    day = adab["AFRLT"].where(adab["AFRLT"].notna(), adab["NFRLT"])
    # Records without any time cannot be told apart by it: each is a sample of its own.
    sample = day.map(repr).where(day.notna(), adab["SRCROW"].map(lambda row: f"row {row}"))
    records = adab.assign(DAY=day, SAMPLE=sample)
    confirmed = records.loc[records["ISCAT"] == "CONFIRMATORY", ["STUDYID", "ISBDAGNT"]]
    tiered = set(confirmed.itertuples(index=False, name=None))
    records["TIERED"] = [
        pair in tiered for pair in zip(records["STUDYID"], records["ISBDAGNT"], strict=True)
    ]
    records["BASELINE"] = records["ABLFL"] == "Y"
    by_sample = [*KEY, "SAMPLE"]
    frame = records.groupby(by_sample)[["DAY", "TIERED", "BASELINE"]].agg(
        {"DAY": "first", "TIERED": "first", "BASELINE": "any"}
    )
    frame["STATUS"] = _sample_status(records, frame, by_sample)
    frame = frame.join(derive_amounts(records, by_sample)).reset_index()
    frame[["TITERU", "READOUT"]] = frame[["TITERU", "READOUT"]].fillna("")
    measured = frame["READOUT"].ne("").groupby([frame["STUDYID"], frame["ISBDAGNT"]])
    frame["READOUT"] = frame["READOUT"].where(measured.transform("any"), CATEGORY)
    frame = frame.drop(columns=["SAMPLE", "TIERED"])
    return frame.sort_values([*KEY, "DAY"], kind="stable", ignore_index=True)


def _sample_status(records: pd.DataFrame, samples: pd.DataFrame, by_sample: list[str]) -> list[str]:
    """Status of each sample: the highest tier that says anything."""
    tier, result = records["ISCAT"], records["AVALC"]
    says = pd.DataFrame(
        {
            f"{name} {verdict}": (tier == name) & (result == verdict)
            for name in TIERS
            for verdict in (POSITIVE, NEGATIVE)
        }
    )
    says[TITRE] = (tier == "TITER") & (records["AVAL"] > 0)
    keys = [records[name] for name in by_sample]
    any_says = says.groupby(keys).any().reindex(samples.index)
    screened = any_says[f"SCREENING {POSITIVE}"]
    # A positive screen that awaits its confirmation says nothing yet.
    any_says[f"SCREENING {POSITIVE}"] = screened & ~samples["TIERED"]
    # A titre alone is positive; beside an unconfirmed screen it does not confirm.
    any_says[TITRE] = any_says[TITRE] & ~screened
    verdicts = [POSITIVE, NEGATIVE] * len(TIERS) + [POSITIVE]
    conditions = [any_says[name] for name in any_says.columns]
    return [str(status) for status in np.select(conditions, verdicts, UNKNOWN)]


def select_binding(adab: pd.DataFrame, settings: ImmunogenicitySettings) -> pd.DataFrame:
    """Records of the binding antibodies, whose status is derived."""
    neutralising = adab["PARAMCD"].isin(settings.neutralising_tests)
    records = adab.loc[(adab["ISCAT"] != CELLULAR) & ~neutralising]
    if settings.tests:
        records = records.loc[records["PARAMCD"].isin(settings.tests)]
    return records


def derive_judged_samples(
    records: pd.DataFrame,
    settings: ImmunogenicitySettings,
    adcm: pd.DataFrame | None = None,
    adpd: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Samples of `derive_samples`, marked; a negative one under interference is INCONCLUSIVE."""
    adcm = empty_dataset("ADCM") if adcm is None else adcm
    adpd = empty_dataset("ADPD") if adpd is None else adpd
    samples = mark_interference(derive_samples(records), adcm, adpd, settings)
    masked = (samples["STATUS"] == NEGATIVE) & (samples["MASK"] != "")
    samples["STATUS"] = samples["STATUS"].mask(masked, INCONCLUSIVE)
    return samples


def derive_adim(
    adab: pd.DataFrame,
    adsl: pd.DataFrame,
    settings: ImmunogenicitySettings,
    adcm: pd.DataFrame | None = None,
    adpd: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Derive ADIM: ADA status per infused subject and target.

    Evaluable: infused, with a baseline result and at least one later result, and not left
    out of the set by decision. Induced:
    negative at baseline, positive later. Boosted: positive at baseline and later
    higher by what `test_boost` says. How long induced antibodies stayed:
    `categorise_duration`. A negative sample that `mark_interference` marks is
    inconclusive and has no status; a subject whose later samples are all of this kind is
    INCONCLUSIVE and not evaluable. A positive sample under immunoglobulin counts; the
    status without it stands beside (EVALATFL, ADASTATT). Neutralising:
    `classify_neutralising`.

    Parameters
    ----------
    adab, adsl
        Datasets ADAB and ADSL.
    adcm, adpd
        Datasets ADCM and ADPD; none: as if they had no records.

    Returns
    -------
    pandas.DataFrame
        Dataset ADIM; each target of a study has a row for every infused subject.
    """
    records = select_binding(adab, settings)
    samples = derive_judged_samples(records, settings, adcm, adpd)
    infused = adsl.loc[adsl["SAFFL"] == "Y"]
    targets = records[["STUDYID", "ISBDAGNT"]].drop_duplicates()
    expected = infused[["STUDYID", "USUBJID", "TRT01A"]].merge(targets, on="STUDYID")
    groups = dict(iter(samples.groupby(KEY)))
    tested = adab.loc[adab["PARAMCD"].isin(settings.neutralising_tests)]
    neutralising = dict(iter(derive_samples(tested).groupby(KEY)))
    collected = {(study, target) for study, _, target in neutralising}
    left_out = set(adsl.loc[adsl["NIMRSN"] == DECISION, "USUBJID"])
    rows = []
    for row in expected.to_dict("records"):
        key = tuple(row[name] for name in KEY)
        status = _subject(groups.get(key), settings, left_out=row["USUBJID"] in left_out)
        neutral = classify_neutralising(
            neutralising.get(key),
            collected=(row["STUDYID"], row["ISBDAGNT"]) in collected,
            positive=status.get("ADAPOSFL") == "Y",
        )
        rows.append(row | status | dict[str, object](neutral))
    return conform(pd.DataFrame(rows), "ADIM")


def _subject(
    samples: pd.DataFrame | None, settings: ImmunogenicitySettings, left_out: bool
) -> dict[str, object]:
    """Status of one subject, and beside it that without positives that are not its own."""
    row = _status(samples, settings, left_out)
    if samples is None or not settings.interference.immunoglobulin.names:
        return row
    passive = (samples["STATUS"] == POSITIVE) & samples["PASSIVE"]
    others = samples.assign(STATUS=samples["STATUS"].mask(passive, UNKNOWN))
    without = _status(others, settings, left_out)
    return row | {
        "PASSFL": "Y" if passive.any() else "N",
        "NPASSIVE": int(passive.sum()),
        "EVALATFL": without["EVALFL"],
        "ADASTATT": without.get("ADASTAT", ""),
    }


def _status(
    samples: pd.DataFrame | None, settings: ImmunogenicitySettings, left_out: bool
) -> dict[str, object]:
    """Status of one subject from its samples with a status, in order of time."""
    nothing: dict[str, object] = {"EVALFL": "N", "NPOSTBL": 0, "NPOSTPOS": 0, "NNOSTAT": 0}
    if samples is None:
        return nothing | {"NEVALRSN": "NOADASAMP"}
    inconclusive = samples.loc[samples["STATUS"] == INCONCLUSIVE]
    known = samples.loc[samples["STATUS"].isin([POSITIVE, NEGATIVE]) & samples["DAY"].notna()]
    baseline = known.loc[known["BASELINE"]].tail(1)
    later = known.loc[~known["BASELINE"] & (known["DAY"] > 0)]
    positives = later.loc[later["STATUS"] == POSITIVE]
    at_baseline = "" if baseline.empty else str(baseline["STATUS"].iloc[0])
    units = samples.loc[samples["TITERU"] != "", "TITERU"]
    row: dict[str, object] = nothing | {
        "ADABLFL": {POSITIVE: "Y", NEGATIVE: "N"}.get(at_baseline, ""),
        "NPOSTBL": len(later),
        "NPOSTPOS": len(positives),
        "NNOSTAT": len(samples) - len(known),
        "NINCONC": len(inconclusive),
        "INCONRSN": next(iter(inconclusive["MASK"]), ""),
        "INCONFL": "N" if inconclusive.empty else "Y",
        "TITERU": str(units.iloc[0]) if len(units) else "",
        "ADAREAD": next((kind for kind in samples["READOUT"] if kind), ""),
    }
    if at_baseline == POSITIVE:
        row["TITERBL"] = float(baseline["TITER"].iloc[0])
    if len(positives):
        first, last = float(positives["DAY"].iloc[0]), float(positives["DAY"].iloc[-1])
        row |= {
            "ADAONDY": first,
            "ADALSTDY": last,
            "ADADURDY": last - first,
            "TITERPK": float(positives["TITER"].max()),
        }
    if baseline.empty:
        masked = inconclusive["BASELINE"].any()
        return row | {"NEVALRSN": "INCONBASE" if masked else "NOADABASE"}
    if later.empty:
        if (~inconclusive["BASELINE"] & (inconclusive["DAY"] > 0)).any():
            return row | {"NEVALRSN": "INCONPOST", "ADASTAT": INCONCLUSIVE}
        return row | {"NEVALRSN": "NOADAPOST"}
    if left_out:
        return row | {"NEVALRSN": DECISION}
    row |= {
        "EVALFL": "Y",
        "ADAPOSFL": "Y" if at_baseline == POSITIVE or len(positives) else "N",
    }
    if at_baseline == NEGATIVE:
        if positives.empty:
            return row | {"ADASTAT": "NEGATIVE"}
        duration, reason = categorise_duration(
            first, last, float(later["DAY"].iloc[-1]), settings.persistent_weeks
        )
        return row | {
            "ADASTAT": "INDUCED",
            "ADATEDY": first,
            "ADADUR": duration,
            "INDETRSN": reason,
        }
    status, reason = test_boost(baseline.iloc[0], positives, settings)
    if status == "BOOSTED":
        row["ADATEDY"] = find_boost_day(baseline.iloc[0], positives, settings)
    return row | {"ADASTAT": status, "UNDRSN": reason}


def categorise_duration(
    first: float, last: float, end: float, persistent_weeks: float
) -> tuple[str, str]:
    """How long treatment-induced antibodies stayed, as far as sampling could show it.

    Parameters
    ----------
    first, last
        Days of the first and of the last positive sample after baseline.
    end
        Day of the last sample with a status.
    persistent_weeks
        Weeks that tell persistent from transient; 16 in Shankar 2014.

    Returns
    -------
    tuple
        PERSISTENT, TRANSIENT or INDETERMINATE, and the reason code of the last.

    Notes
    -----
    With w = `persistent_weeks`, every course is one of these:

    ============ =========== =========== ==================================== ==============
    first-last   first-end   last sample Shankar 2014                         here
    ============ =========== =========== ==================================== ==============
    w or more    w or more   either      persistent                           PERSISTENT
    under w      w or more   negative    transient                            TRANSIENT
    under w      under w     positive    persistent, unless later undetected  INDETERMINATE
    under w      under w     negative    one positive: persistent;            INDETERMINATE
                                         several: transient
    ============ =========== =========== ==================================== ==============

    Where the first two agree, the definition is that of Shankar. The last two lines are
    conventions for a course that was not followed for w from its onset: neither that
    the antibodies stayed for w nor that they were gone by then was observed. The
    reason tells the two apart (SHORTPOS, SHORTNEG), so that the count after Shankar can be
    had from ours. A last sample that is positive w or more after the onset falls in
    the first line.
    """
    weeks = persistent_weeks * DAYS_PER_WEEK
    if last - first >= weeks:
        return "PERSISTENT", ""
    if end - first >= weeks:
        return "TRANSIENT", ""
    return "INDETERMINATE", "SHORTPOS" if last == end else "SHORTNEG"

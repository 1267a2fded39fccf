"""The doses of the study and the samples that belong to each, by EX alone (R23).

Doses are those of ADEX: fractions of a split dose share their planned dose, whose clock
starts with the first fraction. A sample belongs to the last dose given before it.
Infusions that end a course (R15) are no doses of it, nor are the doses after them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.terms.study_terms import NOT_PLANNED

COURSE, DOSE = "COURSE", "DOSE"
"""Types of profiles: all planned doses together from the first one, or each dose by itself."""


def list_doses(adex: pd.DataFrame) -> pd.DataFrame:
    """The planned doses of the first course of each subject.

    Returns
    -------
    DataFrame
        USUBJID, DOSENO (number of the planned dose), DOSETIME and NDOSETIME (actual and
        nominal time of its first fraction, days from the first infusion), CYCLE, DOSEA (of all
        fractions) and DOSEU, SRCFILE and SRCROW of the record of the first fraction.
    """
    cells = adex[(adex["EXCAT"] == "CELL PRODUCT") & adex["AFRLT"].notna()]
    ended = cells[cells["DOSETYPE"].isin(NOT_PLANNED)].groupby("USUBJID")["AFRLT"].min()
    ends = cells["USUBJID"].map(ended).astype("float64")
    planned = cells[~cells["DOSETYPE"].isin(NOT_PLANNED) & ~(cells["AFRLT"] >= ends)]
    planned = planned.sort_values(["USUBJID", "AFRLT"], kind="stable")
    # Without a plan in EX (ADEX as input), each infusion is a dose of its own.
    number = planned["PDOSENO"].fillna(planned["DOSENO"])
    first = planned.assign(DOSENO=number).drop_duplicates(["USUBJID", "DOSENO"])
    total = first["DOSESUM"].where(first["NFRAC"] > 1, first["DOSEA"])
    return pd.DataFrame(
        {
            "USUBJID": first["USUBJID"],
            "DOSENO": first["DOSENO"].astype("float64"),
            "DOSETIME": first["AFRLT"],
            "NDOSETIME": first["NFRLT"],
            "CYCLE": first["CYCLE"].fillna(1.0).astype("float64"),
            "DOSEA": total,
            "DOSEU": first["DOSEU"],
            "SRCFILE": first["SRCFILE"],
            "SRCROW": first["SRCROW"],
        }
    ).reset_index(drop=True)


def has_repeat_doses(doses: pd.DataFrame) -> bool:
    """Whether any subject had several planned doses."""
    return bool((doses.groupby("USUBJID")["DOSENO"].nunique() > 1).any())


def assign_doses(
    given: pd.DataFrame, doses: pd.DataFrame, settings: CellularKineticsSettings
) -> pd.DataFrame:
    """The input of the NCA with the dose of each sample.

    Parameters
    ----------
    given
        From `derive_nca_input`.
    doses
        From `list_doses`.
    settings
        `dosing_interval` is the interval of the last dose of each cycle.

    Returns
    -------
    DataFrame
        Further columns DOSENO, DOSETIME, NDOSETIME, TAU, CYCLE. At the end one record without
        a result for each dose of a profile without samples: so that the dose is known.
    """
    place = given[["USUBJID", "TIME", "NTIME"]].reset_index(names="place")
    # A sample without a time has no result; its nominal time says where it is listed.
    place["at"] = place["TIME"].fillna(place["NTIME"]).fillna(0.0)
    pairs = place.merge(doses, on="USUBJID")
    first = pairs.groupby("place")["DOSETIME"].transform("min")
    before = pairs[(pairs["DOSETIME"] < pairs["at"]) | (pairs["DOSETIME"] == first)]
    latest = before.sort_values(["place", "DOSETIME"], kind="stable").drop_duplicates(
        "place", keep="last"
    )
    of_dose = ["DOSENO", "DOSETIME", "NDOSETIME", "CYCLE"]
    assigned = given.join(latest.set_index("place")[of_dose])
    assigned = assigned.assign(DOSENO=assigned["DOSENO"].fillna(1.0))
    keys = ["USUBJID", "ANALYTE"]
    profiles = given.drop_duplicates(keys)[[*keys, "CONCU", "CENSTIME"]]
    wanted = profiles.merge(doses[["USUBJID", *of_dose]], on="USUBJID")
    present = pd.MultiIndex.from_frame(assigned[[*keys, "DOSENO"]])
    absent = wanted[~pd.MultiIndex.from_frame(wanted[[*keys, "DOSENO"]]).isin(present)]
    empty = absent.assign(BLQ=0, ALQ=0).reindex(columns=assigned.columns)
    numeric = [name for name in assigned if name not in (*keys, "CONCU")]
    joined = pd.concat(
        [part.astype({name: "float64" for name in numeric}) for part in (assigned, empty)],
        ignore_index=True,
    )
    tau = np.nan if settings.dosing_interval is None else settings.dosing_interval
    return joined.assign(TAU=tau)

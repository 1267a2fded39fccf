"""What ends a course beside the disease: new therapy, transplantation, another infusion.

A retreatment and an unplanned infusion end the course before (nca_rules R15): what is seen
after them may be their effect. Planned repeat and split doses do not.
"""

from __future__ import annotations

import pandas as pd

from celldossier.settings.efficacy import EfficacySettings
from celldossier.terms.study_terms import NEW_THERAPY, NOT_PLANNED

COLUMNS = ["USUBJID", "KIND", "DAY", "DATE", "SRCDOM", "SRCFILE", "SRCROW", "SRCVAR"]


def find_stops(adex: pd.DataFrame, adcm: pd.DataFrame, settings: EfficacySettings) -> pd.DataFrame:
    """First of each kind after the first infusion.

    Returns
    -------
    DataFrame
        One row a subject and kind: ``USUBJID``, ``KIND`` (of `STOPS`), ``DAY`` from the first
        infusion, ``DATE``, the source, and ``LASTDAY``, the day up to which an assessment,
        which often has no time of day, still belongs to the course: that of the stop.
    """
    classes = {NEW_THERAPY: "NEWTHERAPY", settings.time_to_event.transplant_class: "HSCT"}
    kinds = adcm["CMCLASS"].map(classes)
    medicines = adcm.assign(KIND=kinds, DAY=adcm["ASTDY"], DATE=adcm["ASTDTM"], SRCVAR="CMSTDTC")
    again = adex["DOSETYPE"].isin(NOT_PLANNED)
    infusions = adex.assign(
        KIND="REINFUSION", DAY=adex["AFRLT"], DATE=adex["ADTM"], SRCVAR="EXSTDTC"
    )
    rows = pd.concat(
        [medicines.loc[kinds.notna(), COLUMNS], infusions.loc[again, COLUMNS]], ignore_index=True
    )
    rows = rows[rows["DAY"].astype("float64") > 0]
    order = ["USUBJID", "KIND", "DAY", "SRCFILE", "SRCROW"]
    rows = rows.sort_values(order, kind="stable").drop_duplicates(["USUBJID", "KIND"])
    first = adex[adex["DOSENO"] == 1].drop_duplicates("USUBJID").set_index("USUBJID")["ADTM"]
    whole = (_read_day(rows["DATE"]) - _read_day(rows["USUBJID"].map(first))).dt.days
    last = whole.astype("float64").clip(lower=rows["DAY"].astype("float64"))
    return rows.assign(LASTDAY=last.fillna(rows["DAY"])).reset_index(drop=True)


def _read_day(texts: pd.Series) -> pd.Series:
    days: pd.Series = pd.to_datetime(
        texts.astype("string").str.slice(0, 10), format="%Y-%m-%d", errors="coerce"
    )
    return days

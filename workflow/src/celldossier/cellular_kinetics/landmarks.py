"""Who was quantifiable at a landmark, among those of whom it is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.settings.persistence import Landmark

STATES = ("QUANTIFIABLE", "BELOW", "LOST", "DIED", "STOPPED", "RELAPSED", "NOTFOLLOWED", "MISSED")
"""States of a subject at a landmark, see `classify_landmark`."""

EVALUABLE = ("QUANTIFIABLE", "BELOW", "LOST")
SAMPLED = ("QUANTIFIABLE", "BELOW")


def classify_landmark(facts: pd.DataFrame, samples: pd.DataFrame, landmark: Landmark) -> pd.Series:
    """State of each subject at a landmark: the first of these that holds.

    ============ ==============================================================================
    QUANTIFIABLE the sample nearest to the day, within the window, is quantifiable
    BELOW        it is below the limit of quantitation
    DIED         no sample; died by the day
    STOPPED      no sample; new therapy, transplantation or unplanned infusion by the day
    NOTFOLLOWED  no sample; not known to be alive on the day (follow-up ends before it)
    LOST         no sample; the loss (two consecutive results below the limit) was seen before,
                 after which sampling may stop: not quantifiable
    RELAPSED     no sample; progression or relapse by the day
    MISSED       no sample although alive and under observation
    ============ ==============================================================================

    Parameters
    ----------
    facts
        From `read_persistence`; subjects who were never quantifiable are not to be in it.
    samples
        Results of the analyte after the infusion.

    Returns
    -------
    Series
        State by USUBJID.
    """
    day, window = landmark.day, landmark.window
    own = samples[samples["USUBJID"].isin(facts.index)]
    until = own["USUBJID"].map(facts["STOP"]).astype("float64")
    distance = (own["AFRLT"] - day).abs()
    near = own.assign(FAR=distance)[(distance <= window) & ~(own["AFRLT"] > until)]
    near = near.sort_values(["FAR", "AFRLT", "SRCROW"], kind="stable").drop_duplicates("USUBJID")
    below = near.set_index("USUBJID")["BLQFL"].reindex(facts.index)
    followed = facts["SEEN"].fillna(facts["LAST"]) >= day
    state = np.select(
        [
            below == "N",
            below == "Y",
            facts["DIED"] <= day,
            facts["STOP"] <= day,
            ~followed,
            facts["HI"] <= day,
            facts["RELAPSE"] <= day,
        ],
        [
            "QUANTIFIABLE",
            "BELOW",
            "DIED",
            "STOPPED",
            "NOTFOLLOWED",
            "LOST",
            "RELAPSED",
        ],
        default="MISSED",
    )
    return pd.Series(state, index=facts.index, dtype=object)

"""Whether the antibodies of a subject neutralise."""

from __future__ import annotations

import pandas as pd

NOT_COLLECTED, NO_RESULT, NO_ANTIBODY = "NABNOTCO", "NABNORES", "NABNOPOS"
"""Why a subject has no neutralising status."""


def classify_neutralising(
    samples: pd.DataFrame | None, collected: bool, positive: bool
) -> dict[str, str]:
    """Neutralising status of one subject and target: NABFL, and NABRSN where it is blank.

    Parameters
    ----------
    samples
        Its samples by the neutralising tests (`derive_samples`); None without any. Those
        after the first infusion count.
    collected
        Whether the study has results of neutralising tests for the target.
    positive
        Whether the subject is evaluable and was positive for binding antibodies at any
        time: only these are tested further (Shankar 2014), so that a result of another
        subject is not counted.
    """
    if not collected:
        return {"NABFL": "", "NABRSN": NOT_COLLECTED}
    if not positive:
        return {"NABFL": "", "NABRSN": NO_ANTIBODY}
    found = set()
    if samples is not None:
        later = ~samples["BASELINE"] & (samples["DAY"] > 0)
        found = set(samples.loc[later, "STATUS"]) - {""}
    if not found:
        return {"NABFL": "", "NABRSN": NO_RESULT}
    return {"NABFL": "Y" if "POSITIVE" in found else "N", "NABRSN": ""}

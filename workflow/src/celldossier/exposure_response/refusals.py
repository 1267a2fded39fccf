"""The rules by which the plan refuses a model, which all families of models share.

They are laid down before anything is fitted: a model needs events that carry its slopes, and
predictors that can be told apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from celldossier.settings.exposure_response import ExposureResponseSettings


def refuse_events(
    events: float, carrying: float, slopes: int, settings: ExposureResponseSettings
) -> str:
    """Reason why so many events allow no model of so many slopes; blank where they do.

    Parameters
    ----------
    events
        Events that there must be at least `min_events` of.
    carrying
        Events that carry the slopes, `min_events_per_parameter` of them each where there are
        several slopes: the events of a hazard, the rarer outcome of a logistic model.
    """
    if events < settings.min_events:
        return "FEWEVENT"
    if slopes > 1 and carrying < settings.min_events_per_parameter * slopes:
        return "EPPLOW"
    return ""


def is_confounded(
    exposure: NDArray[np.float64],
    covariates: NDArray[np.float64],
    settings: ExposureResponseSettings,
) -> bool:
    """Whether the exposure and a covariate correlate too much to be told apart.

    Parameters
    ----------
    exposure
        Exposure of the subjects, on the scale of the model, shape (n,).
    covariates
        Covariates of the subjects, shape (n, k); a constant one correlates with nothing.
    """
    if not np.ptp(exposure) > 0:
        return False
    return any(
        abs(float(np.corrcoef(exposure, column)[0, 1])) > settings.max_correlation
        for column in covariates.T
        if np.ptp(column) > 0
    )

"""The results of an NCA as frames: parameters, regressions and the loss of quantifiability."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.cellular_kinetics.columns import Column, Texts
from celldossier.cellular_kinetics.doses import PROFILE_KEYS
from celldossier.cellular_kinetics.lambda_z import LambdaZ
from celldossier.cellular_kinetics.limbs import Loss
from celldossier.cellular_kinetics.profiles import Profiles
from celldossier.terms.parameters import order_parameters, parameter_unit


def lengthen_parameters(
    columns: dict[str, Column], keys: pd.DataFrame, time_unit: str, conc_unit: str
) -> pd.DataFrame:
    """Parameters of all profiles, one row each, in the order of the registry."""
    codes = order_parameters(columns)
    concentration = keys["CONCU"].where(keys["CONCU"] != "", conc_unit)
    units = np.empty((len(keys), len(codes)), dtype=object)
    for unit in concentration.unique():
        units[(concentration == unit).to_numpy()] = [
            parameter_unit(code, time_unit, unit) for code in codes
        ]
    repeated = keys.index.repeat(len(codes))
    frame = keys.loc[repeated, PROFILE_KEYS].reset_index(drop=True)
    frame["DOSENO"] = frame["DOSENO"].astype("int64")
    frame["PARAMCD"] = np.tile(np.array(codes, dtype=object), len(keys))
    frame["AVAL"] = np.stack([columns[code].value for code in codes], axis=1).ravel()
    frame["AVALU"] = units.ravel()
    frame["FLAG"] = np.stack([columns[code].flag for code in codes], axis=1).ravel()
    frame["REASND"] = np.stack([columns[code].reason for code in codes], axis=1).ravel()
    return frame


def _profile_frame(profiles: Profiles) -> pd.DataFrame:
    frame = profiles.keys[PROFILE_KEYS].copy()
    frame["DOSENO"] = frame["DOSENO"].astype("int64")
    return frame


def list_lambda_z(profiles: Profiles, fit: LambdaZ, gate: Texts) -> pd.DataFrame:
    """The raw fit of each profile, with the outcome of the gates."""
    frame = _profile_frame(profiles)
    frame["LAMZ"] = fit.rate
    frame["LAMZHL"] = fit.half_life
    frame["LAMZICPT"] = fit.intercept
    frame["LAMZNPT"] = fit.points
    frame["LAMZLL"] = fit.lower
    frame["LAMZUL"] = fit.upper
    frame["R2"] = fit.r2
    frame["R2ADJ"] = fit.r2adj
    frame["LAMZSPN"] = fit.span
    frame["CLSTP"] = fit.predicted
    frame["GATE"] = np.select(
        [~profiles.sampled, profiles.never_quantifiable, gate != ""],
        ["NOSAMPLE", "BLQALL", gate],
        "PASS",
    ).astype(object)
    return frame


def list_persistence(profiles: Profiles, loss: Loss) -> pd.DataFrame:
    """Loss of quantifiability as an interval (R20); a next dose ends what can be seen of it."""
    followed = np.isfinite(profiles.gap)
    frame = _profile_frame(profiles)
    frame["LOWER"] = np.where(profiles.sampled, loss.lower, np.nan)
    frame["UPPER"] = np.where(profiles.sampled & ~followed, loss.time, np.nan)
    frame["STATUS"] = np.select(
        [~profiles.sampled, followed, profiles.never_quantifiable, np.isnan(loss.time)],
        ["NOSAMPLE", "NEXTDOSE", "NEVER", "CENSORED"],
        "LOSS",
    ).astype(object)
    return frame

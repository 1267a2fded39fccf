"""Non-compartmental analysis of cellular kinetics after one dose (rules R1 to R17, R20 to R22).

`estimate_nca` takes samples and gives parameters, each with its unit, a flag, or
the reason for its absence. All profiles are computed at once on padded arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from celldossier.cellular_kinetics.areas import (
    area_to_last,
    derive_curve,
    estimate_partial_area,
    lacks_start,
)
from celldossier.cellular_kinetics.dispositions import derive_dispositions, list_findings
from celldossier.cellular_kinetics.lambda_z import LambdaZ, check_gates, estimate_lambda_z
from celldossier.cellular_kinetics.limbs import estimate_expansion_rate, estimate_loss, has_peak
from celldossier.cellular_kinetics.profiles import Bools, Floats, Profiles, derive_profiles
from celldossier.cellular_kinetics.samples import PROFILE_KEYS, check_samples
from celldossier.settings.cellular_kinetics import CellularKineticsSettings, partial_area_code
from celldossier.terms.parameters import order_parameters, parameter_unit

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class NcaResult:
    """What an NCA hands on.

    Attributes
    ----------
    parameters
        USUBJID, ANALYTE, DOSENO, PARAMCD, AVAL, AVALU, FLAG (codes joined by a
        semicolon), REASND (reason code where AVAL is empty); in the order of the
        parameter registry.
    lambda_z
        The raw fit of each profile with its window, and GATE: PASS or the reason.
    persistence
        Loss of quantifiability of each profile as an interval: LOWER, UPPER (empty
        where right-censored), STATUS (LOSS, CENSORED, NEVER or NOSAMPLE).
    dispositions
        What became of each sample (see `dispositions.derive_dispositions`).
    findings
        What is worth a look in the samples: CODE, USUBJID, ANALYTE, DOSENO, TIME,
        CONC, ROW.
    """

    parameters: pd.DataFrame
    lambda_z: pd.DataFrame
    persistence: pd.DataFrame
    dispositions: pd.DataFrame
    findings: pd.DataFrame


@dataclass(frozen=True)
class _Column:
    """One parameter of all profiles."""

    value: Floats
    flag: Texts
    reason: Texts


def estimate_nca(
    samples: pd.DataFrame,
    settings: CellularKineticsSettings,
    *,
    time_unit: str = "d",
    conc_unit: str = "",
) -> NcaResult:
    """Parameters of cellular kinetics after one dose.

    Parameters
    ----------
    samples
        One row a sample: USUBJID, ANALYTE, TIME (since the start of the first
        infusion), CONC (blank where BLQ = 1 or missing), BLQ (0/1), LLOQ; optional
        NTIME, ULOQ, DOSE, DOSENO, DOSETIME, CENSTIME (death, relapse with new
        therapy, unplanned re-infusion: R15), CONCU (unit of CONC). The row order
        has no influence but for `duplicates: first`.
    settings
        Rules; times in them are in the unit of TIME.
    time_unit
        Unit of TIME.
    conc_unit
        Unit of CONC where the profile has no CONCU; blank leaves the units of
        concentrations and areas blank.

    Returns
    -------
    NcaResult

    Raises
    ------
    InputDataError
        All faults of the samples, see `check_samples` and `derive_profiles`.

    References
    ----------
    Rules R1 to R17 and R20 to R22 of the project's NCA rules; parameter formulas in
    ``resources/terms/nca_parameters.yaml``.
    """
    checked = check_samples(samples)
    profiles, outside = derive_profiles(checked, settings)
    # What leaves the range of doubles ends as a value with the reason OVERFLOW.
    with np.errstate(all="ignore"):
        fit = estimate_lambda_z(profiles, settings)
        gate = check_gates(fit, settings)
        columns = {
            **_estimate_peak(profiles),
            **_estimate_areas(profiles, fit, gate, settings),
            **_estimate_early_sensitivity(profiles, checked, settings),
            **_report_lambda_z(profiles, fit, gate),
            **_estimate_limbs(profiles),
        }
    return NcaResult(
        parameters=_lengthen(columns, profiles.keys, time_unit, conc_unit),
        lambda_z=_list_lambda_z(profiles, fit, gate),
        persistence=_list_persistence(profiles),
        dispositions=derive_dispositions(checked, profiles, outside, fit.window),
        findings=list_findings(checked, profiles, outside, estimate_loss(profiles).later),
    )


def _column(
    profiles: Profiles, value: Floats, reason: Texts | str = "", flag: Texts | str = ""
) -> _Column:
    """A parameter; profiles without a post-dose result give NOSAMPLE."""
    shape = profiles.last.shape
    reasons = np.where(
        profiles.sampled, np.broadcast_to(np.asarray(reason, dtype=object), shape), "NOSAMPLE"
    )
    # A product of huge or tiny numbers may leave the range of doubles.
    reasons = np.where((reasons == "") & ~np.isfinite(value), "OVERFLOW", reasons).astype(object)
    empty = reasons != ""
    flags = np.where(empty, "", np.broadcast_to(np.asarray(flag, dtype=object), shape))
    return _Column(np.where(empty, np.nan, value), flags.astype(object), reasons)


def _either(*cases: tuple[Bools, str]) -> Texts:
    """The text of the first case that holds, "" where none does."""
    masks, texts = zip(*cases, strict=True)
    return np.asarray(np.select(list(masks), list(texts), ""), dtype=object)


def _join_flags(first: Texts, second: Texts) -> Texts:
    """Both flags, joined by a semicolon where both are given."""
    joined = first + np.where((first != "") & (second != ""), ";", "") + second
    return np.asarray(joined, dtype=object)


def _estimate_peak(profiles: Profiles) -> dict[str, _Column]:
    """CMAX, TMAX, CLST, TLST, CMAXTMAX (R9, R10, R21)."""
    never = profiles.never_quantifiable
    peak = has_peak(profiles)
    count = (profiles.quantifiable | profiles.blq).sum(axis=1)
    offset = (profiles.disposition == "START0").any(axis=1)
    at_end = peak & (profiles.peak == count - 1 + offset)
    flag = _join_flags(
        _either((never, "BLQALL"), (at_end, "PEAKLAST")),
        _either((peak & profiles.at(profiles.above, profiles.peak), "ALQ")),
    )
    no_peak = _either((never, "BLQALL"), (~peak, "NOPEAK"))
    cmax = np.where(never, 0.0, profiles.at(profiles.conc, profiles.peak))
    tmax = profiles.at(profiles.time, profiles.peak)
    at_dose = _either((never, "BLQALL"), (~peak, "NOPEAK"), (tmax == 0, "TMAXZERO"))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = cmax / tmax
    blq_all = _either((never, "BLQALL"))
    return {
        "CMAX": _column(profiles, cmax, np.where(never, "", no_peak), flag),
        "TMAX": _column(profiles, tmax, no_peak, _either((at_end, "PEAKLAST"))),
        "CMAXTMAX": _column(profiles, ratio, at_dose, _either((at_end, "PEAKLAST"))),
        "CLST": _column(profiles, profiles.at(profiles.conc, profiles.last), blq_all),
        "TLST": _column(profiles, profiles.at(profiles.time, profiles.last), blq_all),
    }


def _estimate_areas(
    profiles: Profiles, fit: LambdaZ, gate: Texts, settings: CellularKineticsSettings
) -> dict[str, _Column]:
    """AUCLST, AUC<day>, AUC<day>PE, AUCIFO, AUCPEO (R11 to R15, R22)."""
    never = profiles.never_quantifiable
    curve = derive_curve(profiles, settings.auc_rule)
    no_start = lacks_start(profiles, curve)
    started = _either(((profiles.disposition == "START0").any(axis=1), "START0"))
    to_last = np.where(never, 0.0, area_to_last(curve))
    last_reason = _either((no_start, "NOSTART"))
    infinite_reason = _either((never, "BLQALL"), (no_start, "NOSTART"))
    infinite_reason = np.where(infinite_reason == "", gate, infinite_reason)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        beyond = profiles.at(profiles.conc, profiles.last) / fit.rate
        infinite = to_last + beyond
        share = 100 * beyond / infinite
    blq_all = _either((never, "BLQALL"))
    columns = {
        "AUCLST": _column(profiles, to_last, last_reason, _join_flags(blq_all, started)),
        "AUCIFO": _column(profiles, infinite, infinite_reason, started),
        "AUCPEO": _column(profiles, share, infinite_reason, started),
    }
    for _, end in settings.partial_areas:
        part = estimate_partial_area(profiles, curve, fit, end, settings)
        code = partial_area_code(end)
        flag = _join_flags(part.flag, started)
        columns[code] = _column(profiles, part.area, part.area_reason, flag)
        share_flag = np.where(part.area_reason == "EXTRAPOL", "EXTRAPOL", part.flag)
        columns[f"{code}PE"] = _column(
            profiles, part.share, part.share_reason, _join_flags(share_flag.astype(object), started)
        )
    return columns


def _estimate_early_sensitivity(
    profiles: Profiles, samples: pd.DataFrame, settings: CellularKineticsSettings
) -> dict[str, _Column]:
    """AUC<day>XE: the partial areas without post-dose samples before `peak_from` (R9).

    Only the profiles that have such samples are computed anew, from their
    remaining samples; the others keep their area.
    """
    if settings.peak_from == 0 or not settings.partial_areas:
        return {}
    rows = profiles.row[profiles.early]
    kept = samples.drop(index=samples.index[rows])
    affected = profiles.early.any(axis=1)
    keys = profiles.keys[PROFILE_KEYS]
    columns = {}
    fit = estimate_lambda_z(profiles, settings)
    curve = derive_curve(profiles, settings.auc_rule)
    others = kept.merge(keys[affected], on=PROFILE_KEYS)
    remaining, position = None, np.zeros(0, dtype=np.int64)
    if len(others):
        remaining, _ = derive_profiles(others, settings)
        position = np.asarray(
            pd.MultiIndex.from_frame(keys).get_indexer(
                pd.MultiIndex.from_frame(remaining.keys[PROFILE_KEYS])
            )
        )
        remaining_curve = derive_curve(remaining, settings.auc_rule)
        remaining_fit = estimate_lambda_z(remaining, settings)
    for _, end in settings.partial_areas:
        part = estimate_partial_area(profiles, curve, fit, end, settings)
        area, flag, reason = part.area.copy(), part.flag.copy(), part.area_reason.copy()
        area[affected], flag[affected], reason[affected] = np.nan, "", "NOSAMPLE"
        if remaining is not None:
            new = estimate_partial_area(remaining, remaining_curve, remaining_fit, end, settings)
            area[position], flag[position], reason[position] = new.area, new.flag, new.area_reason
        columns[f"{partial_area_code(end)}XE"] = _column(profiles, area, reason, flag)
    return columns


def _report_lambda_z(profiles: Profiles, fit: LambdaZ, gate: Texts) -> dict[str, _Column]:
    """lambda-z and half-life behind their gates, the raw ones, and the window (R16, R17)."""
    reason = np.where(profiles.never_quantifiable, "BLQALL", gate).astype(object)
    raw_reason = np.where(np.isin(reason, ["R2LOW", "SPANLOW"]), "", reason).astype(object)
    failed = np.where(raw_reason == "", gate, "").astype(object)
    gated = {"LAMZ": fit.rate, "LAMZHL": fit.half_life}
    raw = {
        "LAMZRAW": fit.rate,
        "LAMZHLR": fit.half_life,
        "LAMZNPT": fit.points,
        "LAMZLL": fit.lower,
        "LAMZUL": fit.upper,
        "R2ADJ": fit.r2adj,
        "LAMZSPN": fit.span,
    }
    return {
        **{code: _column(profiles, value, reason) for code, value in gated.items()},
        **{code: _column(profiles, value, raw_reason, failed) for code, value in raw.items()},
    }


def _estimate_limbs(profiles: Profiles) -> dict[str, _Column]:
    """TBQL, EXPRATE, DOUBT (R20, R21)."""
    never = profiles.never_quantifiable
    loss = estimate_loss(profiles)
    rate = estimate_expansion_rate(profiles)
    few = _either((never, "BLQALL"), (~has_peak(profiles), "NOPEAK"), (np.isnan(rate), "FEWRISE"))
    not_lost = _either((never, "BLQALL"), (np.isnan(loss.time), "NOLOSS"))
    with np.errstate(divide="ignore"):
        doubling = np.log(2.0) / rate
    return {
        "TBQL": _column(profiles, loss.time, not_lost, _either((loss.again, "REEXPAND"))),
        "EXPRATE": _column(profiles, rate, few),
        "DOUBT": _column(profiles, doubling, few),
    }


def _lengthen(
    columns: dict[str, _Column], keys: pd.DataFrame, time_unit: str, conc_unit: str
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


def _list_lambda_z(profiles: Profiles, fit: LambdaZ, gate: Texts) -> pd.DataFrame:
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


def _list_persistence(profiles: Profiles) -> pd.DataFrame:
    """Loss of quantifiability as an interval (R20)."""
    loss = estimate_loss(profiles)
    frame = _profile_frame(profiles)
    frame["LOWER"] = np.where(profiles.sampled, loss.lower, np.nan)
    frame["UPPER"] = np.where(profiles.sampled, loss.time, np.nan)
    frame["STATUS"] = np.select(
        [~profiles.sampled, profiles.never_quantifiable, np.isnan(loss.time)],
        ["NOSAMPLE", "NEVER", "CENSORED"],
        "LOSS",
    ).astype(object)
    return frame

"""The parameters of profiles: peak, areas, terminal phase and limbs (R9 to R17, R20 to R22)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from celldossier.cellular_kinetics.areas import (
    Curve,
    PartialArea,
    area_to_last,
    derive_curve,
    estimate_partial_area,
    lacks_start,
)
from celldossier.cellular_kinetics.arrangement import Arrangement
from celldossier.cellular_kinetics.codes import (
    BLANK,
    Codes,
    code_of,
    either,
    first_given,
    has_flag,
    is_one_of,
    join_flags,
)
from celldossier.cellular_kinetics.columns import Column, flag_start, make_column
from celldossier.cellular_kinetics.lambda_z import LambdaZ, check_gates, estimate_lambda_z
from celldossier.cellular_kinetics.limbs import Loss, estimate_expansion_rate, has_peak
from celldossier.cellular_kinetics.profiles import (
    Block,
    Profiles,
    derive_last_phase,
    pad_rows,
)
from celldossier.cellular_kinetics.reviewed_windows import ReviewedFit, put_fits, take_fits
from celldossier.settings.cellular_kinetics import CellularKineticsSettings, partial_area_code

OF_REGRESSION = (
    *("LAMZ", "LAMZHL", "LAMZRAW", "LAMZHLR", "LAMZNPT", "LAMZLL", "LAMZUL", "R2ADJ", "LAMZSPN"),
    *("AUCIFO", "AUCPEO"),
)
"""Parameters that come of the terminal regression, flagged where its window was reviewed."""


def estimate_columns(
    block: Block,
    arrangement: Arrangement,
    review: ReviewedFit,
    loss: Loss,
    settings: CellularKineticsSettings,
) -> dict[str, Column]:
    """The parameters of each profile by code; what a review or further doses change is marked.

    Parameters
    ----------
    block, arrangement
        The profiles, and what they were taken from.
    review, loss
        Terminal regression and loss after the last dose.
    """
    profiles, fit = block.profiles, review.fit
    gate = check_gates(fit, settings)
    curve = derive_curve(profiles, settings.auc_rule)
    parts = {
        partial_area_code(end): estimate_partial_area(profiles, curve, fit, end, settings)
        for _, end in settings.partial_areas
    }
    columns = {
        **_estimate_peak(profiles),
        **_estimate_areas(profiles, curve, parts, fit, gate),
        **_estimate_early_sensitivity(block, arrangement, parts, review, settings),
        **_report_lambda_z(profiles, fit, gate),
        **_estimate_limbs(profiles, loss),
    }
    for code in OF_REGRESSION if review.reviewed.any() else ():
        flagged = columns[code].flag_where(review.reviewed, "LZREV")
        columns[code] = flagged.flag_where(review.with_peak, "LZPEAK")
    columns = flag_reviewed_tails(columns, review)
    several = profiles.last_dose > 0
    if not several.any():
        return columns
    for code in ("EXPRATE", "DOUBT"):
        columns[code] = columns[code].empty_where(several, "SEVDOSES", "FEWRISE")
    return {code: column.flag_where(several, "COURSE") for code, column in columns.items()}


def flag_reviewed_tails(columns: dict[str, Column], review: ReviewedFit) -> dict[str, Column]:
    """The parameters, those that a reviewed regression extrapolated flagged (R14, R18)."""
    if not review.reviewed.any():
        return columns
    return {
        code: column.flag_where(
            review.reviewed & has_flag(column.flag, ("EXTRAP", "EXTRAPOL")), "LZREV"
        )
        for code, column in columns.items()
    }


def _estimate_peak(profiles: Profiles) -> dict[str, Column]:
    """CMAX, TMAX, CLST, TLST, CMAXTMAX (R9, R10, R21)."""
    never = profiles.never_quantifiable
    peak = has_peak(profiles)
    count = (profiles.quantifiable | profiles.blq).sum(axis=1)
    at_end = peak & (profiles.peak == count - 1 + profiles.inserted)
    flag = join_flags(
        either((never, "BLQALL"), (at_end, "PEAKLAST")),
        either((peak & profiles.at(profiles.above, profiles.peak), "ALQ")),
    )
    no_peak = either((never, "BLQALL"), (~peak, "NOPEAK"))
    cmax = np.where(never, 0.0, profiles.at(profiles.conc, profiles.peak))
    tmax = profiles.at(profiles.time, profiles.peak)
    at_dose = either((never, "BLQALL"), (~peak, "NOPEAK"), (tmax == 0, "TMAXZERO"))
    ratio = cmax / tmax
    blq_all = either((never, "BLQALL"))
    return {
        "CMAX": make_column(profiles, cmax, either((~peak & ~never, "NOPEAK")), flag),
        "TMAX": make_column(profiles, tmax, no_peak, either((at_end, "PEAKLAST"))),
        "CMAXTMAX": make_column(profiles, ratio, at_dose, either((at_end, "PEAKLAST"))),
        "CLST": make_column(profiles, profiles.at(profiles.conc, profiles.last), blq_all),
        "TLST": make_column(profiles, profiles.at(profiles.time, profiles.last), blq_all),
    }


def _estimate_areas(
    profiles: Profiles, curve: Curve, parts: dict[str, PartialArea], fit: LambdaZ, gate: Codes
) -> dict[str, Column]:
    """AUCLST, AUC<day>, AUC<day>PE, AUCIFO, AUCPEO (R11 to R15, R22)."""
    never = profiles.never_quantifiable
    no_start = lacks_start(profiles, curve)
    started = flag_start(profiles)
    to_last = np.where(never, 0.0, area_to_last(curve))
    last_reason = either((no_start, "NOSTART"))
    infinite_reason = first_given(either((never, "BLQALL"), (no_start, "NOSTART")), gate)
    beyond = profiles.at(profiles.conc, profiles.last) / fit.rate
    infinite = to_last + beyond
    share = 100 * beyond / infinite
    blq_all = either((never, "BLQALL"))
    columns = {
        "AUCLST": make_column(profiles, to_last, last_reason, join_flags(blq_all, started)),
        "AUCIFO": make_column(profiles, infinite, infinite_reason, started),
        "AUCPEO": make_column(profiles, share, infinite_reason, started),
    }
    for code, part in parts.items():
        flag = join_flags(part.flag, started)
        columns[code] = make_column(profiles, part.area, part.area_reason, flag)
        too_far = either((part.area_reason == code_of("EXTRAPOL"), "EXTRAPOL"))
        flag = join_flags(first_given(too_far, part.flag), started)
        columns[f"{code}PE"] = make_column(profiles, part.share, part.share_reason, flag)
    return columns


def _estimate_early_sensitivity(
    block: Block,
    arrangement: Arrangement,
    parts: dict[str, PartialArea],
    review: ReviewedFit,
    settings: CellularKineticsSettings,
) -> dict[str, Column]:
    """AUC<day>XE: the partial areas without post-dose samples before `peak_from` (R9).

    Only the profiles that have such samples are computed anew, from their
    remaining samples; the others keep their area.
    """
    if settings.peak_from == 0:
        return {}
    profiles, used = block.profiles, block.used
    affected = np.flatnonzero(profiles.early.any(axis=1))
    new: dict[str, PartialArea] = {}
    if len(affected):
        number = np.full(len(profiles.last), -1)
        number[affected] = np.arange(len(affected))
        column = block.column[block.column >= 0]
        kept = (number[used.profile] >= 0) & ~profiles.early.T[column, used.profile]
        rows = used.take(kept)
        rest = replace(rows, profile=number[rows.profile])
        remaining, _ = pad_rows(rest, arrangement, block.first + affected, settings)
        curve = derive_curve(remaining, settings.auc_rule)
        fit = estimate_lambda_z(derive_last_phase(remaining), settings)
        # The points of a reviewed window follow the peak, which no early sample defines.
        kept_fit = np.flatnonzero(review.reviewed[affected])
        fit = put_fits(fit, take_fits(review.fit, affected[kept_fit]), kept_fit, window=False)
        new = {
            partial_area_code(end): estimate_partial_area(remaining, curve, fit, end, settings)
            for _, end in settings.partial_areas
        }
    columns = {}
    for code, part in parts.items():
        area, flag, reason = part.area.copy(), part.flag.copy(), part.area_reason.copy()
        if code in new:
            area[affected] = new[code].area
            flag[affected], reason[affected] = new[code].flag, new[code].area_reason
        columns[f"{code}XE"] = make_column(profiles, area, reason, flag)
    return columns


def _report_lambda_z(profiles: Profiles, fit: LambdaZ, gate: Codes) -> dict[str, Column]:
    """lambda-z and half-life behind their gates, the raw ones, and the window (R16, R17)."""
    reason = first_given(either((profiles.never_quantifiable, "BLQALL")), gate)
    raw_reason = np.where(is_one_of(reason, ["R2LOW", "SPANLOW"]), BLANK, reason).astype(np.int16)
    failed = np.where(raw_reason == BLANK, gate, BLANK).astype(np.int16)
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
        **{code: make_column(profiles, value, reason) for code, value in gated.items()},
        **{code: make_column(profiles, value, raw_reason, failed) for code, value in raw.items()},
    }


def _estimate_limbs(profiles: Profiles, loss: Loss) -> dict[str, Column]:
    """TBQL, EXPRATE, DOUBT (R20, R21)."""
    never = profiles.never_quantifiable
    rate = estimate_expansion_rate(profiles)
    few = either((never, "BLQALL"), (~has_peak(profiles), "NOPEAK"), (np.isnan(rate), "FEWRISE"))
    not_lost = either((never, "BLQALL"), (np.isnan(loss.time), "NOLOSS"))
    doubling = np.log(2.0) / rate
    return {
        "TBQL": make_column(profiles, loss.time, not_lost, either((loss.again, "REEXPAND"))),
        "EXPRATE": make_column(profiles, rate, few),
        "DOUBT": make_column(profiles, doubling, few),
    }

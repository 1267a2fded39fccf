"""Non-compartmental analysis of cellular kinetics (rules R1 to R17, R20 to R23).

`estimate_nca` takes samples and gives parameters, each with its unit, a flag, or
the reason for its absence. All profiles are computed at once on padded arrays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.cellular_kinetics.areas import (
    area_to_last,
    derive_curve,
    estimate_partial_area,
    lacks_start,
)
from celldossier.cellular_kinetics.columns import (
    Column,
    Texts,
    either,
    flag_start,
    join_flags,
    make_column,
)
from celldossier.cellular_kinetics.dispositions import derive_dispositions, list_findings
from celldossier.cellular_kinetics.doses import (
    PROFILE_KEYS,
    derive_doses,
    gather_courses,
    has_intervals,
    share_troughs,
)
from celldossier.cellular_kinetics.frames import (
    lengthen_parameters,
    list_lambda_z,
    list_persistence,
)
from celldossier.cellular_kinetics.intervals import (
    compare_to_first,
    end_at_next_dose,
    estimate_intervals,
    take_areas_of_course,
)
from celldossier.cellular_kinetics.lambda_z import LambdaZ, check_gates, estimate_lambda_z
from celldossier.cellular_kinetics.limbs import (
    Loss,
    estimate_expansion_rate,
    estimate_loss,
    has_peak,
)
from celldossier.cellular_kinetics.profiles import (
    Profiles,
    derive_last_phase,
    derive_profiles,
)
from celldossier.cellular_kinetics.samples import check_samples
from celldossier.settings.cellular_kinetics import CellularKineticsSettings, partial_area_code


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
        where right-censored), STATUS (LOSS, CENSORED, NEVER, NOSAMPLE, or NEXTDOSE where
        a further dose followed).
    dispositions
        What became of each sample (see `dispositions.derive_dispositions`); a trough has
        one in either interval.
    findings
        What is worth a look in the samples: CODE, USUBJID, ANALYTE, DOSENO, TIME,
        CONC, ROW.
    """

    parameters: pd.DataFrame
    lambda_z: pd.DataFrame
    persistence: pd.DataFrame
    dispositions: pd.DataFrame
    findings: pd.DataFrame


def estimate_nca(
    samples: pd.DataFrame,
    settings: CellularKineticsSettings,
    *,
    time_unit: str = "d",
    conc_unit: str = "",
    course: bool = False,
) -> NcaResult:
    """Parameters of cellular kinetics after one dose, or after each of several.

    Parameters
    ----------
    samples
        One row a sample: USUBJID, ANALYTE, TIME (since the start of the first
        infusion), CONC (blank where BLQ = 1 or missing), BLQ (0/1), LLOQ; optional
        NTIME, ULOQ, DOSE, CENSTIME (death, relapse with new therapy, unplanned
        re-infusion: R15), CONCU (unit of CONC). For repeat doses (R23) DOSENO, the dose
        that the sample belongs to (fractions of a split dose share it), DOSETIME and
        NDOSETIME, its actual and nominal time on the clock of TIME, TAU, the
        protocol's interval, and CYCLE, whose last dose has that interval. The row
        order has no influence but for `duplicates: first`.
    settings
        Rules; times in them are in the unit of TIME.
    time_unit
        Unit of TIME.
    conc_unit
        Unit of CONC where the profile has no CONCU; blank leaves the units of
        concentrations and areas blank.
    course
        Several doses of a subject as one profile, the course, on the clock of its first
        dose (R15); else each as a profile of its own (R23).

    Returns
    -------
    NcaResult

    Raises
    ------
    InputDataError
        All faults of the samples, see `check_samples` and `derive_profiles`.

    References
    ----------
    Rules R1 to R17 and R20 to R23 of the project's NCA rules; parameter formulas in
    ``resources/terms/nca_parameters.yaml``.
    """
    checked = check_samples(samples)
    doses = derive_doses(checked) if has_intervals(checked) else None
    if course:
        shared = gather_courses(checked, doses)
        doses = None
    else:
        shared = share_troughs(checked, doses, settings.trough_window)
    profiles, outside = derive_profiles(shared, settings)
    # What leaves the range of doubles ends as a value with the reason OVERFLOW.
    with np.errstate(all="ignore"):
        last_phase = derive_last_phase(profiles)
        fit = estimate_lambda_z(last_phase, settings)
        loss = estimate_loss(last_phase)
        columns = _estimate_columns(profiles, shared, fit, loss, settings)
        if doses is not None:
            columns = _add_intervals(columns, profiles, fit, checked, doses, settings)
    gate = check_gates(fit, settings)
    return NcaResult(
        parameters=lengthen_parameters(columns, profiles.keys, time_unit, conc_unit),
        lambda_z=list_lambda_z(profiles, fit, gate),
        persistence=list_persistence(profiles, loss),
        dispositions=derive_dispositions(shared, profiles, outside, fit.window),
        findings=list_findings(shared, profiles, outside, loss.later),
    )


def _estimate_columns(
    profiles: Profiles,
    samples: pd.DataFrame,
    fit: LambdaZ,
    loss: Loss,
    settings: CellularKineticsSettings,
) -> dict[str, Column]:
    """The parameters of one profile; what further doses in it change is marked."""
    gate = check_gates(fit, settings)
    columns = {
        **_estimate_peak(profiles),
        **_estimate_areas(profiles, fit, gate, settings),
        **_estimate_early_sensitivity(profiles, samples, settings),
        **_report_lambda_z(profiles, fit, gate),
        **_estimate_limbs(profiles, loss),
    }
    several = profiles.last_dose > 0
    if not several.any():
        return columns
    for code in ("EXPRATE", "DOUBT"):
        columns[code] = columns[code].empty_where(several, "SEVDOSES", "FEWRISE")
    return {code: column.flag_where(several, "COURSE") for code, column in columns.items()}


def _add_intervals(
    columns: dict[str, Column],
    profiles: Profiles,
    fit: LambdaZ,
    samples: pd.DataFrame,
    doses: pd.DataFrame,
    settings: CellularKineticsSettings,
) -> dict[str, Column]:
    """The parameters of each dose, with those of its interval (R23)."""
    curve = derive_curve(profiles, settings.auc_rule)
    columns = {**columns, **estimate_intervals(profiles, curve, fit, settings)}
    columns |= compare_to_first(profiles, columns, settings)
    ended = end_at_next_dose(columns, profiles)
    if not doses["REPEATED"].any():
        return ended
    courses = gather_courses(samples, doses)
    whole, _ = derive_profiles(courses, settings)
    last_phase = derive_last_phase(whole)
    areas = _estimate_columns(
        whole,
        courses,
        estimate_lambda_z(last_phase, settings),
        estimate_loss(last_phase),
        settings,
    )
    return take_areas_of_course(ended, profiles, areas, whole.keys)


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
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = cmax / tmax
    blq_all = either((never, "BLQALL"))
    return {
        "CMAX": make_column(profiles, cmax, np.where(never, "", no_peak), flag),
        "TMAX": make_column(profiles, tmax, no_peak, either((at_end, "PEAKLAST"))),
        "CMAXTMAX": make_column(profiles, ratio, at_dose, either((at_end, "PEAKLAST"))),
        "CLST": make_column(profiles, profiles.at(profiles.conc, profiles.last), blq_all),
        "TLST": make_column(profiles, profiles.at(profiles.time, profiles.last), blq_all),
    }


def _estimate_areas(
    profiles: Profiles, fit: LambdaZ, gate: Texts, settings: CellularKineticsSettings
) -> dict[str, Column]:
    """AUCLST, AUC<day>, AUC<day>PE, AUCIFO, AUCPEO (R11 to R15, R22)."""
    never = profiles.never_quantifiable
    curve = derive_curve(profiles, settings.auc_rule)
    no_start = lacks_start(profiles, curve)
    started = flag_start(profiles)
    to_last = np.where(never, 0.0, area_to_last(curve))
    last_reason = either((no_start, "NOSTART"))
    infinite_reason = either((never, "BLQALL"), (no_start, "NOSTART"))
    infinite_reason = np.where(infinite_reason == "", gate, infinite_reason)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        beyond = profiles.at(profiles.conc, profiles.last) / fit.rate
        infinite = to_last + beyond
        share = 100 * beyond / infinite
    blq_all = either((never, "BLQALL"))
    columns = {
        "AUCLST": make_column(profiles, to_last, last_reason, join_flags(blq_all, started)),
        "AUCIFO": make_column(profiles, infinite, infinite_reason, started),
        "AUCPEO": make_column(profiles, share, infinite_reason, started),
    }
    for _, end in settings.partial_areas:
        part = estimate_partial_area(profiles, curve, fit, end, settings)
        code = partial_area_code(end)
        flag = join_flags(part.flag, started)
        columns[code] = make_column(profiles, part.area, part.area_reason, flag)
        share_flag = np.where(part.area_reason == "EXTRAPOL", "EXTRAPOL", part.flag)
        columns[f"{code}PE"] = make_column(
            profiles, part.share, part.share_reason, join_flags(share_flag.astype(object), started)
        )
    return columns


def _estimate_early_sensitivity(
    profiles: Profiles, samples: pd.DataFrame, settings: CellularKineticsSettings
) -> dict[str, Column]:
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
    fit = estimate_lambda_z(derive_last_phase(profiles), settings)
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
        remaining_fit = estimate_lambda_z(derive_last_phase(remaining), settings)
    for _, end in settings.partial_areas:
        part = estimate_partial_area(profiles, curve, fit, end, settings)
        area, flag, reason = part.area.copy(), part.flag.copy(), part.area_reason.copy()
        area[affected], flag[affected], reason[affected] = np.nan, "", "NOSAMPLE"
        if remaining is not None:
            new = estimate_partial_area(remaining, remaining_curve, remaining_fit, end, settings)
            area[position], flag[position], reason[position] = new.area, new.flag, new.area_reason
        columns[f"{partial_area_code(end)}XE"] = make_column(profiles, area, reason, flag)
    return columns


def _report_lambda_z(profiles: Profiles, fit: LambdaZ, gate: Texts) -> dict[str, Column]:
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
        **{code: make_column(profiles, value, reason) for code, value in gated.items()},
        **{code: make_column(profiles, value, raw_reason, failed) for code, value in raw.items()},
    }


def _estimate_limbs(profiles: Profiles, loss: Loss) -> dict[str, Column]:
    """TBQL, EXPRATE, DOUBT (R20, R21)."""
    never = profiles.never_quantifiable
    rate = estimate_expansion_rate(profiles)
    few = either((never, "BLQALL"), (~has_peak(profiles), "NOPEAK"), (np.isnan(rate), "FEWRISE"))
    not_lost = either((never, "BLQALL"), (np.isnan(loss.time), "NOLOSS"))
    with np.errstate(divide="ignore"):
        doubling = np.log(2.0) / rate
    return {
        "TBQL": make_column(profiles, loss.time, not_lost, either((loss.again, "REEXPAND"))),
        "EXPRATE": make_column(profiles, rate, few),
        "DOUBT": make_column(profiles, doubling, few),
    }

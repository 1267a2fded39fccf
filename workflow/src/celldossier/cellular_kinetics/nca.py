"""Non-compartmental analysis of cellular kinetics (rules R1 to R18, R20 to R24).

`estimate_nca` takes samples and gives parameters, each with its unit, a flag, or
the reason for its absence. Profiles are computed by the block, on padded arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from celldossier.cellular_kinetics.areas import derive_curve
from celldossier.cellular_kinetics.arrangement import Arrangement, arrange_samples
from celldossier.cellular_kinetics.baseline_adjusted import adjust_columns
from celldossier.cellular_kinetics.columns import Column
from celldossier.cellular_kinetics.dispositions import derive_dispositions, list_findings
from celldossier.cellular_kinetics.doses import (
    PROFILE_KEYS,
    derive_doses,
    gather_courses,
    share_troughs,
)
from celldossier.cellular_kinetics.frames import (
    BlockResult,
    FrameMaker,
    as_plain_text,
    blank_terminal,
    block_bounds,
    list_lambda_z,
    list_persistence,
)
from celldossier.cellular_kinetics.intervals import (
    compare_to_first,
    end_at_next_dose,
    estimate_intervals,
    take_areas_of_course,
)
from celldossier.cellular_kinetics.lambda_z import check_gates, estimate_lambda_z
from celldossier.cellular_kinetics.limbs import estimate_loss
from celldossier.cellular_kinetics.parameters import estimate_columns, flag_reviewed_tails
from celldossier.cellular_kinetics.profiles import Profiles, derive_block, derive_last_phase
from celldossier.cellular_kinetics.reviewed_windows import (
    ReviewedFit,
    apply_windows,
    keep_automatic,
)
from celldossier.cellular_kinetics.sample_arrays import Samples, read_samples
from celldossier.cellular_kinetics.samples import check_samples
from celldossier.errors import InputDataError
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

BLOCK = 8192
"""Profiles computed at once: few enough that their arrays stay in the cache of a processor."""


@dataclass(frozen=True)
class NcaResult:
    """What an NCA hands on; texts are categoricals.

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

    def as_text(self) -> NcaResult:
        """The same with texts in place of categoricals, for what joins and compares them."""
        return NcaResult(**{name: as_plain_text(frame) for name, frame in vars(self).items()})


def estimate_nca(
    samples: pd.DataFrame,
    settings: CellularKineticsSettings,
    *,
    time_unit: str = "d",
    conc_unit: str = "",
    course: bool = False,
    windows: pd.DataFrame | None = None,
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
    windows
        Reviewed lambda-z windows, from `check_windows` (R18).

    Returns
    -------
    NcaResult

    Raises
    ------
    InputDataError
        All faults of the samples, see `check_samples` and `derive_profiles`, or of the
        reviewed windows, see `apply_windows`.

    References
    ----------
    Rules R1 to R18 and R20 to R24 of the project's NCA rules; parameter formulas in
    ``resources/terms/nca_parameters.yaml``.
    """
    options = Options(time_unit, conc_unit, course, windows)
    if settings.no_specific_marker:
        return _analyse_apart(samples, settings, options)
    return _analyse(samples, settings, options)


@dataclass(frozen=True)
class Options:
    """As for `estimate_nca`; `adjusted` for analytes without specific marker (R24)."""

    time_unit: str
    conc_unit: str
    course: bool
    windows: pd.DataFrame | None
    adjusted: bool = False


def _analyse_apart(
    samples: pd.DataFrame, settings: CellularKineticsSettings, options: Options
) -> NcaResult:
    """Analytes with and without a specific marker, each by its rules, as one result (R24)."""
    checked = check_samples(samples)
    numbered = samples.set_axis(pd.Index(checked["ROW"], name="row"))
    without = checked["ANALYTE"].isin(settings.no_specific_marker).to_numpy()
    # R4 is off: what is not known before the dose is not 0.
    unlike = settings.model_copy(update={"start": "none"})
    adjusted = replace(options, windows=None, adjusted=True)
    windows, faults = _refuse_windows(options.windows, settings)
    parts = []
    for rows, rules, choice in (
        (~without, settings, replace(options, windows=windows)),
        (without, unlike, adjusted),
    ):
        if not rows.any():
            if choice.windows is not None:
                names = choice.windows["ID"]
                faults += [f"Reviewed window {name}: there is no such profile." for name in names]
            continue
        try:
            parts.append(_analyse(numbered[rows], rules, choice))
        except InputDataError as error:
            faults += error.faults
    if faults:
        raise InputDataError(faults)
    if len(parts) == 1:
        return parts[0]
    frames = [vars(part.as_text()) for part in parts]
    joined = {}
    for name in frames[0]:
        rows = pd.concat([part[name] for part in frames], ignore_index=True)
        joined[name] = rows.sort_values(PROFILE_KEYS, kind="stable", ignore_index=True)
    return NcaResult(**joined)


def _refuse_windows(
    windows: pd.DataFrame | None, settings: CellularKineticsSettings
) -> tuple[pd.DataFrame | None, list[str]]:
    """The windows of the other analytes, and the faults: no terminal phase, no window of it."""
    if windows is None:
        return None, []
    wrong = windows["ANALYTE"].isin(settings.no_specific_marker)
    return windows[~wrong], [
        f"Reviewed window {window['ID']}: the analyte {window['ANALYTE']} has no specific marker "
        "and no terminal phase (R24)."
        for window in windows[wrong].to_dict("records")
    ]


def _analyse(
    samples: pd.DataFrame, settings: CellularKineticsSettings, options: Options
) -> NcaResult:
    """The analysis of analytes that follow one set of rules."""
    course, windows = options.course, options.windows
    checked = read_samples(samples)
    shared, doses = checked, None
    if checked.has_intervals:
        frame = checked.to_frame()
        found = derive_doses(frame)
        doses = None if course else found
        placed = (
            gather_courses(frame, found)
            if course
            else share_troughs(frame, found, settings.trough_window)
        )
        shared = Samples.from_frame(placed)
    arrangement = arrange_samples(shared)
    frames = FrameMaker(arrangement, options.time_unit, options.conc_unit)
    # The doses of a course are compared with each other, and a decision may be on any profile:
    # then all stay together.
    size = BLOCK if doses is None and windows is None else len(arrangement)
    given = Given(checked, doses, windows, options.adjusted)
    try:
        for first, stop in block_bounds(len(arrangement), size):
            frames.add(_analyse_block(arrangement, first, stop, given, settings))
    except InputDataError:
        # All faults are told at once, whatever the block.
        derive_block(arrangement, settings, 0, len(arrangement))
        raise
    return NcaResult(
        parameters=frames.parameters(),
        lambda_z=frames.lambda_z(),
        persistence=frames.persistence(),
        dispositions=frames.dispositions(),
        findings=frames.findings(),
    )


@dataclass(frozen=True)
class Given:
    """What an analysis was given beside the arrangement of its samples."""

    samples: Samples
    doses: pd.DataFrame | None
    windows: pd.DataFrame | None
    adjusted: bool


def _analyse_block(
    arrangement: Arrangement,
    first: int,
    stop: int,
    given: Given,
    settings: CellularKineticsSettings,
) -> BlockResult:
    """All results of the profiles from number `first` to before `stop`."""
    block = derive_block(arrangement, settings, first, stop)
    profiles = block.profiles
    # What leaves the range of doubles ends as a value with the reason OVERFLOW.
    with np.errstate(all="ignore"):
        last_phase = derive_last_phase(profiles)
        automatic = estimate_lambda_z(last_phase, settings)
        review = apply_windows(automatic, last_phase, arrangement, given.windows, settings)
        fit = review.fit
        loss = estimate_loss(last_phase)
        columns = estimate_columns(block, arrangement, review, loss, settings)
        if given.doses is not None:
            columns = _add_intervals(columns, profiles, review, given, settings)
        elif given.adjusted:
            columns = adjust_columns(columns, profiles, settings)
        result = BlockResult(
            columns=columns,
            lambda_z=list_lambda_z(profiles, review, check_gates(fit, settings)),
            persistence=list_persistence(profiles, loss),
            dispositions=derive_dispositions(block, arrangement, fit.window, review.points),
            findings=list_findings(block, arrangement, loss.later),
        )
        return blank_terminal(result) if given.adjusted else result


def _add_intervals(
    columns: dict[str, Column],
    profiles: Profiles,
    review: ReviewedFit,
    given: Given,
    settings: CellularKineticsSettings,
) -> dict[str, Column]:
    """The parameters of each dose, with those of its interval (R23)."""
    doses = given.doses
    assert doses is not None
    curve = derive_curve(profiles, settings.auc_rule)
    intervals = estimate_intervals(profiles, curve, review.fit, settings)
    columns = {**columns, **flag_reviewed_tails(intervals, review)}
    columns |= compare_to_first(profiles, columns, settings)
    if given.adjusted:
        columns = adjust_columns(columns, profiles, settings)
    ended = end_at_next_dose(columns, profiles)
    if not doses["REPEATED"].any():
        return ended
    courses = arrange_samples(Samples.from_frame(gather_courses(given.samples.to_frame(), doses)))
    whole = derive_block(courses, settings, 0, len(courses))
    last_phase = derive_last_phase(whole.profiles)
    areas = estimate_columns(
        whole,
        courses,
        keep_automatic(estimate_lambda_z(last_phase, settings)),
        estimate_loss(last_phase),
        settings,
    )
    if given.adjusted:
        areas = adjust_columns(areas, whole.profiles, settings)
    return take_areas_of_course(ended, profiles, areas, whole.profiles.keys)

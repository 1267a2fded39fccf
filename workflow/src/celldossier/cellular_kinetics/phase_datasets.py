"""ADPH, the parameters that come of the phases (R19), and the fitted lines as curves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from celldossier.cellular_kinetics.doses import (
    PROFILE_KEYS,
    derive_doses,
    has_intervals,
    share_troughs,
)
from celldossier.cellular_kinetics.nca import NcaResult
from celldossier.cellular_kinetics.phases import PHASES, PhaseFit, find_phases
from celldossier.cellular_kinetics.profiles import Bools, Profiles, derive_profiles
from celldossier.cellular_kinetics.samples import check_samples
from celldossier.datasets import conform
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.terms.parameters import parameter_unit

NAMES = ("DISTRIBUTION", "EXPANSION", "CONTRACTION", "PERSISTENCE")
"""Names of the phases, in the order of `PHASES`."""

CURVE = "cellular_kinetics.phases"

Texts = npt.NDArray[np.object_]

_PARAMETERS = {
    "HLDIS": ("DISTRIBUTION", "PHHL"),
    "CNADIR": ("DISTRIBUTION", "CEND"),
    "TNADIR": ("DISTRIBUTION", "PHEND"),
    "PHEXPR": ("EXPANSION", "SLOPE"),
    "PHDOUBT": ("EXPANSION", "PHDT"),
    "EXPDUR": ("EXPANSION", "PHDUR"),
    "HLCON": ("CONTRACTION", "PHHL"),
    "HLCONLL": ("CONTRACTION", "PHSTART"),
    "HLCONUL": ("CONTRACTION", "PHEND"),
    "HLCONNPT": ("CONTRACTION", "PHNPT"),
    "CONDUR": ("CONTRACTION", "PHDUR"),
    "HLPER": ("PERSISTENCE", "PHHL"),
    "HLPERLL": ("PERSISTENCE", "PHSTART"),
    "HLPERUL": ("PERSISTENCE", "PHEND"),
    "HLPERNPT": ("PERSISTENCE", "PHNPT"),
    "PERDUR": ("PERSISTENCE", "PHDUR"),
}
# Parameter code: the phase and the variable of ADPH that it is.


def derive_phases(
    samples: pd.DataFrame, settings: CellularKineticsSettings, until: pd.Series | None = None
) -> pd.DataFrame:
    """The four phases of each profile, found or not.

    Parameters
    ----------
    samples
        As for `estimate_nca`.
    settings
        Section `cellular_kinetics`.
    until
        By USUBJID: time of a planned further infusion; later samples are of another course.

    Returns
    -------
    DataFrame
        USUBJID, ANALYTE, DOSENO and the variables of ADPH from PATTERN on; four rows a profile.
    """
    checked = check_samples(samples)
    doses = derive_doses(checked) if has_intervals(checked) else None
    shared = share_troughs(checked, doses, settings.trough_window)
    profiles, _ = derive_profiles(shared, settings)
    # The next dose of the course begins a profile of its own (R23).
    ends = np.minimum(profiles.censored, profiles.gap)
    if until is not None:
        later = profiles.keys["USUBJID"].map(until).astype("float64").to_numpy()
        ends = np.fmin(ends, np.where(profiles.keys["DOSENO"].to_numpy() == 1, later, np.nan))
    inside = profiles.time <= ends[:, None]
    usable = profiles.quantifiable & (profiles.time > 0) & inside
    fit = find_phases(profiles.time, profiles.conc, usable, settings.phases)
    return _lengthen(profiles, fit, inside, settings)


def _lengthen(
    profiles: Profiles, fit: PhaseFit, inside: Bools, settings: CellularKineticsSettings
) -> pd.DataFrame:
    """One row a phase, in order."""
    found = np.isfinite(fit.start)
    duration = fit.end - fit.start
    falling = found & (fit.slope < 0)
    rising = found & (fit.slope > 0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        half_life = np.where(falling, -np.log(2.0) / fit.slope, np.nan)
        doubling = np.where(rising, np.log(2.0) / fit.slope, np.nan)
        start, end = np.exp(fit.log_start), np.exp(fit.log_end)
        spread = np.sqrt(fit.sse / fit.count)
    span = duration / half_life
    count = len(PHASES)

    def repeat(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        return np.repeat(values, count)

    frame = profiles.keys.loc[profiles.keys.index.repeat(count), PROFILE_KEYS]
    frame = frame.reset_index(drop=True)
    frame["DOSENO"] = frame["DOSENO"].astype("int64")
    frame["PATTERN"] = repeat(fit.pattern)
    frame["PHASE"] = np.tile(np.array(NAMES, dtype=object), len(profiles.keys))
    frame["PHASEN"] = np.tile(np.arange(1, count + 1), len(profiles.keys))
    frame["PHASEFL"] = np.where(found, "Y", "N").astype(object).ravel()
    values = {
        **{"PHSTART": fit.start, "PHEND": fit.end, "PHDUR": duration, "SLOPE": fit.slope},
        **{"PHHL": half_life, "PHDT": doubling, "CSTART": start, "CEND": end},
        **{"PHNPT": fit.points, "PHSPAN": span},
    }
    for name, value in values.items():
        frame[name] = value.ravel()
    frame["CONCU"] = repeat(profiles.keys["CONCU"].to_numpy())
    frame["FLAG"] = _flag(profiles, fit, inside, span < settings.lambda_z.min_span).ravel()
    frame["PHRSN"] = _explain(profiles, fit, inside, settings).ravel()
    frame["NPTS"] = repeat(fit.count)
    frame["RESSD"] = repeat(spread)
    return frame


def _flag(profiles: Profiles, fit: PhaseFit, inside: Bools, short: Bools) -> Texts:
    """What to know of a phase that was found."""
    found = np.isfinite(fit.start)
    first = np.fmin.reduce(fit.start, axis=1, keepdims=True)
    last = np.fmax.reduce(fit.end, axis=1, keepdims=True)
    below = profiles.blq & inside & (profiles.time > 0)
    time = profiles.time[:, None, :]
    with np.errstate(invalid="ignore"):
        within = (time > fit.start[:, :, None]) & (time < fit.end[:, :, None])
    cases = {
        "STFIRST": fit.start == first,
        "ENDLAST": fit.end == last,
        "BLQIN": (within & below[:, None, :]).any(axis=2),
        "LEVEL": fit.slope == 0,
        "SHORTSPN": short,
    }
    flags = np.full(found.shape, "", dtype=object)
    for code, case in cases.items():
        applies = found & case
        joined = flags + np.where(flags != "", ";", "").astype(object) + code
        flags = np.where(applies, joined, flags)
    return flags


def _explain(
    profiles: Profiles, fit: PhaseFit, inside: Bools, settings: CellularKineticsSettings
) -> Texts:
    """Why a phase was not found."""
    shape = fit.start.shape
    pattern = fit.pattern[:, None]
    ends_rising = np.isin(pattern, ["E", "DE"])
    starts_falling = np.isin(pattern, ["C", "CP"])
    # After the last point of the lines nothing but results below the limit.
    usable = profiles.quantifiable & inside
    last = np.where(usable, profiles.time, -np.inf).max(axis=1, initial=-np.inf)
    lost = (profiles.blq & inside & (profiles.time > last[:, None])).any(axis=1)[:, None]
    phase = np.broadcast_to(np.arange(len(PHASES)), shape)
    few = (fit.count < settings.phases.min_points)[:, None]
    cases = [
        (np.isfinite(fit.start), ""),
        (~profiles.sampled[:, None], "NOSAMPLE"),
        (profiles.never_quantifiable[:, None], "BLQALL"),
        (few, "FEWPOINT"),
        (pattern == "", "NOPATTERN"),
        ((phase >= 2) & ends_rising, "RISING"),
        ((phase == 1) & starts_falling, "FALLING"),
        ((phase == 3) & lost, "BLQBEFOR"),
    ]
    masks = [np.broadcast_to(mask, shape) for mask, _ in cases]
    return np.select(masks, [code for _, code in cases], "NOPHASE").astype(object)


def find_repeat_infusion(adex: pd.DataFrame) -> pd.Series:
    """Time of the first planned repeat dose of each subject; split doses are one course."""
    again = adex[(adex["DOSETYPE"] == "REPEAT") & (adex["AFRLT"] > 0)]
    return again.groupby("USUBJID", sort=True)["AFRLT"].min()


def add_phase_parameters(result: NcaResult, phases: pd.DataFrame) -> NcaResult:
    """The parameters of the NCA, and those of the phases: half-lives with their windows (R19).

    A parameter of a phase that was not found carries the reason; a level persistence has no
    half-life (LEVEL). The flag ENDLAST says that the phase may last beyond the last
    quantifiable sample, SHORTSPN that it is shorter than ``lambda_z.min_span`` half-lives.
    """
    parts = []
    for code, (phase, variable) in _PARAMETERS.items():
        rows = phases[phases["PHASE"] == phase].reset_index(drop=True)
        value = rows[variable]
        reason = rows["PHRSN"].where(value.isna(), "")
        flags = rows["FLAG"].where(value.notna(), "")
        reason = reason.mask(value.isna() & (reason == ""), "LEVEL")
        units = {unit: parameter_unit(code, "d", unit) for unit in rows["CONCU"].unique()}
        part = rows[PROFILE_KEYS].assign(
            PARAMCD=code, AVAL=value, AVALU=rows["CONCU"].map(units), FLAG=flags, REASND=reason
        )
        parts.append(part[list(result.parameters.columns)])
    return replace(result, parameters=pd.concat([result.parameters, *parts], ignore_index=True))


def derive_adph(phases: pd.DataFrame, samples: pd.DataFrame, adsl: pd.DataFrame) -> pd.DataFrame:
    """Dataset ADPH.

    Parameters
    ----------
    phases
        From `derive_phases`.
    samples
        From `add_missing_profiles`.
    """
    studies = samples.drop_duplicates("USUBJID").set_index("USUBJID")["STUDYID"]
    arms = adsl.drop_duplicates("USUBJID").set_index("USUBJID")["TRT01A"]
    frame = phases.rename(columns={"ANALYTE": "PARCAT1"})
    subject = frame["USUBJID"]
    return conform(
        frame.assign(STUDYID=subject.map(studies), TRT01A=subject.map(arms).fillna("")), "ADPH"
    )


def mark_phases(adnca: pd.DataFrame, adph: pd.DataFrame) -> pd.DataFrame:
    """ADNCA with the phase of the interval that ends in each sample (PHASE)."""
    found = adph[adph["PHASEFL"] == "Y"].rename(columns={"PARCAT1": "PARAMCD"})
    keys = ["USUBJID", "PARAMCD", "DOSENO"]
    # The first quantifiable sample starts the first phase; no interval leads to it.
    first = found.groupby(keys)["PHSTART"].transform("min") == found["PHSTART"]
    found = found[[*keys, "PHASE", "PHSTART", "PHEND"]].assign(FIRST=first)
    places = adnca[[*keys, "MRRLT"]].reset_index(names="place").merge(found, on=keys)
    after = (places["MRRLT"] > places["PHSTART"]) | (
        places["FIRST"] & (places["MRRLT"] == places["PHSTART"])
    )
    inside = places[after & (places["MRRLT"] <= places["PHEND"])]
    phase = pd.Series("", index=adnca.index, dtype=object)
    phase.loc[inside["place"].to_numpy()] = inside["PHASE"].to_numpy()
    return conform(adnca.assign(PHASE=phase), "ADNCA")


def draw_phase_lines(adph: pd.DataFrame) -> pd.DataFrame:
    """The fitted lines of each subject as curves (dataset CURVES): their values at the knots."""
    found = adph[(adph["PHASEFL"] == "Y") & (adph["DOSENO"] == adph["DOSENO"].min())]
    keys = ["USUBJID", "PARCAT1"]
    ends = [
        found[[*keys, "CONCU"]].assign(x=found[time], y=found[value])
        for time, value in (("PHSTART", "CSTART"), ("PHEND", "CEND"))
    ]
    knots = pd.concat(ends, ignore_index=True).drop_duplicates([*keys, "x"])
    return conform(
        pd.DataFrame(
            {
                "curve_id": CURVE + "/" + knots["PARCAT1"].astype(str),
                "series": knots["USUBJID"],
                "x": knots["x"],
                "y": knots["y"],
                "x_unit": "d",
                "y_unit": knots["CONCU"],
                "kind": "fit",
            }
        ),
        "CURVES",
    )

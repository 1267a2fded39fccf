"""Versions of an assay on one scale before the NCA: the bridges, and dataset ADPPB (S8.4-1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from celldossier.cellular_kinetics.analysis_datasets import derive_adpp
from celldossier.cellular_kinetics.crosswalk import find_applicable_windows
from celldossier.cellular_kinetics.nca import NcaResult, estimate_nca
from celldossier.datasets import conform, read_specification
from celldossier.errors import InputDataError
from celldossier.settings.bridging import BridgeRules
from celldossier.settings.cellular_kinetics import CellularKineticsSettings
from celldossier.stats.bridging import Bridge, estimate_bridge

APPROACHES = ("BRIDGED", "HIGHLLOQ")
"""All on one scale, each with its own limit; and all with the highest limit of quantitation."""

NO_BRIDGE = "NOBRIDGE"

PROFILE = ["USUBJID", "ANALYTE"]

_JOIN = "/"
# Between the approach and the analyte, where both are analysed at once.


@dataclass(frozen=True)
class VersionBridge:
    """How the results of one version of an assay are brought to the scale of another.

    Attributes
    ----------
    analyte, first, second
        Analyte, and versions from and to.
    bridge
        The estimate.
    """

    analyte: str
    first: str
    second: str
    bridge: Bridge

    @property
    def reason(self) -> str:
        """Why no factor is applied; "" where one is."""
        if self.bridge.level_dependent:
            return "BRIDGELEVEL"
        return self.bridge.reason or self.bridge.slope_reason


def estimate_bridges(adbrg: pd.DataFrame, rules: BridgeRules) -> list[VersionBridge]:
    """The bridge of each analyte and version, from the pairs of ADBRG with ANL01FL = Y."""
    bridges = []
    for (analyte, first, second), rows in adbrg.groupby(
        ["PARAMCD", "ASSAYV1", "ASSAYV2"], sort=True
    ):
        used = rows[rows["ANL01FL"] == "Y"]
        bridge = estimate_bridge(
            used["AVAL1"].to_numpy(dtype=float),
            used["AVAL2"].to_numpy(dtype=float),
            used["USUBJID"].to_numpy(dtype=object),
            rules.confidence_level,
        )
        bridges.append(VersionBridge(str(analyte), str(first), str(second), bridge))
    return bridges


def list_versions(samples: pd.DataFrame) -> dict[str, list[str]]:
    """Versions of each analyte that was measured by several, in the order of their names.

    What was converted from another analyte is no assay of its own.

    Parameters
    ----------
    samples
        From `select_samples`.
    """
    measured = samples[samples["DTYPE"] != "CONVERTED"]
    found = measured.groupby("PARAMCD", sort=True)["PCASSAYV"].unique()
    return {str(code): sorted(names) for code, names in found.items() if len(names) > 1}


@dataclass(frozen=True)
class Scaled:
    """The analytes of several versions on one scale.

    Attributes
    ----------
    samples
        Input of the NCA with CONC, LLOQ and ULOQ on that scale, without profiles that are on
        none.
    profiles
        By USUBJID and ANALYTE: ASSAYV (versions of its samples, joined by a semicolon), SCALEV
        (version of the scale), REASON (why it is on none, else "").
    """

    samples: pd.DataFrame
    profiles: pd.DataFrame


def scale_samples(
    given: pd.DataFrame, profiles: pd.DataFrame, bridges: Sequence[VersionBridge]
) -> Scaled:
    """Bring concentrations and limits to the version that the others are bridged to.

    One sample that no bridge brings to the scale takes its whole profile off it.

    Parameters
    ----------
    given, profiles
        From `derive_nca_input` and `add_missing_profiles`: the same rows.
    """
    rows = given["ANALYTE"].isin(list_versions(profiles[profiles["SRCROW"] > 0]))
    own, records = given[rows], profiles[rows]
    target = {one.analyte: one.second for one in bridges}
    factor = {(one.analyte, one.second): 1.0 for one in bridges}
    factor |= {(one.analyte, one.first): one.bridge.ratio for one in bridges if not one.reason}
    reason = {(one.analyte, one.first): one.reason for one in bridges}
    keys = list(zip(own["ANALYTE"], records["PCASSAYV"], strict=True))
    # A record that stands for a profile without samples has no version, and needs none.
    sampled = (records["SRCROW"] > 0).to_numpy()
    why = ["" if key in factor else reason.get(key, NO_BRIDGE) for key in keys]
    scale = np.array([factor.get(key, 1.0) for key in keys], dtype=float)
    about = pd.DataFrame(
        {
            "USUBJID": own["USUBJID"],
            "ANALYTE": own["ANALYTE"],
            "ASSAYV": records["PCASSAYV"],
            "SCALEV": own["ANALYTE"].map(target).fillna(""),
            "REASON": np.where(sampled, np.array(why, dtype=object), ""),
        }
    ).drop_duplicates()
    described = about.groupby(PROFILE, sort=True).agg(
        ASSAYV=("ASSAYV", lambda names: ";".join(sorted({*names} - {""}))),
        SCALEV=("SCALEV", "first"),
        # The empty text is the smallest: one record that is on no scale is enough.
        REASON=("REASON", "max"),
    )
    on_scale = described["REASON"].reindex(pd.MultiIndex.from_frame(own[PROFILE])) == ""
    scaled = {name: own[name].astype("float64") * scale for name in ("CONC", "LLOQ", "ULOQ")}
    return Scaled(own.assign(**scaled)[on_scale.to_numpy()], described)


def apply_highest_limit(samples: pd.DataFrame) -> pd.DataFrame:
    """The samples of one scale, with the highest limit of their analyte for all.

    A result below it is BLQ, whatever its own limit.
    """
    highest = samples.groupby("ANALYTE")["LLOQ"].transform("max").astype("float64")
    below = (samples["CONC"] < highest) | (samples["BLQ"] == 1)
    return samples.assign(CONC=samples["CONC"].where(~below), BLQ=below.astype(int), LLOQ=highest)


def derive_adppb(
    scaled: Scaled,
    records: pd.DataFrame,
    course: NcaResult,
    adsl: pd.DataFrame,
    settings: CellularKineticsSettings,
    windows: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Dataset ADPPB: the parameters of each course with all samples on one scale.

    Parameters
    ----------
    scaled
        From `scale_samples`, where doses are repeated with the columns of `assign_doses`.
    records
        From `add_missing_profiles`.
    course
        Result of the NCA of the samples as they were measured: its parameters are those of ADPPB.
    windows
        Reviewed lambda-z windows of the courses (R18); one that is none under an approach, as
        where a point lies below the higher limit, is not applied there.

    Returns
    -------
    DataFrame
        A profile that is on no scale has the reason in each parameter.
    """
    if scaled.profiles.empty:
        return conform(pd.DataFrame(), "ADPPB")
    samples = scaled.samples
    inputs = dict(zip(APPROACHES, (samples, apply_highest_limit(samples)), strict=True))
    found = _estimate(inputs, settings, windows).set_index([*PROFILE, "PARAMCD", "APPROACH"])
    analytes = scaled.profiles.index.unique("ANALYTE")
    measured = course.parameters[course.parameters["ANALYTE"].isin(analytes)]
    place = pd.MultiIndex.from_frame(measured[PROFILE])
    about = scaled.profiles.reindex(place)
    plain = derive_adpp(records, replace(course, parameters=measured), adsl)
    names = ["USUBJID", "PARCAT1", "PARAMCD"]
    plain = plain.set_index(names).loc[
        pd.MultiIndex.from_frame(measured[["USUBJID", "ANALYTE", "PARAMCD"]], names=names)
    ]
    parts = []
    for approach, own in inputs.items():
        keys = measured[[*PROFILE, "PARAMCD"]].assign(APPROACH=approach)
        again = found.reindex(pd.MultiIndex.from_frame(keys))
        limits = own.groupby(PROFILE)["LLOQ"].max().reindex(place)
        reason = about["REASON"].where(about["REASON"] != "", again["REASND"].to_numpy())
        parts.append(
            plain.reset_index().assign(
                APPROACH=approach,
                ASSAYV=about["ASSAYV"].to_numpy(),
                SCALEV=about["SCALEV"].to_numpy(),
                ALLOQ=limits.to_numpy(dtype=float),
                AVAL=again["AVAL"].to_numpy(dtype=float),
                FLAG=again["FLAG"].fillna("").to_numpy(),
                PPREASND=reason.fillna("").to_numpy(),
            )
        )
    every = pd.concat(parts, ignore_index=True)
    return conform(every[list(read_specification("ADPPB").variables)], "ADPPB")


def _estimate(
    inputs: dict[str, pd.DataFrame],
    settings: CellularKineticsSettings,
    windows: pd.DataFrame | None,
) -> pd.DataFrame:
    """Parameters of all approaches by one analysis: APPROACH and the columns of the NCA."""

    def name(approach: str, analyte: pd.Series) -> pd.Series:
        return approach + _JOIN + analyte

    samples = pd.concat(
        [rows.assign(ANALYTE=name(key, rows["ANALYTE"])) for key, rows in inputs.items()],
        ignore_index=True,
    )
    if samples.empty:
        return pd.DataFrame(
            columns=["USUBJID", "ANALYTE", "PARAMCD", "AVAL", "FLAG", "REASND", "APPROACH"]
        )
    unmarked = [f"{key}{_JOIN}{code}" for key in inputs for code in settings.no_specific_marker]
    rules = settings.model_copy(update={"no_specific_marker": tuple(unmarked)})
    reviewed = None
    if windows is not None:
        known = set(pd.MultiIndex.from_frame(samples[["USUBJID", "ANALYTE"]]))
        parts = [windows.assign(ANALYTE=name(key, windows["ANALYTE"])) for key in inputs]
        every = pd.concat(parts, ignore_index=True)
        of_these = [pair in known for pair in zip(every["USUBJID"], every["ANALYTE"], strict=True)]
        reviewed = every[of_these] if any(of_these) else None
    try:
        result = estimate_nca(samples, rules, course=True, windows=reviewed)
    except InputDataError:
        if reviewed is None:
            raise
        applicable = find_applicable_windows(samples, rules, reviewed)
        result = estimate_nca(samples, rules, course=True, windows=applicable)
    found = result.as_text().parameters
    parts_of_name = found["ANALYTE"].str.split(_JOIN, n=1, expand=True)
    return found.assign(APPROACH=parts_of_name[0], ANALYTE=parts_of_name[1])

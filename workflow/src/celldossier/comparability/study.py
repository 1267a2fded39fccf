"""What the stage reads, with lots and subjects put into their groups."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pandas as pd

from celldossier.comparability.groups import KEY, group_lots, group_subjects, read_doses
from celldossier.datasets import read_specification
from celldossier.errors import ConfigError
from celldossier.results import AnalysisResults
from celldossier.settings.comparability import ComparabilitySettings
from celldossier.terms.order import natural_order
from celldossier.terms.parameters import find_parameter

COURSE = "COURSE"
"""Profile of the whole course (ADPP.PROFTYP)."""

ASIS, BRIDGED, HIGHLLOQ = "ASIS", "BRIDGED", "HIGHLLOQ"
"""Kinetics as measured (ADPP); bridged to one version of the assay before the non-compartmental
analysis, and with the higher limit of quantitation of both versions as well (ADPPB.APPROACH)."""

APPROACHES = (ASIS, BRIDGED, HIGHLLOQ)

BRIDGE, BRIDGE_FIT = "cellular_kinetics.bridge", "cellular_kinetics.bridge_fit"
BRIDGE_NUMBERS = ("ratio", "se", "df", "slope_low")

NOCHANGE, NOREFGRP, ONEGROUP = "NOCHANGE", "NOREFGRP", "ONEGROUP"
"""Why nothing is compared: no change declared; no lot or subject of the reference; no other."""


@dataclass(frozen=True)
class Sources:
    """Datasets of earlier stages, each after its specification."""

    adsl: pd.DataFrame
    adex: pd.DataFrame
    adpq: pd.DataFrame
    adpc: pd.DataFrame
    adpp: pd.DataFrame
    adppb: pd.DataFrame
    adpdp: pd.DataFrame
    adrs: pd.DataFrame
    adae: pd.DataFrame
    adaesi: pd.DataFrame


@dataclass(frozen=True)
class BridgeUse:
    """A bridge between two versions of an assay, as the kinetics estimated it.

    Attributes
    ----------
    first, second
        Version that is brought to the scale of the other, and that other one.
    ratio, se, df
        Geometric mean of second over first, standard error of its logarithm, degrees of freedom.
    reason
        Why it carries nothing over: ``BRIDGELEVEL`` (the factor depends on the level), else that
        of the estimate; blank where it can be used.
    """

    analyte: str
    first: str
    second: str
    ratio: float = math.nan
    se: float = math.nan
    df: float = math.nan
    reason: str = ""


@dataclass(frozen=True)
class Study:
    """Lots and infused subjects with their groups.

    Attributes
    ----------
    subjects
        ADSL of the infused subjects (SAFFL = Y) with ``GROUP``, ``GRPRSN``, ``DONORID`` and
        ``DOSEA`` (dose of the first infusion).
    lots
        ADPQ with ``GROUP``.
    groups
        Names of the groups, the reference first; empty where nothing is compared.
    missing
        Reason code why nothing is compared, else blank.
    analytes
        Analytes compared, the first one is that of the groups by assay.
    parameters
        ADPP and ADPPB of the whole course, with ``APPROACH``.
    bridges
        Bridges of each analyte that has any, all to one version.
    """

    sources: Sources
    settings: ComparabilitySettings
    subjects: pd.DataFrame
    lots: pd.DataFrame
    groups: tuple[str, ...]
    missing: str
    analytes: tuple[str, ...]
    parameters: pd.DataFrame
    bridges: dict[str, tuple[BridgeUse, ...]] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """Group before the change."""
        return self.groups[0]

    @property
    def changed(self) -> tuple[str, ...]:
        """Groups after the change, each compared with the reference."""
        return self.groups[1:]

    def read_parameter(self, approach: str, analyte: str, parameter: str) -> pd.Series:
        """A parameter of each subject of the kinetics set, in the rows of `subjects`; else NaN."""
        rows = self._rows(approach, analyte, parameter).set_index(KEY)["AVAL"]
        places = pd.MultiIndex.from_frame(self.subjects[KEY])
        values = pd.Series(rows.reindex(places).to_numpy(dtype=float), index=self.subjects.index)
        return values.where(self.subjects["PKFL"] == "Y")

    def read_unit(self, approach: str, analyte: str, parameter: str) -> str:
        """Unit of a parameter, blank where no subject has a value."""
        rows = self._rows(approach, analyte, parameter)
        known = rows.loc[rows["AVAL"].notna(), "AVALU"]
        return str(known.iloc[0]) if len(known) else ""

    def _rows(self, approach: str, analyte: str, parameter: str) -> pd.DataFrame:
        frame = self.parameters
        found: pd.DataFrame = frame.loc[
            (frame["APPROACH"] == approach)
            & (frame["PARCAT1"] == analyte)
            & (frame["PARAMCD"] == parameter)
        ]
        return found


def read_study(
    sources: Sources,
    settings: ComparabilitySettings,
    primary_analyte: str,
    bridges: dict[str, tuple[BridgeUse, ...]] | None = None,
) -> Study:
    """Put lots and subjects into their groups, the reference first.

    Parameters
    ----------
    primary_analyte
        Analyte where the settings name none.
    bridges
        Bridges of each analyte that has any.

    Raises
    ------
    ConfigError
        If the settings name an attribute, a covariate, a parameter or a lot that is not there.
    """
    check_names(settings)
    check_lots(settings, sources.adpq)
    analytes = settings.analytes or (primary_analyte,)
    adsl = sources.adsl
    subjects = adsl.loc[adsl["SAFFL"] == "Y"].reset_index(drop=True)
    own = group_subjects(subjects, sources.adex, sources.adpq, sources.adpc, settings, analytes[0])
    subjects = subjects.assign(**own, DOSEA=read_doses(subjects, sources.adex))
    lots = sources.adpq.reset_index(drop=True)
    lots = lots.assign(GROUP=group_lots(lots, settings))
    found = (set(subjects["GROUP"]) | set(lots["GROUP"])) - {""}
    reference = settings.reference_group
    others = natural_order(found - {reference})
    missing = ""
    if not settings.by:
        missing = NOCHANGE
    elif reference not in found:
        missing = NOREFGRP
    elif not others:
        missing = ONEGROUP
    # ADPPB is of the whole course only, and does not say so.
    parts = [sources.adpp.assign(APPROACH=ASIS), sources.adppb.assign(PROFTYP=COURSE)]
    parameters = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return Study(
        sources,
        settings,
        subjects,
        lots,
        () if missing else (reference, *others),
        missing,
        analytes,
        parameters.loc[parameters["PROFTYP"] == COURSE],
        bridges or {},
    )


def read_bridges(kinetics: pd.DataFrame) -> dict[str, tuple[BridgeUse, ...]]:
    """Bridges of each analyte from the results of the kinetics (`bridge`, `bridge_fit`).

    Parameters
    ----------
    kinetics
        Analysis results of the stage cellular_kinetics, dataset ARD.
    """
    results = AnalysisResults([kinetics])
    found: dict[str, list[BridgeUse]] = {}
    for analyte in results.analytes(BRIDGE_FIT):
        for version in results.levels(BRIDGE_FIT, "version"):
            place = ("CONC", analyte, {"version": version})
            verdict = results.find(BRIDGE_FIT, *place, "verdict")
            target = results.find(BRIDGE, *place, "target")
            if verdict is None or target is None:
                continue
            numbers = {stat: results.find(BRIDGE_FIT, *place, stat) for stat in BRIDGE_NUMBERS}
            values = {stat: value.number for stat, value in numbers.items() if value is not None}
            reasons = [value.note_code for value in numbers.values() if value and value.note_code]
            reason = {"FACTOR": "", "LEVEL": "BRIDGELEVEL"}.get(
                verdict.text, next(iter(reasons), "NOBRIDGE")
            )
            own = (values["ratio"], values["se"], values["df"], reason)
            found.setdefault(analyte, []).append(BridgeUse(analyte, version, target.text, *own))
    return {analyte: tuple(bridges) for analyte, bridges in found.items()}


def check_names(settings: ComparabilitySettings) -> None:
    """Hold the attributes and covariates of the settings against the datasets.

    Raises
    ------
    ConfigError
        If ADPQ has no such attribute that is a number, ADSL no such variable, or the parameters
        of the kinetics none of that name.
    """
    attributes = read_specification("ADPQ").variables
    numbers = [name for name, item in attributes.items() if item.type == "float"]
    known = {*read_specification("ADSL").variables, "DOSEA"}
    faults = [
        f"comparability.attributes: {name} is no attribute of ADPQ that is a number."
        for name in settings.attributes
        if name not in numbers
    ] + [
        f"comparability.adjust_for: {name} is no variable of ADSL."
        for name in settings.adjust_for
        if name not in known
    ]
    for section, names in (("metrics", settings.metrics), ("times", settings.times)):
        for name in names:
            try:
                find_parameter(name)
            except KeyError:
                faults.append(f"comparability.{section}: {name} is no parameter of the kinetics.")
    if faults:
        raise ConfigError(faults)


def check_lots(settings: ComparabilitySettings, adpq: pd.DataFrame) -> None:
    """Hold the list of changed lots against the lots.

    Raises
    ------
    ConfigError
        If a lot of the list is not there: misspelt, it would stand among those before the change.
    """
    if settings.by != "LOTS":
        return
    known = set(adpq["LOTID"])
    faults = [
        f"comparability.changed_lots: {lot} is no lot of ADPQ."
        for lot in settings.changed_lots
        if lot not in known
    ]
    if faults:
        raise ConfigError(faults)


def list_approaches(study: Study, analyte: str) -> tuple[str, ...]:
    """Approaches of an analyte that have parameters; as measured is always one."""
    own = study.parameters.loc[study.parameters["PARCAT1"] == analyte, "APPROACH"]
    found = set(own[study.parameters.loc[own.index, "AVAL"].notna()])
    return (ASIS, *(name for name in APPROACHES[1:] if name in found))

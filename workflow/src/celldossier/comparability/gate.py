"""The assay gate: whether the samples of the groups were measured by one and the same assay.

With kinetics as the main measure of comparability, a difference of the assay would pass for one
of the product (guideline 8.4, lines 455-457). Four aspects are held: method, version, laboratory
and lower limit of quantitation of the samples that the kinetics rest on. Where one differs, no
verdict is given (``ASSAYDIFF``), unless a bridge between the versions explains all of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from celldossier.comparability.groups import KEY
from celldossier.comparability.study import ASIS, BRIDGED, BridgeUse, Study
from celldossier.results import ResultCollector, explain_missing

ASPECTS = {"METHOD": "PCMETHOD", "VERSION": "PCASSAYV", "LABORATORY": "PCNAM", "LLOQ": "ALLOQ"}
"""Aspects of an assay and the variable of ADPC that tells of each."""

SAME, DIFFERENT, UNKNOWN = "SAME", "DIFFERENT", "NOTREC"
OPEN, BRIDGE, CLOSED = "OPEN", "BRIDGED", "CLOSED"

ASSAYDIFF, ASSAYUNK = "ASSAYDIFF", "ASSAYUNK"
"""Why the gate is closed: the assay differs; it is not recorded, or there is no sample."""


@dataclass(frozen=True)
class Gate:
    """Whether a verdict may be given on an analyte, between the reference and one group.

    Attributes
    ----------
    state
        ``OPEN`` (one assay), ``BRIDGED`` (verdict on bridged concentrations only), ``CLOSED``.
    reason
        Why it is closed: ``ASSAYDIFF``, ``ASSAYUNK``, ``BRIDGELEVEL``; blank otherwise.
    aspects
        State of each aspect: ``SAME``, ``DIFFERENT``, ``NOTREC`` (not recorded).
    distances
        Total variation distance of each aspect, 0 to 1.
    """

    state: str
    reason: str
    aspects: dict[str, str]
    distances: dict[str, float]


def read_samples(study: Study, analyte: str) -> pd.DataFrame:
    """Samples behind the kinetics of an analyte: a text for each aspect, ``GROUP``, ``USUBJID``."""
    adpc = study.sources.adpc
    rows = adpc.loc[(adpc["PARAMCD"] == analyte) & (adpc["ANL01FL"] == "Y")]
    kinetics = study.subjects.loc[study.subjects["PKFL"] == "Y", [*KEY, "GROUP"]]
    merged = rows.merge(kinetics, on=KEY, how="inner")
    found = {name: merged[source] for name, source in ASPECTS.items()}
    found["LLOQ"] = merged["ALLOQ"].map(lambda value: "" if pd.isna(value) else f"{value:.6g}")
    return pd.DataFrame(found | {"GROUP": merged["GROUP"], "USUBJID": merged["USUBJID"]}).astype(
        object
    )


def measure_distance(first: pd.Series, second: pd.Series) -> float:
    """Total variation distance of two sets of levels: half of the sum of differing shares.

    >>> measure_distance(pd.Series(["1", "1"]), pd.Series(["1", "2"]))
    0.5
    """
    shares = [side.value_counts(normalize=True) for side in (first, second)]
    return float(shares[0].sub(shares[1], fill_value=0).abs().sum() / 2)


def check_assay(
    samples: pd.DataFrame,
    reference: str,
    group: str,
    largest: float,
    bridges: Sequence[BridgeUse] = (),
) -> Gate:
    """Hold the assay of a group against that of the reference.

    Parameters
    ----------
    samples
        As `read_samples` gives them.
    largest
        Largest distance that counts as the same assay.
    bridges
        Bridges between versions; empty where there are none.
    """
    before, after = (samples.loc[samples["GROUP"] == name] for name in (reference, group))
    aspects: dict[str, str] = {}
    distances: dict[str, float] = {}
    for name in ASPECTS:
        if not (len(before) and len(after)):
            aspects[name], distances[name] = UNKNOWN, math.nan
            continue
        blank = (before[name] == "").all() and (after[name] == "").all()
        distances[name] = math.nan if blank else measure_distance(before[name], after[name])
        # A level that only one side records is a difference: the other side may be anything.
        aspects[name] = UNKNOWN if blank else SAME if distances[name] <= largest else DIFFERENT
    if DIFFERENT in aspects.values():
        reason = _judge_bridges(bridges, pd.concat([before, after]))
        return Gate(CLOSED if reason else BRIDGE, reason, aspects, distances)
    if SAME not in (aspects["METHOD"], aspects["VERSION"], aspects["LABORATORY"]):
        return Gate(CLOSED, ASSAYUNK, aspects, distances)
    return Gate(OPEN, "", aspects, distances)


def _judge_bridges(bridges: Sequence[BridgeUse], samples: pd.DataFrame) -> str:
    """Why the bridges do not bring all samples to one assay; blank where they do.

    A laboratory or a limit that changed within a version is not what a bridge compared.
    """
    versions = set(samples["VERSION"])
    needed = [bridge for bridge in bridges if bridge.first in versions]
    reached = {bridge.first for bridge in needed} | {bridge.second for bridge in bridges}
    others = [name for name in ASPECTS if name != "VERSION"]
    assays = samples[["VERSION", *others]].drop_duplicates()
    if not needed or not versions <= reached or len(assays) > len(versions):
        return ASSAYDIFF
    return next((bridge.reason for bridge in needed if bridge.reason), "")


def choose_approach(gate: Gate) -> str:
    """Concentrations of the primary analysis: as measured, or bridged where the assay differs."""
    return BRIDGED if gate.state == BRIDGE else ASIS


def check_gates(study: Study) -> dict[tuple[str, str], Gate]:
    """Gate of each analyte and each group after the change."""
    found: dict[tuple[str, str], Gate] = {}
    for analyte in study.analytes:
        samples = read_samples(study, analyte)
        for group in study.changed:
            found[analyte, group] = check_assay(
                samples,
                study.reference,
                group,
                study.settings.max_assay_imbalance,
                study.bridges.get(analyte, ()),
            )
    return found


def summarise_gates(study: Study, gates: dict[tuple[str, str], Gate], out: ResultCollector) -> None:
    """Add `assay` (levels of each aspect by group) and `assay_gate` (state of each aspect)."""
    where = "ANL01FL = Y, subjects with PKFL = Y"
    for analyte in study.analytes:
        samples = read_samples(study, analyte)
        for group in study.groups:
            own = samples.loc[samples["GROUP"] == group]
            for name, source in ASPECTS.items():
                counts = own.loc[own[name] != "", name].value_counts()
                levels = [f"{level} ({counts[level]})" for level in sorted(counts.index)]
                statistics: dict[str, float | str] = {
                    "n_samples": float(len(own)), "levels": "; ".join(levels)
                }  # fmt: skip
                missing = {} if levels else {"levels": "NOTREC" if len(own) else "NOGROUP"}
                out.add(
                    "assay",
                    statistics if levels else statistics | {"levels": math.nan},
                    dataset="ADPC",
                    variable=source,
                    analyte=analyte,
                    by={"group": group},
                    where=where,
                    n=float(own["USUBJID"].nunique()),
                    notes=missing,
                )
        for group in study.changed:
            gate = gates[analyte, group]
            for name, source in ASPECTS.items():
                values: dict[str, float | str] = {
                    "state": gate.aspects[name], "distance": gate.distances[name]
                }  # fmt: skip
                out.add(
                    "assay_aspect",
                    values,
                    dataset="ADPC",
                    variable=source,
                    analyte=analyte,
                    by={"group": group},
                    where=where,
                    method="total variation distance of the shares of samples",
                    notes=explain_missing(values, "NOTREC"),
                )
            # What is missing where the gate is closed is the verdict: so its reason is a note.
            closed: dict[str, float | str] = {"reason": math.nan} if gate.reason else {}
            out.add(
                "assay_gate",
                {"state": gate.state, **closed},
                dataset="ADPC",
                variable="PCASSAYV",
                analyte=analyte,
                by={"group": group},
                where=where,
                notes={"reason": gate.reason} if gate.reason else {},
            )

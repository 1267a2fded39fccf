"""ADTISS: samples and images of other compartments, each beside the nearest central sample."""

from __future__ import annotations

import numpy as np
import pandas as pd

from celldossier.cellular_kinetics.analysis_datasets import is_after_reinfusion
from celldossier.datasets import conform, empty_dataset
from celldossier.errors import InputDataError
from celldossier.settings.compartments import CompartmentRules

SHARED = ["STUDYID", "USUBJID", "PARAMCD", "PARAM", "AFRLT", "NFRLT", "AVAL", "AVALU"]
SHARED += ["BLQFL", "ALLOQ", "SRCDOM", "SRCFILE", "SRCROW"]


def check_specimens(samples: pd.DataFrame, rules: CompartmentRules) -> None:
    """Hold that the kinetics of an analyte are of one compartment.

    A profile is of a subject and an analyte: samples of blood and of marrow would become one
    course. Several names of the central compartment are one.

    Raises
    ------
    InputDataError
        With one sentence an analyte.
    """
    faults = []
    for analyte, specimens in samples.groupby("PARAMCD", sort=True)["PCSPEC"].unique().items():
        # A sample without specimen was never told apart from the others.
        other = sorted(set(specimens) - {"", *rules.central})
        if len(other) + bool(set(specimens) & set(rules.central)) > 1:
            names = ", ".join(sorted(set(specimens) - {""}))
            faults.append(
                f"The kinetics of {analyte} are of several specimens ({names}), which would become "
                "one course. Name in study_data.kinetics_specimens those of one compartment; the "
                "others are compared with it (cellular_kinetics.compartments)."
            )
    if faults:
        raise InputDataError(faults)


def derive_adtiss(
    adpc: pd.DataFrame,
    adpd: pd.DataFrame,
    adsl: pd.DataFrame,
    adex: pd.DataFrame,
    rules: CompartmentRules,
) -> pd.DataFrame:
    """Dataset ADTISS.

    Parameters
    ----------
    adpc
        Concentrations of all specimens, analysed by the NCA or not.
    adpd
        Markers; those named as imaging are taken.
    adsl, adex
        Subjects and infusions: only samples of an infused subject count, and none after an
        unplanned infusion.
    rules
        Which specimens are central, which are none, which markers are images, and how near
        in time a pair is.

    Returns
    -------
    DataFrame
        Empty where nothing but the central compartment was sampled. The central samples
        in it are those of subjects with another compartment.
    """
    samples = adpc[~adpc["PCSPEC"].isin(["", *rules.no_compartment])]
    central = samples["PCSPEC"].isin(rules.central)
    elsewhere = pd.MultiIndex.from_frame(samples.loc[~central, ["USUBJID", "PARAMCD"]])
    beside = pd.MultiIndex.from_frame(samples[["USUBJID", "PARAMCD"]]).isin(elsewhere)
    taken = samples.loc[~central | beside, [*SHARED, "PCSPEC"]]
    taken = taken.rename(columns={"PCSPEC": "COMPART"}).assign(COMPTYP="SPECIMEN")
    images = adpd.loc[adpd["PARAMCD"].isin(rules.imaging) & (adpd["ALOC"] != ""), [*SHARED, "ALOC"]]
    images = images.rename(columns={"ALOC": "COMPART"}).assign(COMPTYP="IMAGE")
    parts = [part for part in (taken, images) if len(part)]
    if not parts:
        return empty_dataset("ADTISS")
    frame = pd.concat(parts, ignore_index=True)
    _check_units(frame)
    subjects = adsl.drop_duplicates("USUBJID").set_index("USUBJID")
    frame["TRT01A"] = frame["USUBJID"].map(subjects["TRT01A"]).fillna("")
    is_sample = frame["COMPTYP"] == "SPECIMEN"
    frame["CENTFL"] = np.where(is_sample & frame["COMPART"].isin(rules.central), "Y", "N")
    infused = frame["USUBJID"].map(subjects["SAFFL"]) == "Y"
    frame["ANLRSN"] = np.select(
        [
            ~infused,
            frame["AVAL"].isna() & (frame["BLQFL"] != "Y"),
            frame["AFRLT"].isna(),
            is_after_reinfusion(frame, adex),
        ],
        ["NOTINFUSED", "MISSING", "NOTIME", "AFTREINF"],
        "",
    )
    frame["ANL01FL"] = np.where(frame["ANLRSN"] == "", "Y", "N")
    # An image has no limit by nature, and a blank flag is no result below it.
    frame["BLQFL"] = frame["BLQFL"].where(frame["BLQFL"] == "Y", "N")
    frame.loc[frame["BLQFL"] == "Y", "AVAL"] = np.nan
    return conform(_pair(frame, rules.pair_window), "ADTISS")


def _check_units(frame: pd.DataFrame) -> None:
    """Hold that an analyte has one unit in all compartments (R25)."""
    units = frame.groupby("PARAMCD", sort=True)["AVALU"].unique()
    faults = [
        f"The analyte {analyte} has several units in its compartments ({', '.join(sorted(found))})"
        "; values of different units are never compared (R25)."
        for analyte, found in units.items()
        if len(found) > 1
    ]
    if faults:
        raise InputDataError(faults)


def _pair(frame: pd.DataFrame, window: float) -> pd.DataFrame:
    """Add the nearest central sample of each other one, and their ratio or why there is none."""
    keys = ["USUBJID", "PARAMCD"]
    counted = frame["ANL01FL"] == "Y"
    wanted = counted & (frame["CENTFL"] == "N") & (frame["COMPTYP"] == "SPECIMEN")
    central = frame.loc[counted & (frame["CENTFL"] == "Y"), [*keys, "AFRLT", "AVAL"]]
    # Two central results of one time: the quantifiable one, so that the order says nothing.
    central = central.sort_values(["AFRLT", *keys, "AVAL"], kind="stable")
    central = central.drop_duplicates([*keys, "AFRLT"])
    central = central.assign(PAIRTIME=central["AFRLT"]).rename(columns={"AVAL": "PAIRVAL"})
    left = frame.loc[wanted, [*keys, "AFRLT"]].assign(place=np.flatnonzero(wanted))
    left = left.sort_values("AFRLT", kind="stable")
    both = [
        pd.merge_asof(left, central, on="AFRLT", by=keys, direction=direction)
        for direction in ("backward", "forward")
    ]
    gap = [(left["AFRLT"].to_numpy() - part["PAIRTIME"].to_numpy()) for part in both]
    distance = [np.where(np.isnan(part), np.inf, np.abs(part)) for part in gap]
    # Of two that are equally near the earlier one.
    earlier = distance[0] <= distance[1]
    # A whole number of seconds, whatever the rounding of days.
    near = np.minimum(*distance) <= window + 1e-6
    paired = pd.DataFrame(index=frame.index)
    for name in ("PAIRTIME", "PAIRVAL"):
        value = np.where(earlier, both[0][name], both[1][name])
        column = np.full(len(frame), np.nan)
        column[left["place"].to_numpy()] = np.where(near, value, np.nan)
        paired[name] = column
    frame = frame.assign(**paired, PAIRDIFF=frame["AFRLT"] - paired["PAIRTIME"])
    below = frame["BLQFL"] == "Y"
    alone = frame["PAIRTIME"].isna()
    reason = np.select(
        [
            ~wanted,
            alone,
            below & frame["PAIRVAL"].isna(),
            below,
            frame["PAIRVAL"].isna(),
        ],
        ["", "NOPAIR", "BOTHBLQ", "SITEBLQ", "CENTBLQ"],
        "",
    )
    defined = wanted & (reason == "") & (frame["PAIRVAL"] > 0)
    frame["RATIO"] = (frame["AVAL"] / frame["PAIRVAL"]).where(defined)
    frame["RATIORSN"] = np.where(wanted & (reason == "") & ~defined, "CENTBLQ", reason)
    return frame

"""Product lots: checks, and the dataset ADPQ."""

from __future__ import annotations

import pandas as pd

from celldossier.settings.dosing import DosingSettings
from celldossier.settings.study import Product
from celldossier.study_data.domain import Domain
from celldossier.study_data.findings import format_number
from celldossier.study_data.repeats import find_repeats
from celldossier.study_data.samples import flag
from celldossier.study_data.subjects import Subjects

MEMORY = ("TNPCT", "TSCMPCT", "TCMPCT", "TEMPCT", "TEFFPCT")
PERCENTAGES = ("VIABPCT", "TRANSPCT", "CD3PCT", *MEMORY)
MEASURES = (*PERCENTAGES, "VCN", "CD4CD8", "EXPFOLD", "POTENCY", "CULTDAYS", "VEINVEIN")
MEMORY_ROUNDING = 1.0
"""By so much the memory subsets may exceed 100 % through rounding, percentage points."""


def check_lots(
    lots: Domain, subjects: Subjects, settings: DosingSettings, product: Product
) -> None:
    """Check the list of lots by itself: keys, subjects, values that cannot be."""
    lot = lots.frame["LOTID"]
    process = lots.frame["PROCESS"]
    repeats = find_repeats(lots, lots.active, lot)
    used = repeats.take(process)
    lots.report("LOTPROCESS", repeats.again & (process != used), "PROCESS", lot=lot, used=used)
    repeats.report(lots, "LOTDUPLICATE", "LOTID")
    lots.exclude(repeats.again, "LOTDUP", lot)
    if subjects.complete:
        unknown = lots.active & (lots.subject != "") & ~subjects.known(lots.subject)
        unknown = unknown & ~lots.subject.isin(subjects.left_out)
        lots.report("LOTSUBJECT", unknown, "USUBJID", lot=lot)
    if product.source == "autologous":
        lots.report("LOTWITHOUTSUBJECT", lots.active & (lots.subject == ""), "USUBJID", lot=lot)
    if "PROCESS" in lots.given:
        lots.report("LOTPROCESSBLANK", lots.active & (process == ""), "PROCESS", lot=lot)
    for name in PERCENTAGES:
        share = lots.number(name)
        lots.report("LOTPERCENT", lots.active & ((share < 0) | (share > 100)), name, lot=lot)
    _check_shares(lots)
    total = _sum_memory(lots)
    over = lots.active & (total > 100 + MEMORY_ROUNDING)
    lots.report("LOTMEMORY", over, "LOTID", total=total.round(2))
    copies = lots.number("VCN")
    low, high = settings.plausible_vcn
    lots.report(
        "LOTVCN",
        lots.active & ((copies < low) | (copies > high)),
        "VCN",
        lot=lot,
        low=format_number(low),
        high=format_number(high),
    )


def _check_shares(lots: Domain) -> None:
    """Find files that give shares where percentages belong: 0.85 for 85 %.

    Each value alone could be a percentage, and the amounts of cells would be wrong by a
    factor of 100 in silence; viability or transduction of at most 1 % in most lots could not.
    """
    for name in ("VIABPCT", "TRANSPCT"):
        value = lots.number(name)
        for place, part in enumerate(lots.parts):
            given = value[lots.active & (lots.part == place) & (value > 0)]
            small = int((given <= 1).sum())
            if 2 * small > len(given):
                column = part.raw_columns.get(name, name)
                count, total = str(small), str(len(given))
                lots.report_file(
                    "LOTSHARE", file=part.file, column=column, count=count, total=total
                )


def _sum_memory(lots: Domain) -> pd.Series:
    return pd.DataFrame({name: lots.number(name) for name in MEMORY}).sum(axis=1)


def derive_adpq(
    lots: Domain, dm: Domain, adex: pd.DataFrame, settings: DosingSettings
) -> pd.DataFrame:
    """Dataset ADPQ: one record a product lot, with its use and its release specification.

    An allogeneic lot has no subject of its own; the subjects who were given it are found by
    ADEX.LOTID. Vein-to-vein time is computed from leukapheresis (DM.LEUKDTC) to the
    first infusion of the lot, in whole days, and held against the given one; the computed
    one stands in VEINVEIC, and in VEINVEIN where none is given.
    """
    lot = lots.frame["LOTID"]
    given = adex[(adex["DOSETYPE"] != "") & (adex["LOTID"] != "")]
    n_subjects = lot.map(given.groupby("LOTID")["USUBJID"].nunique()).fillna(0)
    infused = n_subjects > 0
    if len(given):
        lots.report("LOTNOTINFUSED", lots.active & ~infused, "LOTID")
    computed = _measure_vein_to_vein(lots, dm, given)
    recorded = lots.number("VEINVEIN")
    apart = (recorded - computed).abs() > settings.vein_to_vein_tolerance
    lots.report("VEINTOVEIN", lots.active & apart, "VEINVEIN", lot=lot, computed=computed)
    outside = _list_outside(lots, settings)
    beyond = lots.active & (outside != "") & (infused | (lots.frame["RELSTAT"] != ""))
    lots.report("LOTOUTOFSPEC", beyond, "LOTID", variables=outside)
    judged = pd.Series(bool(settings.release_limits), index=lot.index)
    frame = pd.DataFrame(
        {
            "USUBJID": lots.subject,
            "LOTID": lot,
            "DONORID": lots.frame["DONORID"],
            "PROCESS": lots.frame["PROCESS"],
            "SITE": lots.frame["SITE"],
            "MFGDTC": lots.dates["MFGDTC"].text,
            "RELDTC": lots.dates["RELDTC"].text,
            "RELSTAT": lots.frame["RELSTAT"],
            **{name: lots.number(name) for name in MEASURES},
            "VEINVEIN": recorded.fillna(computed),
            "VEINVEIC": computed,
            "POTENCU": lots.frame["POTENCU"],
            "OOSFL": flag(outside != "").where(judged, ""),
            "OOSVAR": outside,
            "INFUSFL": flag(infused),
            "NSUBJ": n_subjects,
            **lots.trace,
        }
    )
    return frame[lots.active].reset_index(drop=True)


def _measure_vein_to_vein(lots: Domain, dm: Domain, given: pd.DataFrame) -> pd.Series:
    """Days from leukapheresis of the lot's own subject to the first infusion of the lot."""
    collected = pd.Series(
        dm.dates["LEUKDTC"].time[dm.active].dt.floor("D").to_numpy(),
        index=pd.Index(dm.subject[dm.active]),
    )
    collected = collected[~collected.index.duplicated()]
    first = given.sort_values("AFRLT", kind="stable").drop_duplicates(["USUBJID", "LOTID"])
    start = pd.to_datetime(first["ADTM"].str[:10], format="%Y-%m-%d", errors="coerce")
    starts = pd.Series(
        start.to_numpy(), index=pd.MultiIndex.from_frame(first[["USUBJID", "LOTID"]])
    )
    keys = pd.MultiIndex.from_arrays([lots.subject, lots.frame["LOTID"]])
    infusion = pd.Series(starts.reindex(keys).to_numpy(), index=lots.frame.index)
    begin = pd.Series(collected.reindex(lots.subject).to_numpy(), index=lots.frame.index)
    days = (infusion.astype("datetime64[ns]") - begin.astype("datetime64[ns]")).dt.days
    return days.astype("float64")


def _list_outside(lots: Domain, settings: DosingSettings) -> pd.Series:
    """Attributes outside the release specification, joined by a semicolon."""
    outside = pd.Series("", index=lots.frame.index, dtype=object)
    for name, (low, high) in sorted(settings.release_limits.items()):
        value = lots.number(name)
        wrong = (value < low) | (value > high)
        outside = outside.mask(wrong, outside.where(outside == "", outside + ";") + name)
    return outside

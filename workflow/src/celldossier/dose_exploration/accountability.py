"""ADDA: what each subject was given, infusion by infusion, with the sums over doses and courses.

Analyses, for tables, figures and templates:

================ ========= ============== ==============================================
analysis         variable  by             statistics
================ ========= ============== ==============================================
accountability   INFUSION  none, or dose  n, n_subjects, n_counted, n_nocopies
accountability   INFUSION  reason         n: infusions that are not counted, by reason
================ ========= ============== ==============================================

Every infusion of the cell product is listed: n is n_counted (planned infusions of the first
course, which the table of doses adds up) and those not counted, by reason.
"""

from __future__ import annotations

import pandas as pd

from celldossier.datasets import conform, read_specification
from celldossier.dose_exploration.study import KEY, Sources, Study
from celldossier.results import ResultCollector
from celldossier.settings.dose_levels import GeneCopySettings
from celldossier.terms.study_terms import CELL_PRODUCT, NOT_PLANNED

AMOUNTS = (
    *("DOSEP", "DOSEA", "DOSETOT", "DOSEVIA", "DOSETGP", "COPIES", "DOSEKG", "DOSEM2"),
    *("DOSTOTKG", "DOSTOTM2", "DOSVIAKG", "DOSVIAM2", "DOSTGPKG", "DOSTGPM2"),
    *("COPYKG", "COPYM2"),
)
"""Variables that add up over infusions."""

FLAGS = ("INWINFL", "WINTOTFL", "WINVIAFL", "WINTGPFL")
UNITS = ("DOSEU", "DOSEBAS", "DOSEKGU", "DOSEM2U", "COPYBAS", "TRT01A")
LOT = ("VIABPCT", "TRANSPCT", "VCN")
BASES = {"transduced_cell": ("TGP", "DOSETGP"), "cell": ("TOT", "DOSETOT")}
"""What a vector copy number is an average over: code of the cells, and their variable."""


def derive_adda(sources: Sources, settings: GeneCopySettings) -> pd.DataFrame:
    """Derive ADDA: every infusion of the cell product, and the sums of doses and courses.

    A missing amount of one infusion makes a sum unknown, not smaller.
    """
    infusions = list_infusions(sources, settings)
    planned = infusions.loc[infusions["DOSETYPE"] != "UNPLANNED"]
    several = planned.groupby([*KEY, "COURSE", "PDOSENO"])["DOSENO"].transform("size") > 1
    parts = [
        infusions.assign(DALEVEL="INFUSION"),
        _add_up(planned.loc[several], "DOSE", ["COURSE", "PDOSENO"]),
        _add_up(planned, "COURSE", ["COURSE"]),
    ]
    rows = pd.concat([part for part in parts if len(part)] or parts[:1])
    names = [name for name in read_specification("ADDA").variables if name in rows]
    return conform(rows[names], "ADDA")


def list_infusions(sources: Sources, settings: GeneCopySettings) -> pd.DataFrame:
    """Infusions of the cell product with what their lot says, and the gene copies they held."""
    adex = sources.adex
    rows = adex.loc[adex["EXCAT"] == CELL_PRODUCT].reset_index(drop=True)
    subject = sources.adsl.drop_duplicates(KEY)[[*KEY, "TRT01A", "WTBL", "BSABL"]]
    rows = rows.merge(subject, on=KEY, how="left")
    lots = sources.adpq.drop_duplicates(["STUDYID", "LOTID"])[["STUDYID", "LOTID", *LOT]]
    rows = rows.merge(lots, on=["STUDYID", "LOTID"], how="left", indicator="_lot")
    basis, variable = BASES[settings.vcn_per]
    rows["COPYBAS"], cells = basis, rows[variable]
    rows["COPIES"] = cells * rows["VCN"]
    reason = pd.Series("", index=rows.index, dtype=object)
    rules = (
        (cells.isna(), "NOCELLCT"),
        (rows["VCN"].isna(), "NOVCN"),
        (rows["_lot"] != "both", "NOLOTKN"),
        (pd.Series(not lots["VCN"].notna().any(), index=rows.index), "NOTCOLL"),
    )
    for missing, code in rules:
        reason = reason.mask(missing, code)
    rows["COPYRSN"] = reason.where(rows["COPIES"].isna(), "")
    for target, size in (("COPYKG", "WTBL"), ("COPYM2", "BSABL")):
        rows[target] = rows["COPIES"] / rows[size].where(rows[size] > 0)
    counted = ~rows["DOSETYPE"].isin(NOT_PLANNED)
    rows["SUMFL"] = counted.map({True: "Y", False: "N"})
    rows["NSUMRSN"] = rows["DOSETYPE"].where(~counted, "")
    rows["NINFUS"] = 1
    return rows


def _add_up(infusions: pd.DataFrame, level: str, keys: list[str]) -> pd.DataFrame:
    """One record a group of infusions: amounts added up, the flags of all of them in one."""
    if infusions.empty:
        return infusions.assign(DALEVEL=level)
    ordered = infusions.sort_values([*KEY, "DOSENO"], kind="stable")
    groups = ordered.groupby([*KEY, *keys], sort=True, dropna=False)
    amounts = groups[list(AMOUNTS)]
    sums = amounts.sum().mask(amounts.count().lt(groups.size(), axis=0))
    frame = sums.join(groups.size().rename("NINFUS"))
    for name in ("ADTM", "AFRLT", "CYCLE", "EXTRT", "SUMFL", "NSUMRSN"):
        frame[name] = groups[name].first()
    if level == "COURSE":
        frame = frame.drop(columns="CYCLE")
    frame["LOTID"] = groups["LOTID"].agg(lambda names: ";".join(dict.fromkeys(names)))
    for name in UNITS:
        # Amounts in several units have no sum.
        frame[name] = groups[name].agg(lambda units: units.iloc[0] if units.nunique() == 1 else "")
    frame.loc[frame["DOSEU"] == "", ["DOSEP", "DOSEA", "DOSEKG", "DOSEM2"]] = float("nan")
    for name in FLAGS:
        frame[name] = groups[name].agg(join_flags)
    frame["COPYRSN"] = groups["COPYRSN"].max().where(frame["COPIES"].isna(), "")
    for name in LOT:
        # The attribute of one lot stands for all; that of several is no number.
        frame[name] = groups[name].first().where(groups["LOTID"].nunique() == 1)
    frame["DOSERAT"] = frame["DOSEA"] / frame["DOSEP"].where(frame["DOSEP"] > 0)
    return frame.reset_index().assign(DALEVEL=level)


def join_flags(flags: pd.Series) -> str:
    """N if one is N, Y if all are Y, else blank."""
    found = set(flags)
    return "N" if "N" in found else "Y" if found == {"Y"} else ""


def summarise_accountability(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Count the infusions listed, counted in the table of doses, and not, by reason; no curves."""
    infusions = list_infusions(study.sources, study.settings.levels.gene_copies)
    groups: list[tuple[dict[str, str], pd.DataFrame]] = [({}, infusions)]
    if study.settings.by_dose:
        levels = sorted(set(infusions["TRT01A"].dropna()) - {""})
        groups += [({"dose": level}, infusions[infusions["TRT01A"] == level]) for level in levels]
    for by, rows in groups:
        counts = {
            "n": float(len(rows)),
            "n_subjects": float(rows["USUBJID"].nunique()),
            "n_counted": float((rows["SUMFL"] == "Y").sum()),
            "n_nocopies": float(rows["COPIES"].isna().sum()),
        }
        _add(out, by, counts)
    for reason in NOT_PLANNED:
        count = float((infusions["NSUMRSN"] == reason).sum())
        _add(out, {"reason": reason}, {"n": count})
    return []


def _add(out: ResultCollector, by: dict[str, str], counts: dict[str, float]) -> None:
    out.add(
        "accountability",
        counts,
        dataset="ADDA",
        variable="INFUSION",
        by=by,
        where="DALEVEL = INFUSION",
        n=counts.get("n_subjects", counts["n"]),
    )

"""Cells per volume from transgene copies per mass of DNA, by the declared rule only.

cells/uL = copies/ug x DNA of a cell (ug) / VCN x leukocytes/uL. It assumes diploid cells
(6.6 pg of DNA: 1 ug holds 151,515 genomes), the vector copy number of the product in the
circulating cells, and that the DNA is of nucleated blood cells only. The result stands as
an analyte of its own beside the measured ones and is never averaged with them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from celldossier.settings.bioanalysis import DNA_PER_CELL, Assay, CellConversion
from celldossier.study_data.domain import Domain
from celldossier.study_data.findings import format_number
from celldossier.study_data.units import UnitTable

COPIES, CELLS = "copies/ug", "cells/uL"
CONVERTED = "CONVERTED"
"""Value of ADPC.DTYPE of a converted record."""


def convert_copies(
    copies: pd.Series,
    white_cells: pd.Series,
    vcn: pd.Series | float,
    dna_per_cell: float = DNA_PER_CELL,
) -> pd.Series:
    """Transgene-positive cells per uL of blood.

    Parameters
    ----------
    copies
        Transgene copies per ug of genomic DNA.
    white_cells
        Leukocytes per uL.
    vcn
        Vector copies in each transgene-positive cell.
    dna_per_cell
        DNA of a cell, ug.

    >>> convert_copies(pd.Series([32700.0]), pd.Series([1.0]), 1.0).round(3).tolist()
    [0.216]
    """
    return copies * dna_per_cell / vcn * white_cells


def check_copies(pc: Domain, results: pd.DataFrame, assays: Sequence[Assay]) -> None:
    """Find results per mass of DNA that no sample of cells can hold."""
    table = UnitTable()
    links = {assay.analyte: table.factor(assay.unit, COPIES) for assay in assays}
    limits = {assay.analyte: assay.max_vcn / DNA_PER_CELL for assay in assays}
    most = {assay.analyte: format_number(assay.max_vcn) for assay in assays}
    analyte = results["analyte"]
    copies = results["value"] * analyte.map(links).astype("float64")
    limit = analyte.map(limits).astype("float64")
    pc.report(
        "COPIESIMPLAUSIBLE",
        pc.active & (copies > limit),
        "PCORRES",
        test=analyte,
        copies=copies,
        limit=limit.round(0),
        vcn=analyte.map(most).fillna(""),
    )


def add_cell_counts(
    pc: Domain,
    adpc: pd.DataFrame,
    others: dict[str, pd.DataFrame],
    conversions: Sequence[CellConversion],
) -> pd.DataFrame:
    """ADPC with the records of each conversion that the study asks for.

    Parameters
    ----------
    others
        Datasets ADPD, ADEX and ADPQ.

    Returns
    -------
    DataFrame
        A converted record has DTYPE = CONVERTED, the place of its source record, and the
        VCN and leukocytes that were used; a record without both is not converted.
    """
    parts = [adpc.assign(DTYPE="", VCN=np.nan, WBC=np.nan)]
    for conversion in conversions:
        source = adpc[adpc["PARAMCD"] == conversion.source].reset_index(drop=True)
        # Lots are of the blood product; white cells are counted in blood.
        source = source[source["ANL01FL"] == "Y"].reset_index(drop=True)
        if source.empty:
            continue
        vcn = _find_vcn(source, others, conversion)
        white = _find_white_cells(source, others["ADPD"], conversion)
        used = vcn.notna() & white.notna()
        _report(pc, conversion, used)
        factor = UnitTable().factor(source["AVALU"].iloc[0], COPIES)
        numbers = {
            name: convert_copies(source[name] * factor, white, vcn, conversion.dna_per_cell)
            for name in ("AVAL", "ALLOQ", "AULOQ")
        }
        derived = source.assign(
            PARAMCD=conversion.analyte,
            PARAM=conversion.label.en,
            AVALC="",
            AVALU=CELLS,
            DTYPE=CONVERTED,
            VCN=vcn,
            WBC=white,
            BASE=np.nan,
            CHG=np.nan,
            ANL01FL=source["ANL01FL"] if conversion.kinetics else "N",
            **numbers,
        )
        parts.append(derived[used])
    return pd.concat(parts, ignore_index=True)


def _find_vcn(
    source: pd.DataFrame, others: dict[str, pd.DataFrame], conversion: CellConversion
) -> pd.Series:
    """VCN as declared, or of the lot of the current dose."""
    if conversion.vcn != "lot":
        return pd.Series(float(conversion.vcn), index=source.index)
    doses = others["ADEX"][others["ADEX"]["DOSENO"].notna()].drop_duplicates(["USUBJID", "DOSENO"])
    lots = others["ADPQ"].drop_duplicates("LOTID").set_index("LOTID")["VCN"]
    by_dose = doses.set_index(["USUBJID", "DOSENO"])["LOTID"].map(lots)
    keys = pd.MultiIndex.from_frame(source[["USUBJID", "DOSENO"]])
    vcn = pd.Series(by_dose.reindex(keys).to_numpy(dtype=float), index=source.index)
    return vcn.where(vcn > 0)


def _find_white_cells(
    source: pd.DataFrame, adpd: pd.DataFrame, conversion: CellConversion
) -> pd.Series:
    """Leukocytes per uL of the count nearest in time within the window; NaN without one."""
    counts = adpd[(adpd["PARAMCD"] == conversion.white_cells) & (adpd["AVAL"] > 0)]
    nothing = pd.Series(np.nan, index=source.index, dtype="float64")
    if counts.empty:
        return nothing
    factor = UnitTable().factor(counts["AVALU"].iloc[0], CELLS)
    counts = pd.DataFrame(
        {
            "USUBJID": counts["USUBJID"],
            "AFRLT": counts["AFRLT"].astype("float64"),
            "WBC": counts["AVAL"] * factor,
        }
    ).sort_values(["AFRLT", "WBC"], kind="stable")
    samples = source[["USUBJID", "AFRLT"]].assign(ROW=source.index)
    samples = samples.astype({"AFRLT": "float64"}).sort_values("AFRLT", kind="stable")
    near = pd.merge_asof(
        samples,
        counts,
        on="AFRLT",
        by="USUBJID",
        direction="nearest",
        tolerance=conversion.window,  # type: ignore[arg-type]  # a number, as the key is one
    )
    return near.set_index("ROW")["WBC"].reindex(source.index)


def _report(pc: Domain, conversion: CellConversion, used: pd.Series) -> None:
    words = {
        "test": conversion.source,
        "analyte": conversion.analyte,
        "mass": format_number(conversion.dna_per_cell),
        "window": format_number(conversion.window),
        "white": conversion.white_cells,
        "vcn": "ADPQ.VCN" if conversion.vcn == "lot" else format_number(float(conversion.vcn)),
    }
    for rule, count in (("CELLSASSUMED", used.sum()), ("CELLSNOTCONVERTED", (~used).sum())):
        if count:
            pc.report_file(rule, count=str(int(count)), **words)

"""Dataset ADBRG: the same sample measured by two versions of an assay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from celldossier.settings.bioanalysis import Assay
from celldossier.settings.bridging import BridgingData
from celldossier.study_data.domain import Domain
from celldossier.study_data.samples import flag

UNPAIRED = "UNPAIRED"
"""Reason of a result that no result of the other version stands beside."""

_BY = {"time": "AFRLT", "sample": "REFID"}
_SIDE = {
    "PCSPEC": "PCSPEC",
    "PCMETHOD": "PCMTHD",
    "PCNAM": "PCNAM",
    "AVAL": "AVAL",
    "BLQFL": "BLQFL",
    "ALQFL": "ALQFL",
    "ALLOQ": "ALLOQ",
    "SRCFILE": "SRCFILE",
    "SRCROW": "SRCROW",
}
# Variables of ADPC that each side has, and their names before the number of the side.


def derive_adbrg(adpc: pd.DataFrame, assays: Sequence[Assay]) -> pd.DataFrame:
    """Results of a sample by two versions of an assay, side by side.

    A pair has at least one result of a specimen that the config names for bridging. A result of
    such a specimen without a partner is there too, with the reason.

    Parameters
    ----------
    adpc
        Dataset ADPC, not yet conformed. Its records stay there as they are.
    assays
        Assays of the cells.

    Returns
    -------
    DataFrame
        Variables of ADBRG but STUDYID.
    """
    parts = [
        _pair(adpc[adpc["PARAMCD"] == assay.analyte], bridging)
        for assay in assays
        for bridging in assay.bridging
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["USUBJID"])


def _pair(adpc: pd.DataFrame, bridging: BridgingData) -> pd.DataFrame:
    """Pairs of one bridge; each result is in one pair at most."""
    first, second = (
        _take_side(adpc, version, bridging)
        for version in (bridging.from_version, bridging.to_version)
    )
    # What has no time, or no identifier, is of no sample that could be found again.
    keys = ["USUBJID", "KEY", "NUMBER"]
    both = first[first["NAMED"]].merge(second[second["NAMED"]], on=keys, suffixes=("1", "2"))
    both = both[both["AGAIN1"] | both["AGAIN2"]]
    alone = [
        side[side["AGAIN"] & ~side["PLACE"].isin(both[f"PLACE{number}"])]
        .rename(columns={name: f"{name}{number}" for name in side if name != "USUBJID"})
        .dropna(axis="columns", how="all")
        for number, side in (("1", first), ("2", second))
    ]
    parts = [part for part in (both, *alone) if len(part)]
    return _judge(pd.concat(parts, ignore_index=True) if parts else both, both.columns, bridging)


def _take_side(adpc: pd.DataFrame, version: str, bridging: BridgingData) -> pd.DataFrame:
    """Results of one version, those of a sample measured again (AGAIN) before the others."""
    own = adpc[(adpc["PCASSAYV"] == version) & (adpc["DTYPE"] != "CONVERTED")]
    own = own.assign(
        AVAL=own["AVAL"].where(own["BLQFL"] != "Y"),
        AGAIN=own["PCSPEC"].isin(bridging.specimens),
        KEY=own[_BY[bridging.pairs]],
        NAMED=own["AFRLT"].notna() if bridging.pairs == "time" else own["REFID"] != "",
        PLACE=np.arange(len(own)),
    ).sort_values("AGAIN", ascending=False, kind="stable")
    own = own.assign(NUMBER=own.groupby(["USUBJID", "KEY"], dropna=False).cumcount())
    kept = ["USUBJID", "AFRLT", "NFRLT", "AVALU", "PARAMCD", "AGAIN", "KEY", "NAMED", "NUMBER"]
    return own[[*kept, "PLACE", *_SIDE]].rename(columns=_SIDE)


def _judge(frame: pd.DataFrame, columns: pd.Index, bridging: BridgingData) -> pd.DataFrame:
    """Which pairs tell of the bridge, and why the others do not."""
    frame = frame.reindex(columns=columns)
    known = frame["PLACE1"].notna() & frame["PLACE2"].notna()
    above = (frame["ALQFL1"] == "Y") | (frame["ALQFL2"] == "Y")
    positive = (frame["AVAL1"] > 0) & (frame["AVAL2"] > 0)
    reason = pd.Series(
        np.select([~known, ~positive, above], [UNPAIRED, "PAIRBLQ", "ALQ"], default=""),
        index=frame.index,
        dtype=object,
    )
    shared = {
        name: frame[f"{name}1"].where(frame["PLACE1"].notna(), frame[f"{name}2"])
        for name in ("AFRLT", "NFRLT", "AVALU", "PARAMCD")
    }
    sides = [f"{name}{number}" for number in "12" for name in _SIDE.values()]
    return frame[["USUBJID", *sides]].assign(
        **shared,
        ASSAYV1=bridging.from_version,
        ASSAYV2=bridging.to_version,
        ANL01FL=flag(reason == ""),
        BRGXRS=reason,
        RATIO=(frame["AVAL2"] / frame["AVAL1"]).where(reason == "").astype("float64"),
    )


def check_bridging_data(pc: Domain, adbrg: pd.DataFrame, assays: Sequence[Assay]) -> None:
    """Find bridges without a pair, and results for bridging that have no partner."""
    if not (pc.collected and pc.usable):
        return
    for assay in assays:
        for bridging in assay.bridging:
            own = adbrg
            if len(adbrg):
                own = adbrg[
                    (adbrg["PARAMCD"] == assay.analyte)
                    & (adbrg["ASSAYV1"] == bridging.from_version)
                ]
            alone = int((own["BRGXRS"] == UNPAIRED).sum()) if len(own) else 0
            if alone or own.empty:
                pc.report_file(
                    "BRIDGEUNPAIRED",
                    column=pc.raw_columns.get("PCSPEC", "PCSPEC"),
                    value=", ".join(bridging.specimens),
                    test=assay.analyte,
                    first=bridging.from_version,
                    second=bridging.to_version,
                    pairs=str(len(own) - alone),
                    count=str(alone),
                )

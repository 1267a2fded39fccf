"""What the bridge of two versions of an assay adds to the error of a ratio."""

from __future__ import annotations

import math
from dataclasses import replace

from celldossier.comparability.groups import KEY
from celldossier.comparability.kinetics import Comparison
from celldossier.comparability.study import ASIS, Study
from celldossier.stats.bridging import combine_bridge_error
from celldossier.stats.ratio import Ratio, ratio_from_logs


def bridge_error(study: Study, one: Comparison) -> list[tuple[float, float]]:
    """Standard error of ln ratio that each bridge adds, with its degrees of freedom.

    The factor of a bridge stands in the ratio to the power of the difference of the shares of
    bridged samples; a parameter without the unit of the concentrations (a rate, a time) does not
    hold it.
    """
    if one.approach == ASIS:
        return []
    adpc = study.sources.adpc
    rows = adpc.loc[(adpc["PARAMCD"] == one.analyte) & (adpc["ANL01FL"] == "Y")]
    units = set(rows["AVALU"]) - {""}
    # Where no unit is recorded, no parameter can be told to be free of the factor.
    if units and not any(unit in one.unit for unit in units):
        return []
    kinetics = study.subjects.loc[study.subjects["PKFL"] == "Y", [*KEY, "GROUP"]]
    merged = rows.merge(kinetics, on=KEY, how="inner")
    found = []
    for bridge in study.bridges.get(one.analyte, ()):
        # Of each subject the share of its samples, so that one sampled often counts once.
        shares = (
            (merged["PCASSAYV"] == bridge.first)
            .groupby([merged["GROUP"], merged["USUBJID"]])
            .mean()
            .groupby(level=0)
            .mean()
        )
        weight = abs(shares.get(one.group, 0.0) - shares.get(study.reference, 0.0))
        if weight > 0:
            found.append((weight * bridge.se, bridge.df))
    return found


def with_bridge(study: Study, one: Comparison, ratio: Ratio) -> tuple[Ratio, float]:
    """The ratio with the error of its bridges in the interval, and the standard error they add."""
    errors = bridge_error(study, one)
    if not errors or math.isnan(ratio.se):
        return ratio, 0.0
    se, df = ratio.se, ratio.df
    for own, own_df in errors:
        combined = combine_bridge_error(se, own, df, own_df)
        se, df = combined.se, combined.df
    sizes = (ratio.n_test, ratio.n_reference)
    level = study.settings.equivalence_level
    wider = ratio_from_logs(math.log(ratio.ratio), se, df, sizes, level, ratio.sd)
    added = math.sqrt(sum(own**2 for own, _ in errors))
    return replace(wider, reason=wider.reason or ratio.reason), added

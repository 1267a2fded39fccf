"""Samples and parameters of the cells beside those of the markers that are related to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.pharmacodynamics.courses import prepare_samples
from celldossier.pharmacodynamics.marker_rules import ResolvedRule, resolve_rules
from celldossier.pharmacodynamics.study import KEY, Study
from celldossier.stats.lagged_correlation import Series
from celldossier.terms.markers import read_markers

WHERE = "PKFL = Y and PDFL = Y"
COLUMNS = [*KEY, "SUBJECT", "DAY", "TIME", "VALUE", "RANKED"]


@dataclass(frozen=True)
class Related:
    """The samples of the cells beside those of one marker.

    Attributes
    ----------
    cells, samples
        STUDYID, USUBJID, SUBJECT (a number), DAY (nominal, else actual), TIME (actual, days),
        VALUE (of a result below the limit, a share of the limit) and RANKED (minus or plus
        infinity where a result is below or above a limit).
    """

    rule: ResolvedRule
    cells: pd.DataFrame
    samples: pd.DataFrame
    unit: str
    cell_unit: str

    @property
    def code(self) -> str:
        """Code of the marker."""
        return self.rule.marker

    def series(self) -> tuple[Series, Series]:
        """Both as they are ranked."""
        first, second = (
            Series.of(frame["SUBJECT"], frame["TIME"], frame["RANKED"])
            for frame in (self.cells, self.samples)
        )
        return first, second

    def by_day(self) -> pd.DataFrame:
        """Cells (X) and marker (Y) of a subject on the same nominal day, in order of time."""
        left = self.cells.rename(columns={"VALUE": "X"}).drop_duplicates([*KEY, "DAY"])
        right = self.samples.rename(columns={"VALUE": "Y"}).drop_duplicates([*KEY, "DAY"])
        both = left.merge(right[[*KEY, "DAY", "Y"]], on=[*KEY, "DAY"])
        return both.sort_values([*KEY, "TIME"], kind="stable", ignore_index=True)


def select_rules(study: Study) -> dict[str, ResolvedRule]:
    """The markers that are related to the cells and have samples, in order."""
    settings = study.settings
    rules = resolve_rules(study.sources.adpd["PARAMCD"], settings.parameters)
    named = settings.kinetics.markers
    if named:
        return {code: rules[code] for code in named if code in rules}
    known = list(read_markers())
    ours = [c for c, rule in rules.items() if rule.marker_class in settings.kinetics.classes]
    order = settings.kinetics.classes
    ours.sort(
        key=lambda code: (
            order.index(rules[code].marker_class),
            known.index(code) if code in known else len(known),
            code,
        )
    )
    return {code: rules[code] for code in ours}


def select_subjects(study: Study) -> pd.DataFrame:
    """STUDYID and USUBJID of the subjects of both populations, in order."""
    adsl = study.sources.adsl
    both = adsl.loc[(adsl["PKFL"] == "Y") & (adsl["PDFL"] == "Y"), KEY]
    return both.sort_values(KEY, kind="stable", ignore_index=True)


def relate_samples(study: Study) -> Iterator[Related]:
    """Each marker that has samples, beside the cells.

    Samples of a marker that are set apart or left out, as after tocilizumab, do not enter.
    """
    settings, rules = study.settings, select_rules(study)
    subjects = select_subjects(study).assign(SUBJECT=lambda rows: np.arange(len(rows)))
    adpc = study.sources.adpc
    cells = adpc.loc[(adpc["PARAMCD"] == settings.analyte) & (adpc["ANL01FL"] == "Y")]
    if cells.empty or not rules:
        return
    cell_unit = str(cells["AVALU"].iloc[0])
    below = cells["BLQFL"] == "Y"
    half = settings.parameters.below_limit * cells["ALLOQ"]
    given = pd.DataFrame(
        {
            **{name: cells[name] for name in KEY},
            "TIME": cells["AFRLT"],
            "NOMINAL": cells["NFRLT"].fillna(cells["AFRLT"]),
            "VALUE": cells["AVAL"].mask(below, half),
            "BELOW": below,
            "ABOVE": cells["ALQFL"] == "Y",
        }
    )
    chosen = _within(study, subjects, given)
    samples = prepare_samples(study.sources, rules, settings.parameters.below_limit)
    samples = samples.loc[~samples["APART"] & ~samples["LEFT"]]
    for code, rule in rules.items():
        rows = select_place(samples.loc[samples["PARAMCD"] == code])
        if len(rows):
            unit = str(rows["AVALU"].iloc[0])
            yield Related(rule, chosen, _within(study, subjects, rows), unit, cell_unit)


def select_place(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the most frequent specimen and place."""
    for column in ("ASPEC", "ALOC"):
        if len(rows):
            rows = rows.loc[rows[column] == rows[column].value_counts().sort_index().idxmax()]
    return rows


def _within(study: Study, subjects: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Samples in the time of the analysis, with what they are ranked by."""
    rules = study.settings.kinetics
    # The nominal day decides where it is given: a day-28 sample drawn an hour late is of day 28.
    kept = (rows["TIME"] >= rules.after) & (rows["NOMINAL"] <= rules.until) & rows["VALUE"].notna()
    chosen = rows.loc[kept]
    chosen = chosen.assign(
        DAY=chosen["NOMINAL"].round(2),
        RANKED=chosen["VALUE"].mask(chosen["BELOW"], -np.inf).mask(chosen["ABOVE"], np.inf),
    ).merge(subjects, on=KEY)
    return chosen[COLUMNS].sort_values([*KEY, "TIME"], kind="stable", ignore_index=True)


class MarkerParameters:
    """Parameters of the related markers that have a value, of the subjects of both populations."""

    COLUMNS = (*KEY, "AVAL", "AVALU", "FLAG")

    def __init__(self, study: Study, codes: Iterable[str]) -> None:
        rows = study.adpdp.loc[study.adpdp["PARCAT1"].isin(list(codes))]
        parts = [select_place(part) for _, part in rows.groupby("PARCAT1", sort=True)]
        known = pd.concat(parts) if parts else rows
        known = known.loc[known["AVAL"].notna()].merge(select_subjects(study), on=KEY)
        self._none = known.iloc[:0][list(self.COLUMNS)]
        self._parts = {
            key: part[list(self.COLUMNS)].reset_index(drop=True)
            for key, part in known.groupby(["PARCAT1", "PARAMCD"], sort=True)
        }

    def of(self, code: str, parameter: str) -> pd.DataFrame:
        """STUDYID, USUBJID, AVAL, AVALU and FLAG of a parameter of a marker."""
        return self._parts.get((code, parameter), self._none)


def read_cell_parameter(study: Study, parameter: str) -> pd.DataFrame:
    """STUDYID, USUBJID, AVAL and AVALU of a parameter of the cells over all doses."""
    adpp = study.sources.adpp
    rows = adpp.loc[
        (adpp["PARCAT1"] == study.settings.analyte)
        & (adpp["PROFTYP"] == "COURSE")
        & (adpp["PARAMCD"] == parameter)
        & adpp["AVAL"].notna()
    ]
    return rows[[*KEY, "AVAL", "AVALU"]].drop_duplicates(KEY)


def curve_points(
    curve_id: str,
    points: Iterable[tuple[str, float, float]],
    units: tuple[str, str],
    kind: str = "observed",
) -> list[dict[str, object]]:
    """Rows of CURVES: series, x and y of each point, one subject behind it."""
    return [
        {
            "curve_id": curve_id,
            "series": series,
            "x": float(x),
            "y": float(y),
            "n": 1.0,
            "x_unit": units[0],
            "y_unit": units[1],
            "kind": kind,
        }
        for series, x, y in points
    ]

"""Summaries of the parameters of markers, and of their values by nominal day (T43, T45, T50).

analysis            keys                  statistics
marker_class        series                class, kind, direction, recovery, platelets, unit (texts),
                                          window, rise_factor
marker              series, dose          block of the parameter; n_nc, n_atleast, n_atmost, n_blq
                                          (result or baseline below the limit), n_over (normal,
                                          where there is a limit of normal),
                                          n_last (at the last sample)
marker_reason       series, reason        n: values that are missing, by reason
marker_return       series, dose          n, n_event, median with limits: recovery (Kaplan-Meier)
marker_response     series, dose          n, n_found, pct with limits: responders of scores
marker_value        series, dose, visit   block of the results; n_blq, n_alq, n_high
marker_change       series, dose, visit   block of the changes from baseline, of scores, tissue
                                          factors, images, genes and what platelets release
marker_change_mean  series, dose, visit   mean change with its limits
marker_apart        series, cause         block of the peaks of the samples set apart, n_samples
curves              marker_median, marker_change, marker_apart (single results), by marker

A marker of one specimen and place has no key `series`; of several, it is their names. The
subjects are those of the pharmacodynamic set (PDFL), the samples those that are used.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from celldossier.pharmacodynamics.courses import prepare_samples
from celldossier.pharmacodynamics.marker_rules import SCORES, ResolvedRule, resolve_rules
from celldossier.pharmacodynamics.samples import BASELINE, Group
from celldossier.pharmacodynamics.study import Study, follows_infusion
from celldossier.pharmacodynamics.summaries import add_block, add_duration, add_share
from celldossier.results import ResultCollector
from celldossier.stats.descriptive import mean_interval
from celldossier.terms.pd_parameters import find_pd_parameter

STAGE = "pharmacodynamics"
POPULATION = "PDFL = Y"
SERIES = ["PARCAT1", "ASPEC", "ALOC"]
CONDITION = "CONDITION"
"""Cause of samples that are set apart for their condition; others are classes of medication."""

COUNTED = {
    "n_atleast": ("ATLEAST",),
    "n_atmost": ("ATMOST",),
    "n_blq": ("VALBLQ", "BASBLQ"),
    "n_over": ("OVERULN",),
    "n_last": ("ATLAST",),
}
"""Statistic to the flags that it counts."""

CHANGES = ("SCORE", "TISSUE_FACTOR", "IMAGING", "GENE")
"""Classes whose changes from baseline are summarised by visit."""


def summarise_markers(study: Study, out: ResultCollector) -> list[dict[str, object]]:
    """Add the analyses at the head of this module; give the curves of the markers."""
    options = study.settings.parameters
    rules = resolve_rules(study.sources.adpd["PARAMCD"], options)
    samples = prepare_samples(study.sources, rules, options.below_limit)
    adpdp = study.adpdp
    if adpdp.empty or samples.empty:
        return []
    groups = list_pd_groups(study)
    names = name_series(adpdp)
    samples = samples.rename(columns={"PARAMCD": "PARCAT1"})
    everybody = groups[0].subjects
    adpdp = adpdp[adpdp["USUBJID"].isin(everybody)]
    samples = samples[samples["USUBJID"].isin(everybody)]
    # What platelets release stands beside the markers of tissue; alone it is a cytokine.
    of_tissue = any(_has_changes(rule) for rule in rules.values())
    curves: list[dict[str, object]] = []
    by_series = dict(list(samples.groupby(SERIES, sort=True)))
    for key, rows in adpdp.groupby(SERIES, sort=True):
        rule = rules[str(key[0])]
        given = by_series.get(key)
        marker = Marker(
            out,
            rule,
            names[tuple(map(str, key))],
            groups,
            has_changes=_has_changes(rule) or (of_tissue and rule.platelets),
            has_normal=given is not None and bool(given["NORMAL"].notna().any()),
        )
        marker.add_class(rows)
        marker.add_parameters(rows)
        if given is not None:
            curves += marker.add_course(given, rows)
    return curves


def _has_changes(rule: ResolvedRule) -> bool:
    return rule.kind in SCORES or rule.marker_class in CHANGES


def list_pd_groups(study: Study) -> list[Group]:
    """The pharmacodynamic set, and its dose levels where the settings ask for them."""
    adsl = study.sources.adsl
    infused = adsl[adsl["PDFL"] == "Y"].drop_duplicates("USUBJID").set_index("USUBJID")
    groups = [Group({}, frozenset(infused.index))]
    levels = infused["TRT01A"] if study.settings.by_dose else infused["TRT01A"].iloc[:0]
    for level, rows in levels[levels != ""].groupby(levels, sort=True):
        groups.append(Group({"dose": str(level)}, frozenset(rows.index)))
    return groups


def name_series(adpdp: pd.DataFrame) -> dict[tuple[str, ...], str]:
    """Name of each series of a marker that has several: specimen and place; else blank."""
    keys = adpdp[SERIES].drop_duplicates()
    several = keys.groupby("PARCAT1")["PARCAT1"].transform("size") > 1
    return {
        tuple(row): " ".join(part for part in row[1:] if part) if many else ""
        for row, many in zip(keys.itertuples(index=False, name=None), several, strict=True)
    }


class Marker:
    """One marker in one specimen and place, and where its results are collected."""

    def __init__(
        self,
        out: ResultCollector,
        rule: ResolvedRule,
        name: str,
        groups: list[Group],
        *,
        has_changes: bool = False,
        has_normal: bool = False,
    ) -> None:
        self.out, self.rule, self.groups = out, rule, groups
        self.code = rule.marker
        self.by = {"series": name} if name else {}
        self.curve = f"{self.code}/{name}" if name else self.code
        self.has_changes, self.has_normal = has_changes, has_normal

    def add_class(self, rows: pd.DataFrame) -> None:
        """What the marker is, and by what it is judged."""
        rule = self.rule
        base = rows[rows["PARAMCD"] == "PDBASE"]
        texts = {
            "class": rule.marker_class or "NONE",
            "kind": rule.kind,
            "direction": rule.direction,
            "recovery": rule.recovery.criterion,
            "platelets": "Y" if rule.platelets else "N",
            "unit": str(base["AVALU"].iloc[0]) or "1",
        }
        numbers = {"window": rule.window, "rise_factor": rule.rise_factor, "n": len(base)}
        self.out.add(
            "marker_class",
            {**texts, **numbers},
            dataset="ADPDP",
            analyte=self.code,
            by=self.by,
            where=POPULATION,
            units={"window": "d"},
            n=len(base),
        )

    def add_parameters(self, rows: pd.DataFrame) -> None:
        """Each parameter in each group, and why values are missing."""
        for code, values in rows.groupby("PARAMCD", sort=True):
            summary = find_pd_parameter(str(code)).summary
            for group in self.groups:
                part = values[values["USUBJID"].isin(group.subjects)]
                by = {**self.by, **group.by}
                if code == "PDTREC":
                    self._add_return(part, by)
                if summary == "share":
                    known = part["AVAL"].dropna()
                    self._add_response(int((known == 1).sum()), len(known), by)
                else:
                    self._add_block(str(code), part, by)
            missing = values.loc[values["AVAL"].isna(), "PPREASND"].value_counts().sort_index()
            for reason, count in missing.items():
                self.out.add(
                    "marker_reason",
                    {"n": int(count)},
                    dataset="ADPDP",
                    variable=str(code),
                    analyte=self.code,
                    by={**self.by, "reason": str(reason)},
                    where=POPULATION,
                    n=len(values),
                )

    def _add_block(self, code: str, part: pd.DataFrame, by: dict[str, str]) -> None:
        flags = part["FLAG"].str.split(";")
        extra: dict[str, float] = {"n_nc": int(part["AVAL"].isna().sum())}
        for stat, names in COUNTED.items():
            # Without a limit of normal nobody could be above it: no count, rather than 0.
            if stat == "n_over" and not self.has_normal:
                continue
            extra[stat] = int(flags.map(lambda f, n=names: any(x in f for x in n)).sum())
        add_block(
            self.out,
            "marker",
            part["AVAL"],
            variable=code,
            analyte=self.code,
            by=by,
            where=f"{POPULATION}; PARAMCD = {code}",
            unit=part["AVALU"].iloc[0] if len(part) else "",
            dataset="ADPDP",
            extra=extra,
        )

    def _add_return(self, part: pd.DataFrame, by: dict[str, str]) -> None:
        known = part[part["AVAL"].notna()]
        censored = known["FLAG"].str.split(";").map(lambda flags: "PDCENS" in flags).astype(bool)
        rows = pd.DataFrame({"DURATION": known["AVAL"], "EVENT": (~censored).astype(int)})
        add_duration(
            self.out,
            "marker_return",
            rows,
            2,
            variable="PDTREC",
            analyte=self.code,
            by=by,
            where=f"{POPULATION}; PARAMCD = PDTREC",
        )

    def _add_response(self, found: int, asked: int, by: dict[str, str]) -> None:
        add_share(
            self.out,
            "marker_response",
            found,
            asked,
            variable="PDRESP",
            analyte=self.code,
            by=by,
            where=f"{POPULATION}; PARAMCD = PDRESP",
            dataset="ADPDP",
            extra={"mcid": self.rule.mcid or math.nan},
        )

    def add_course(self, samples: pd.DataFrame, rows: pd.DataFrame) -> list[dict[str, object]]:
        """Values and changes by nominal day, and the samples set apart; gives their curves."""
        base = rows[rows["PARAMCD"] == "PDBASE"].set_index("USUBJID")["AVAL"]
        unit = str(samples["AVALU"].iloc[0])
        used = by_visit(samples[~samples["APART"] & ~samples["LEFT"]])
        change = used["VALUE"] - used["USUBJID"].map(base)
        used = used.assign(CHANGE=change.where(used["VISIT"] != BASELINE))
        curves: list[dict[str, object]] = []
        for group in self.groups:
            mine = used[used["USUBJID"].isin(group.subjects)]
            by = {**self.by, **group.by}
            for level, part in mine.groupby("VISIT", sort=True):
                visit = str(level)
                day = 0.0 if visit == BASELINE else float(visit)
                curves.append(self._add_value(part, {**by, "visit": visit}, unit, day, group))
                if self.has_changes:
                    curves += self._add_change(part, {**by, "visit": visit}, unit, day, group)
        apart = samples[samples["APART"]]
        return curves + list(self._add_apart(apart, unit))

    def _add_value(
        self, part: pd.DataFrame, by: dict[str, str], unit: str, day: float, group: Group
    ) -> dict[str, object]:
        over = (part["VALUE"] > part["NORMAL"]) & ~part["BELOW"]
        counts = {"n_blq": part["BELOW"], "n_alq": part["ABOVE"]}
        counts |= {"n_high": over} if self.has_normal else {}
        add_block(
            self.out,
            "marker_value",
            part["VALUE"],
            variable="VALUE",
            analyte=self.code,
            by=by,
            where=POPULATION,
            unit=unit,
            extra={stat: int(marks.sum()) for stat, marks in counts.items()},
        )
        low, median, high = np.quantile(part["VALUE"], [0.25, 0.5, 0.75])
        return self._point("marker_median", group, day, (median, low, high), len(part), unit)

    def _add_change(
        self, part: pd.DataFrame, by: dict[str, str], unit: str, day: float, group: Group
    ) -> Iterator[dict[str, object]]:
        change = part["CHANGE"].dropna()
        if by["visit"] == BASELINE:
            yield self._point("marker_change", group, 0.0, (0.0, 0.0, 0.0), len(part), unit)
            return
        low, high = mean_interval(change)
        add_block(
            self.out,
            "marker_change",
            change,
            variable="CHANGE",
            analyte=self.code,
            by=by,
            where=POPULATION,
            unit=unit,
        )
        if math.isnan(low):
            return
        self.out.add(
            "marker_change_mean",
            {"mean": float(change.mean()), "low": low, "high": high},
            dataset="ADPD",
            variable="CHANGE",
            analyte=self.code,
            by=by,
            where=POPULATION,
            unit=unit,
            n=len(change),
            method="Student's t",
        )
        yield self._point(
            "marker_change", group, day, (float(change.mean()), low, high), len(change), unit
        )

    def _add_apart(self, apart: pd.DataFrame, unit: str) -> Iterator[dict[str, object]]:
        """Peaks of the samples that stand apart, by cause; a sample may have several causes."""
        later = follows_infusion(apart["TIME"], apart["PLANNED"])
        inside = apart[later & (apart["NOMINAL"] <= apart["WINDOW"])]
        causes = {CONDITION: inside[inside["FLAGGED"]]}
        if self.rule.after:
            causes["+".join(self.rule.after)] = inside[inside["AFTER"]]
        for cause, rows in causes.items():
            if rows.empty:
                continue
            peaks = rows.groupby("USUBJID")["VALUE"].max()
            add_block(
                self.out,
                "marker_apart",
                peaks,
                variable="PDPEAKX",
                analyte=self.code,
                by={**self.by, "cause": cause},
                where=POPULATION,
                unit=unit,
                extra={"n_samples": len(rows)},
            )
            for row in rows.drop_duplicates(["USUBJID", "TIME"]).to_dict("records"):
                yield {
                    "curve_id": f"{STAGE}.marker_apart/{self.curve}/{cause}",
                    "series": row["USUBJID"],
                    "x": row["TIME"],
                    "y": row["VALUE"],
                    "x_unit": "d",
                    "y_unit": unit,
                    "kind": "observed",
                }

    def _point(
        self,
        curve: str,
        group: Group,
        day: float,
        values: tuple[float, float, float],
        n: int,
        unit: str,
    ) -> dict[str, object]:
        series = "/".join(f"{key}={level}" for key, level in group.by.items()) or "total"
        return {
            "curve_id": f"{STAGE}.{curve}/{self.curve}",
            "series": series,
            "x": day,
            "y": float(values[0]),
            "low": float(values[1]),
            "high": float(values[2]),
            "n": n,
            "x_unit": "d",
            "y_unit": unit,
            "kind": "summary",
        }


def by_visit(samples: pd.DataFrame) -> pd.DataFrame:
    """One sample a subject and nominal day, the nearest to it; the baseline is a visit of its own.

    Samples before the infusion other than the baseline, and those without a nominal day after
    it, are left out: the parameters hold them.
    """
    base = samples["BASELINE"]
    kept = samples[base | follows_infusion(samples["TIME"], samples["PLANNED"])]
    base = kept["BASELINE"]
    named = kept["PLANNED"].map(lambda day: "" if math.isnan(day) else f"{day:g}")
    kept = kept.assign(
        VISIT=named.mask(base, BASELINE).astype(object),
        AWAY=(kept["TIME"] - kept["PLANNED"]).abs().fillna(0.0),
    )
    kept = kept[kept["VISIT"] != ""].sort_values(["USUBJID", "VISIT", "AWAY", "TIME"])
    return kept.drop_duplicates(["USUBJID", "VISIT"]).drop(columns="AWAY")

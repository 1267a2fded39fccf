"""CRS and ICANS by exposure: grade, onset, duration and treatment in groups of exposure."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from celldossier.exposure_response.ader import EVENTS
from celldossier.exposure_response.observed import BIN_LETTER, assign_bins
from celldossier.exposure_response.study import KEY, Study
from celldossier.results import ResultCollector

ALL = "ALL"
"""Level of the key `bin` for all groups together."""
GRADES = (1, 2, 3, 4, 5)
TREATMENTS = {"toci": "TOCIDY", "steroid": "STERDY"}


def collect_event_features(study: Study, out: ResultCollector) -> None:
    """Add `event_features`: what CRS and ICANS were like in groups of exposure.

    A group holds every subject of the exposure-response set whose exposure is known, also
    those that were never quantifiable. Subjects whose worst grade is not known are counted,
    and are in no percentage. Onset is that of the first episode, duration that of the worst
    one; a duration that is not known or not over is counted, and is in no median.
    """
    settings = study.settings
    population = study.ader.loc[study.ader["ERFL"] == "Y"]
    for metric in settings.metrics:
        known = population.loc[population[metric].notna()]
        group, k = assign_bins(
            known[metric].to_numpy(dtype=float), settings.bins, settings.min_per_bin
        )
        names = pd.Series([f"{BIN_LETTER[k]}{g + 1}" if k else "" for g in group], known.index)
        for event, (grade, onset, _) in EVENTS.items():
            features = _read_features(study, known, event, grade, onset)
            levels = [*sorted(set(names) - {""}), ALL]
            for level in levels:
                members = names.index if level == ALL else names.index[names == level]
                exposure = known.loc[members, metric]
                statistics, notes = _summarise(features.loc[members], exposure)
                statistics["n_noexposure"] = float(len(population) - len(known))
                out.add(
                    "event_features",
                    statistics,
                    dataset="ADAESI",
                    variable=event,
                    analyte=settings.analyte,
                    by={"metric": metric, "bin": level},
                    where="ERFL = Y",
                    units={
                        **{name: "%" for name in statistics if name.startswith("pct_")},
                        **{name: study.units.get(metric, "") for name in _EXPOSURE},
                        **{
                            f"{what}_{stat}": "d"
                            for what in ("onset", "duration")
                            for stat in ("median", "min", "max")
                        },
                    },
                    n=float(len(members)),
                    notes=notes,
                )


_EXPOSURE = ("exposure_min", "exposure_max")


def _read_features(
    study: Study, subjects: pd.DataFrame, event: str, grade: str, onset: str
) -> pd.DataFrame:
    """GRADE, ONSET, DURATION and the treatments of each subject, in the rows of `subjects`."""
    episodes = study.sources.adaesi
    episodes = episodes.loc[
        (episodes["AESI"] == event) & (episodes["ASTDY"] <= study.settings.event_window)
    ]
    rows = pd.MultiIndex.from_frame(subjects[KEY])
    worst = episodes.loc[episodes["WORSTFL"] == "Y"].drop_duplicates(KEY).set_index(KEY)
    over = (worst["ONGOFL"] == "N") & (worst["ADURRSN"].fillna("") == "")
    duration = worst["ADURN"].astype(float).where(over).reindex(rows)
    features = pd.DataFrame(
        {
            "GRADE": subjects[grade].to_numpy(dtype=float),
            "ONSET": subjects[onset].to_numpy(dtype=float),
            "DURATION": duration.to_numpy(dtype=float),
        },
        index=subjects.index,
    )
    for name, variable in TREATMENTS.items():
        given = episodes.loc[episodes[variable].notna()].groupby(KEY).size().reindex(rows)
        features[name] = given.notna().to_numpy()
    return features


def _summarise(
    features: pd.DataFrame, exposure: pd.Series
) -> tuple[dict[str, float | str], dict[str, str]]:
    known = features.loc[features["GRADE"].notna()]
    events = known.loc[known["GRADE"] > 0]
    statistics: dict[str, float | str] = {
        "n": float(len(features)),
        "n_known": float(len(known)),
        "n_event": float(len(events)),
        "pct_event": _percent(len(events), len(known)),
    }
    for grade in GRADES:
        count = int((known["GRADE"] == grade).sum())
        statistics[f"n_grade{grade}"] = float(count)
        statistics[f"pct_grade{grade}"] = _percent(count, len(known))
    for name in TREATMENTS:
        count = int(events[name].sum())
        statistics |= {f"n_{name}": float(count), f"pct_{name}": _percent(count, len(events))}
    for what, column in (("onset", "ONSET"), ("duration", "DURATION")):
        values = events[column].dropna().to_numpy(dtype=float)
        statistics |= {
            f"{what}_n": float(values.size),
            f"{what}_unknown": float(len(events) - values.size),
            f"{what}_median": float(np.median(values)) if values.size else math.nan,
            f"{what}_min": float(values.min()) if values.size else math.nan,
            f"{what}_max": float(values.max()) if values.size else math.nan,
        }
    statistics |= {
        "exposure_min": float(exposure.min()) if len(exposure) else math.nan,
        "exposure_max": float(exposure.max()) if len(exposure) else math.nan,
    }
    return statistics, {
        name: _reason(name, known, events)
        for name, value in statistics.items()
        if isinstance(value, float) and math.isnan(value)
    }


def _percent(count: int, n: int) -> float:
    return 100 * count / n if n else math.nan


def _reason(name: str, known: pd.DataFrame, events: pd.DataFrame) -> str:
    """Why a statistic is empty: no subject, no known grade, no event, nothing known of it."""
    if name in _EXPOSURE:
        return "NOSUBJ"
    if known.empty:
        return "NOTCOLL"
    return "NOEVENT" if events.empty else "NODURN"

"""Results of predictions, of the plan and of features of events, as the stage gives them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from celldossier.results import ResultCollector

POINTS = {"P10": 4000.0, "P50": 24000.0, "DOSE.DL1": 19000.0, "VALUE.1e+09": 1e9}


def add_plan_summary(out: ResultCollector, planned: Mapping[str, tuple[int, int]]) -> None:
    """Numbers of models planned and refused by endpoint, and of all of them."""
    total = [sum(counts[place] for counts in planned.values()) for place in (0, 1)]
    for endpoint, (n, refused) in {"": (total[0], total[1]), **planned}.items():
        out.add(
            "plan_summary",
            {
                "n_planned": float(n), "n_run": float(n - refused), "n_refused": float(refused),
                "n_primary": 0.0, "n_secondary": float(n), "n_sensitivity": 0.0,
            },
            dataset="ADER",
            variable=endpoint,
            analyte="PCR",
        )  # fmt: skip


def add_predictions(out: ResultCollector, refused: str = "ICANSGE2") -> None:
    """Two endpoints over two metrics: one model refused, and one exposure out of range."""
    for endpoint in ("OBJRESP", "CRSGE2", refused):
        for metric in ("AUC28", "CMAX"):
            for adjustment in ("UNADJUSTED", "TUMOUR_BURDEN"):
                for point, exposure in POINTS.items():
                    reason = "EXPRANGE" if point.startswith("VALUE") else ""
                    if endpoint == refused:
                        reason = "FEWEVENT"
                    names = ("pct", "ci_low", "ci_high")
                    numbers = (math.nan,) * 3 if reason else (44.7, 30.6, 59.7)
                    out.add(
                        "predicted_probability",
                        {
                            "n": 99.0, "events": 61.0, "n_exposure": 99.0, "exposure": exposure,
                            **dict(zip(names, numbers, strict=True)),
                        },
                        dataset="ADER",
                        variable=endpoint,
                        analyte="PCR",
                        by={"metric": metric, "adjustment": adjustment, "at": point},
                        unit="%",
                        units={"exposure": "copies/ug"},
                        n=99.0,
                        notes=dict.fromkeys(names, reason) if reason else {},
                    )  # fmt: skip


def add_grade_predictions(out: ResultCollector) -> None:
    """Three grades of CRS by two models, the adjusted one without proportional odds."""
    for adjustment, reason in (("UNADJUSTED", ""), ("TUMOUR_BURDEN", "POREJECT")):
        for point, exposure in POINTS.items():
            for grade, share in (("0", 50.0), ("1", 30.0), ("2", 20.0)):
                why = reason or ("EXPRANGE" if point.startswith("VALUE") else "")
                names = ("pct", "ci_low", "ci_high")
                numbers = (math.nan,) * 3 if why else (share, share - 9, share + 9)
                out.add(
                    "predicted_grade",
                    {"n": 99.0, "exposure": exposure, **dict(zip(names, numbers, strict=True))},
                    dataset="ADER",
                    variable="CRSGR",
                    analyte="PCR",
                    by={"metric": "CMAX", "adjustment": adjustment, "at": point, "grade": grade},
                    unit="%",
                    units={"exposure": "copies/ug"},
                    n=99.0,
                    notes=dict.fromkeys(names, why) if why else {},
                )


def add_survival_predictions(out: ResultCollector) -> None:
    """Progression-free survival at two times, the later one beyond the follow-up."""
    for adjustment in ("UNADJUSTED", "TUMOUR_BURDEN"):
        for point, exposure in POINTS.items():
            for month, reason in (("M6", ""), ("M24", "NOFOLLOW")):
                why = reason or ("EXPRANGE" if point.startswith("VALUE") else "")
                names = ("pct", "ci_low", "ci_high")
                numbers = (math.nan,) * 3 if why else (62.0, 48.0, 73.0)
                out.add(
                    "predicted_survival",
                    {
                        "n": 88.0, "events": 40.0, "exposure": exposure,
                        **dict(zip(names, numbers, strict=True)),
                    },
                    dataset="ADER",
                    variable="PFS",
                    analyte="PCR",
                    by={"metric": "AUC28", "adjustment": adjustment, "at": point, "month": month},
                    unit="%",
                    units={"exposure": "d*copies/ug"},
                    n=88.0,
                    notes=dict.fromkeys(names, why) if why else {},
                )  # fmt: skip


def add_event_features(out: ResultCollector, metric: str = "CMAX") -> None:
    """CRS in every group of exposure; ICANS in none."""
    for event in ("CRS", "ICANS"):
        for level in ("T1", "T2", "T3", "ALL"):
            n = 30.0 if level == "ALL" else 10.0
            had = 0.0 if event == "ICANS" else n / 2
            share = 100 * had / n
            block = {
                f"{what}_{stat}": 3.0 if had else math.nan
                for what in ("onset", "duration")
                for stat in ("median", "min", "max")
            }
            treated = {
                "pct_toci": 50.0 if had else math.nan,
                "pct_steroid": 20.0 if had else math.nan,
            }
            out.add(
                "event_features",
                {
                    "n": n, "n_known": n, "n_event": had, "pct_event": share,
                    **{f"n_grade{g}": had if g == 2 else 0.0 for g in range(1, 6)},
                    **{f"pct_grade{g}": share if g == 2 else 0.0 for g in range(1, 6)},
                    "n_toci": had / 2, "n_steroid": had / 5, **treated, **block,
                    "onset_unknown": 0.0, "duration_unknown": 0.0,
                    "exposure_min": 700.0, "exposure_max": 500000.0,
                },
                dataset="ADAESI",
                variable=event,
                analyte="PCR",
                by={"metric": metric, "bin": level},
                units={"exposure_min": "copies/ug", "exposure_max": "copies/ug"},
                n=n,
                notes={} if had else dict.fromkeys([*block, *treated], "NOEVENT"),
            )  # fmt: skip

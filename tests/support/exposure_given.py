"""Analysis results of the exposure-response, as the stage gives them."""

from __future__ import annotations

import math

import pandas as pd
from prediction_results import (
    add_event_features,
    add_grade_predictions,
    add_plan_summary,
    add_predictions,
    add_survival_predictions,
)

from celldossier.results import ResultCollector
from celldossier.stats.descriptive import describe


def exposure_response_results() -> pd.DataFrame:
    out = ResultCollector("exposure_response")
    models = [
        ("OBJRESP", "AUC28", "TUMOUR_BURDEN", "PRIMARY", "PRIMARY", ""),
        ("OBJRESP", "AUC28", "UNADJUSTED", "PRIMARY", "SECONDARY", ""),
        ("OBJRESP", "CMAX", "UNADJUSTED", "UNKNOWN_EXCLUDED", "SENSITIVITY", "FEWEVENT"),
        ("CRSGE2", "CMAX", "UNADJUSTED", "PRIMARY", "SECONDARY", ""),
        ("CRSGE3", "CLD3", "UNADJUSTED", "LANDMARK", "SENSITIVITY", ""),
        ("ICANSGE2", "CMAX", "UNADJUSTED", "PRIMARY", "SECONDARY", "FEWEVENT"),
        ("CYTOPENIA", "CMAX", "UNADJUSTED", "PRIMARY", "SECONDARY", ""),
    ]
    for endpoint, metric, adjustment, population, role, reason in models:
        common = {
            "dataset": "ADER",
            "variable": endpoint,
            "analyte": "PCR",
            "by": {"metric": metric, "adjustment": adjustment, "population": population},
        }
        in_plan = common | {"by": {**common["by"], "model": "LOGISTIC"}}
        separated = endpoint == "CRSGE3"
        texts = {
            "role": role,
            "family": "EFFICACY" if endpoint == "OBJRESP" else "SAFETY",
            "status": "REFUSED" if reason else "RUN",
            "method": "NONE" if reason else "FIRTH" if separated else "ML",
            "covariates": "NONE",
            "landmark": "D3" if population == "LANDMARK" else "NONE",
        }
        if reason:
            texts["reason"] = reason
        out.add("plan", texts, **in_plan)
        names = ("or", "or_low", "or_high", "p", "auc_roc", "separation")
        fit = (1.352, 1.041, 1.756, 0.0004, 0.6123, float(separated))
        numbers = dict(zip(names, fit, strict=True))
        if reason:
            numbers = dict.fromkeys(names, math.nan)
        out.add(
            "logistic",
            {"n": 99.0, "events": 61.0, "n_er": 100.0, **numbers},
            n=99.0,
            notes=dict.fromkeys(names, reason) if reason else {},
            **common,
        )
        is_tested = not reason and role != "SENSITIVITY"
        out.add(
            "multiplicity",
            {
                "p": math.nan if reason else 0.0004,
                "q": 0.012 if is_tested else math.nan,
                "family": texts["family"],
                "prespecified": "Y" if role == "PRIMARY" else "N",
            },
            notes={} if is_tested else dict.fromkeys(("p", "q"), reason or "SENSANAL"),
            **in_plan,
        )
    add_plan_summary(
        out,
        {
            **{"OBJRESP": (3, 1), "CRSGE2": (1, 0), "CRSGE3": (1, 0)},
            **{"ICANSGE2": (1, 1), "CYTOPENIA": (1, 0)},
            **dict.fromkeys(("PFS", "BCREC"), (14, 2)),
        },
    )
    add_predictions(out)
    add_grade_predictions(out)
    add_survival_predictions(out)
    add_event_features(out)
    for metric in ("AUC28", "CMAX", "CMAXTMAX"):
        blocks = {
            f"{stat}_{suffix}": value
            for suffix, values in (("event", [100.0, 200.0, 300.0]), ("noevent", [50.0, 80.0]))
            for stat, value in describe(values).items()
        }
        out.add(
            "ratio_by_response",
            {**blocks, "gmr": 2.87, "gmr_low": 1.5, "gmr_high": 5.5, "p_wilcoxon": 0.2},
            dataset="ADER",
            variable=metric,
            analyte="PCR",
            by={"endpoint": "OBJRESP", "population": "PRIMARY"},
            n=5.0,
        )
    for grade in ("CRSGR", "ICANSGR"):
        by = {"metric": "CMAX", "adjustment": "UNADJUSTED"}
        out.add(
            "ordinal",
            {
                "n": 99.0, "events": 80.0, "or": 1.9, "or_low": 1.4, "or_high": 2.6, "p": 0.002,
                "po_p": 0.41, "po_verdict": "NOT_REJECTED",
            },
            dataset="ADER",
            variable=grade,
            analyte="PCR",
            by=by,
            n=99.0,
        )  # fmt: skip
        for cut in ("GE1", "GE2"):
            missing = cut == "GE2" and grade == "ICANSGR"
            names = ("or", "or_low", "or_high", "p")
            numbers = dict(zip(names, (1.8, 1.2, 2.7, 0.01), strict=True))
            if missing:
                numbers = dict.fromkeys(names, math.nan)
            out.add(
                "cumulative",
                {"n": 99.0, "events": 40.0, **numbers},
                dataset="ADER",
                variable=grade,
                analyte="PCR",
                by={**by, "grade": cut},
                n=99.0,
                notes=dict.fromkeys(names, "FEWEVENT") if missing else {},
            )
    return out.frame()

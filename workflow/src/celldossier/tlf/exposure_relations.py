"""What a figure of exposure and response shows of one endpoint over one metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from celldossier.tlf.cells import Place, Printer, interval
from celldossier.tlf.exposure_models import exposure_analyte
from celldossier.tlf.figures_axes import plain
from celldossier.tlf.figures_data import select_curve
from celldossier.tlf.labels import percent
from celldossier.tlf.model import Context, NotShown

PROBABILITY = "exposure_response.probability"


@dataclass(frozen=True)
class Relation:
    """One endpoint over one metric: its curves, points, and the texts printed with it.

    Attributes
    ----------
    points
        USUBJID, X (log2 exposure) and EVENT of the subjects of the model.
    head, ratios
        Texts printed in the figure: the numbers of subjects and events, and the odds
        ratio of each adjustment.
    """

    endpoint: str
    metric: str
    curve: pd.DataFrame
    points: pd.DataFrame
    head: str
    ratios: tuple[str, ...]
    value_ids: tuple[str, ...]
    reasons: tuple[str, ...]
    subjects: int

    @property
    def unit(self) -> str:
        """Unit of the exposure; the curves state it as log2(unit)."""
        units = self.curve["x_unit"]
        return str(units.iloc[0]).removeprefix("log2(").removesuffix(")") if len(units) else ""


def read_relation(context: Context, endpoint: str, metric: str) -> Relation | NotShown:
    """Curves, points and printed texts of an endpoint over a metric.

    Returns
    -------
    Relation or NotShown
        NotShown with the reason code of the stage where there is nothing to draw.
    """
    settings = context.settings["exposure_response"]
    analyte = exposure_analyte(context)
    population = "LANDMARK" if metric.startswith("CLD") else "PRIMARY"
    model = Place(
        "exposure_response.logistic",
        endpoint,
        analyte,
        {"metric": metric, "population": population},
    )
    printer = Printer(context.results, context.language)
    plain_model = model.within(adjustment="UNADJUSTED")
    if not printer.exists(plain_model):
        asked = endpoint in settings.get("endpoints", (endpoint,))
        return NotShown("NOTCOLL" if asked else "NOENDPT")
    curve = select_curve(context, f"{PROBABILITY}/{endpoint}/{metric}")
    if curve.empty:
        return NotShown(printer.value(plain_model, "or").note_code or "FEWSUBJ")
    counted = [printer.cell(plain_model, "{}", (stat, "count")) for stat in ("n", "events")]
    text = context.language.text
    head = text(
        "figure.odds_ratio_head",
        level=percent(settings["confidence_level"]),
        n=counted[0].text,
        events=counted[1].text,
    )
    value_ids = [identifier for cell in counted for identifier in cell.value_ids]
    reasons: list[str] = []
    adjustments = [a for a in ("UNADJUSTED", "TUMOUR_BURDEN") if a in settings["adjustments"]]
    ratios = []
    for adjustment in adjustments:
        place = model.within(adjustment=adjustment)
        cell = printer.cell(place, "{} ({}–{})", *interval("or"))
        ratios.append(f"{text(f'figure.adjustment.{adjustment}')} {cell.text}")
        value_ids += cell.value_ids
        reasons += cell.reasons
    bins = curve[curve["kind"] == "observed"].reset_index(drop=True)
    names = _bin_levels(context, endpoint, analyte, metric)
    if len(names) == len(bins):
        counts = [
            printer.cell(
                Place(
                    "exposure_response.quartiles",
                    endpoint,
                    analyte,
                    {"metric": metric, "bin": name},
                ),
                "{}/{}",
                ("events", "count"),
                ("n", "count"),
            )
            for name in names
        ]
        value_ids += [v for cell in counts for v in cell.value_ids]
        curve = curve.assign(label="")
        curve.loc[curve["kind"] == "observed", "label"] = [cell.text for cell in counts]
    return Relation(
        endpoint,
        metric,
        curve,
        _read_points(context, endpoint, metric),
        plain(head),
        tuple(plain(ratio) for ratio in ratios),
        tuple(value_ids),
        tuple(dict.fromkeys(reasons)),
        int(printer.subjects),
    )


def _bin_levels(context: Context, endpoint: str, analyte: str, metric: str) -> list[str]:
    """Names of the exposure groups, from the lowest exposure up."""
    rows = context.results.select("exposure_response.quartiles")
    rows = rows[
        (rows["variable"] == endpoint)
        & (rows["analyte"] == analyte)
        & (rows["group1"] == "bin")
        & (rows["level2"] == metric)
        & (rows["stat_name"] == "n")
    ]
    return sorted(rows["level1"])


def _read_points(context: Context, endpoint: str, metric: str) -> pd.DataFrame:
    """Exposure and event of each subject, by the rules of the unadjusted model.

    For a landmark only subjects without an onset until it and until their sample are left.
    """
    is_landmark = metric.startswith("CLD")
    columns = ["STUDYID", "USUBJID", "ERFL", metric, *([f"{metric}DY"] if is_landmark else [])]
    values = context.dataset("ADEREND")
    values = values.loc[
        values["PARAMCD"] == endpoint, ["STUDYID", "USUBJID", "AVAL", "REASND", "ONSETDY"]
    ]
    subjects = context.dataset("ADER")[columns].merge(values, on=["STUDYID", "USUBJID"])
    event = subjects["AVAL"]
    if context.settings["exposure_response"]["unknown_response"][0] == "NONRESPONDER":
        event = event.mask(subjects["REASND"] == "UNKRESP", 0.0)
    kept = (subjects["ERFL"] == "Y") & (subjects[metric] > 0) & event.notna()
    if is_landmark:
        latest = np.fmax(subjects[f"{metric}DY"].to_numpy(), float(metric.removeprefix("CLD")))
        kept &= ~(subjects["ONSETDY"].to_numpy() <= latest)
    points = pd.DataFrame(
        {
            "USUBJID": subjects["USUBJID"],
            "X": np.log2(subjects[metric].where(kept).to_numpy(dtype=float)),
            "EVENT": event,
        }
    )
    points = points[np.asarray(kept, dtype=bool)]
    return points.sort_values("USUBJID", kind="stable", ignore_index=True)

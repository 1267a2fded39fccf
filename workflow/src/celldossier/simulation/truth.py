"""The truth of a simulated study: latent individuals, planted effects, realised counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.draw import DrawnStudy
from celldossier.simulation.records import format_numbers
from celldossier.simulation.specification import StudySpecification


def describe_subjects(drawn: DrawnStudy) -> pd.DataFrame:
    """Latent values and outcomes of every enrolled subject, every column text.

    CMAXLAT ... FB are the latent kinetics, CMAXSMP, TMAXSMP, AUC28SMP the sampled
    exposure on which the outcomes depend; ...DY are days since infusion.
    """

    def flag(values: NDArray[np.bool_]) -> NDArray[np.str_]:
        return np.where(values, "Y", "N")

    early = drawn.course.death_day < 28
    group = np.select(
        [drawn.antibodies.induced, drawn.antibodies.boosted, drawn.antibodies.baseline],
        ["INDUCED", "BOOSTED", "BASELINE"],
        default="NEGATIVE",
    )
    latent = pd.DataFrame(
        {
            "USUBJID": drawn.infused["USUBJID"],
            "CMAXLAT": format_numbers(drawn.parameters.cmax),
            "TMAXLAT": format_numbers(drawn.parameters.peak_time),
            "TLAG": format_numbers(drawn.parameters.lag),
            "FOLDX": format_numbers(drawn.parameters.fold),
            "ALPHA": format_numbers(drawn.parameters.alpha),
            "BETA": format_numbers(drawn.parameters.beta),
            "FB": format_numbers(drawn.parameters.fb),
            "NONEXPFL": flag(drawn.parameters.non_expander),
            "CARRYFL": flag(drawn.measured.carry),
            "CMAXSMP": format_numbers(drawn.exposure.cmax),
            "TMAXSMP": format_numbers(drawn.exposure.tmax),
            "AUC28SMP": format_numbers(np.where(early, np.nan, drawn.exposure.auc28)),
            "ADAEVLFL": flag(drawn.antibodies.evaluable),
            "ADAGRP": group,
            "ADAONDY": format_numbers(
                np.where(np.isfinite(drawn.antibodies.onset), drawn.antibodies.onset, np.nan)
            ),
            "CRSGR": drawn.crs.grade.astype(str),
            "CRSONDY": format_numbers(drawn.crs.onset),
            "ICANSGR": drawn.icans.grade.astype(str),
            "ICANONDY": format_numbers(drawn.icans.onset),
            "TOCIDY": format_numbers(drawn.rescue.tocilizumab_day),
            "STERDY": format_numbers(drawn.rescue.steroid_day),
            "RESPFL": flag(drawn.course.responder),
            "RESPEVFL": flag(drawn.course.assessable),
            "PROGDY": format_numbers(drawn.course.progression_day),
            "DTHDY": format_numbers(drawn.course.death_day),
            "DLTFL": flag(drawn.dose_limiting),
        }
    )
    base = pd.DataFrame(
        {
            "USUBJID": drawn.subjects["USUBJID"],
            "INFUSFL": flag(drawn.subjects["INFUSED"].to_numpy(dtype=bool)),
            "PROCESS": drawn.subjects["PROCESS"],
            "INDIC": drawn.subjects["INDIC"],
            "BURDENZ": format_numbers(drawn.subjects["BURDENZ"]),
        }
    )
    return base.merge(latent, on="USUBJID", how="left", validate="one_to_one").fillna("")


def describe_truth(
    spec: StudySpecification, raw: dict[str, pd.DataFrame], subjects: pd.DataFrame
) -> dict[str, object]:
    """Planted effects, nulls and realised counts, ready for JSON."""
    infused = subjects.loc[subjects["INFUSFL"] == "Y"]
    demographics = raw["dm"].loc[raw["dm"]["USUBJID"].isin(infused["USUBJID"])]

    def count(column: str) -> dict[str, int]:
        counted = infused.groupby(column, sort=True).size()
        return {str(level): int(number) for level, number in counted.items()}

    arms = demographics.groupby("ARMCD", sort=True).size()
    planted = spec.model_dump(mode="json", exclude={"study", "seed", "enrolment", "sampling"})
    return {
        "study": spec.study,
        "seed": spec.seed,
        "planted": planted,
        "assays": spec.sampling.model_dump(mode="json"),
        "nulls": [
            "process on kinetics",
            "tocilizumab on growth",
            "corticosteroid on growth",
            "age on kinetics",
            "sex on kinetics",
            "weight on kinetics",
            "Cmax on ICANS grade in NHL",
            "antibody on the level of the transgene",
        ],
        "counts": {
            "enrolled": len(subjects),
            "infused": len(infused),
            "adolescents": int((demographics["AGE"].astype(int) < 18).sum()),
            "dose_level": {str(level): int(number) for level, number in arms.items()},
            "process": count("PROCESS"),
            "indication": count("INDIC"),
            "crs_grade": count("CRSGR"),
            "icans_grade": count("ICANSGR"),
            "tocilizumab": int((infused["TOCIDY"] != "").sum()),
            "corticosteroid": int((infused["STERDY"] != "").sum()),
            "responders": int((infused["RESPFL"].eq("Y") & infused["RESPEVFL"].eq("Y")).sum()),
            "response_assessable": int(infused["RESPEVFL"].eq("Y").sum()),
            "antibody": count("ADAGRP"),
            "antibody_evaluable": int(infused["ADAEVLFL"].eq("Y").sum()),
            "non_expanders": int(infused["NONEXPFL"].eq("Y").sum()),
            "deaths_before_day_28": int(
                (pd.to_numeric(infused["DTHDY"], errors="coerce") < 28).sum()
            ),
            "dose_limiting": int(infused["DLTFL"].eq("Y").sum()),
            "records": {name: len(frame) for name, frame in raw.items()},
        },
    }

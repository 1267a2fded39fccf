"""The truth of a simulated study: latent individuals, planted effects, realised counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.draw import DrawnStudy
from celldossier.simulation.escalation import describe_cohorts, run_escalation
from celldossier.simulation.records import format_numbers
from celldossier.simulation.specification import StudySpecification


def describe_subjects(drawn: DrawnStudy) -> pd.DataFrame:
    """Latent values and outcomes of every enrolled subject, every column text.

    CMAXLAT ... FB are the latent kinetics, CMAXSMP, TMAXSMP, AUC28SMP the sampled
    exposure on which the outcomes depend, on the scale of the first PCR assay; ...DY are
    days since infusion. PFSDY is the latent time of progression or death, seen or not.
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
            "PART": drawn.infused["PART"],
            "COHORT": drawn.infused["COHORT"],
            "ASSAYV": np.where(drawn.second_assay, "2", "1"),
            "BRIDGEFL": flag(np.isin(np.arange(len(drawn.infused)), drawn.bridging.rows)),
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
            "CELLFL": flag(drawn.cellular.present),
            "CRSGR": drawn.crs.grade.astype(str),
            "CRSONDY": format_numbers(drawn.crs.onset),
            "CRSENDY": format_numbers(drawn.crs.end),
            "ICANSGR": drawn.icans.grade.astype(str),
            "ICANONDY": format_numbers(drawn.icans.onset),
            "ICANENDY": format_numbers(drawn.icans.end),
            "TOCIDY": format_numbers(drawn.rescue.tocilizumab_day),
            "STERDY": format_numbers(drawn.rescue.steroid_day),
            "RESPFL": flag(drawn.course.responder),
            "RESPEVFL": flag(drawn.course.assessable),
            "PROGDY": format_numbers(drawn.course.progression_day),
            "DTHDY": format_numbers(drawn.course.death_day),
            "PFSDY": format_numbers(drawn.course.event_day),
            "LASTDY": format_numbers(drawn.last_day),
            "NEWTXDY": format_numbers(drawn.new_therapy_day),
            "REINFDY": format_numbers(drawn.reinfusion.day),
            "HLHFL": flag(
                (drawn.special.hlh.grade > 0) & (drawn.special.hlh.onset < drawn.last_day)
            ),
            "MALIGFL": flag(
                (drawn.special.malignancy.grade > 0)
                & (drawn.special.malignancy.onset < drawn.last_day)
            ),
            "PROLCYFL": flag(drawn.special.prolonged_cytopenia(drawn.last_day)),
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
    spec: StudySpecification,
    drawn: DrawnStudy,
    raw: dict[str, pd.DataFrame],
    subjects: pd.DataFrame,
) -> dict[str, object]:
    """Planted effects, nulls and realised counts, ready for JSON."""
    infused = subjects.loc[subjects["INFUSFL"] == "Y"]
    demographics = raw["dm"].loc[raw["dm"]["USUBJID"].isin(infused["USUBJID"])]

    def count(column: str) -> dict[str, int]:
        counted = infused.groupby(column, sort=True).size()
        return {str(level): int(number) for level, number in counted.items()}

    arms = demographics.groupby("ARMCD", sort=True).size()
    planted = spec.model_dump(mode="json", exclude={"study", "seed", "sampling"})
    return {
        "study": spec.study,
        "seed": spec.seed,
        "planted": planted,
        "assays": spec.sampling.model_dump(mode="json"),
        "nulls": list_nulls(spec),
        "cohorts": describe_cohorts(spec, drawn.infused, run_escalation(spec)),
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
            "assay": count("ASSAYV"),
            "bridging_samples": int(drawn.bridging.rows.size),
            "cellular_response": int(infused["CELLFL"].eq("Y").sum()),
            "progression": int(infused["PROGDY"].ne("").sum()),
            "deaths": int(infused["DTHDY"].ne("").sum()),
            "disposition": {
                str(level): int(number)
                for level, number in raw["ds"].groupby("DSDECOD", sort=True).size().items()
            },
            "new_therapy": int(infused["NEWTXDY"].ne("").sum()),
            "second_infusion": int(infused["REINFDY"].ne("").sum()),
            "hlh": int(infused["HLHFL"].eq("Y").sum()),
            "secondary_malignancy": int(infused["MALIGFL"].eq("Y").sum()),
            "prolonged_cytopenia": int(infused["PROLCYFL"].eq("Y").sum()),
            "delayed_serum_samples": delayed_samples(raw["lb"]),
            "dose_limiting": int(infused["DLTFL"].eq("Y").sum()),
            "records": {name: len(frame) for name, frame in raw.items()},
        },
    }


def list_nulls(spec: StudySpecification) -> list[str]:
    """What has no effect in this study."""
    nulls = [
        "process on kinetics",
        "age on kinetics",
        "sex on kinetics",
        "weight on kinetics",
        "IL-7 and IL-15 at infusion on kinetics",
        "Cmax on ICANS grade in NHL",
        "antibody on the level of the transgene",
        "delayed processing on markers other than IL-6",
    ]
    for name, factor in (
        ("tocilizumab", spec.rescue.tocilizumab_on_growth),
        ("corticosteroid", spec.rescue.steroid_on_growth),
    ):
        if factor == 1:
            nulls.append(f"{name} on growth")
    return nulls


def delayed_samples(lb: pd.DataFrame) -> int:
    """Serum samples (subject and time) that were processed late."""
    late = lb.loc[lb["LBSPCCND"] != ""]
    return len(late.drop_duplicates(["USUBJID", "LBDTC"]))

"""Raw domains of the stem cell study: background cells, factors, scores, images, tissue."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from celldossier.simulation.mesenchymal.draw import (
    DrawnStem,
    draw_blood,
    draw_cartilage,
    draw_factors,
    draw_fluid,
    draw_mishandled,
    draw_scores,
    draw_signal,
    draw_tissue,
    draw_worms,
)
from celldossier.simulation.mesenchymal.layouts import RAW_COLUMNS
from celldossier.simulation.mesenchymal.records import name_visit
from celldossier.simulation.mesenchymal.specification import MesenchymalSpecification
from celldossier.simulation.records import (
    finish_domain,
    format_datetimes,
    format_fixed,
    format_numbers,
    round_significant,
    shift_days,
)

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
KNEE = "KNEE JOINT"
LARGEST_KRENN = 9.0
LARGEST_WORMS = 332.0


def list_visits(
    drawn: DrawnStem,
    prefix: str,
    days: tuple[float, ...],
    results: list[str],
    who: Flags | None = None,
    **columns: str,
) -> pd.DataFrame:
    """Records of one test at the visits that took place, as columns of its raw file.

    Parameters
    ----------
    prefix
        Two letters of the domain.
    results
        Texts of all subjects and visits, row by row.
    who
        Subjects who were examined; all where it is None.
    columns
        Further columns, by their name without the prefix.
    """
    places = drawn.places_of(days)
    attended = drawn.attended[:, places]
    if who is not None:
        attended = attended & who[:, np.newaxis]
    rows, picked = np.nonzero(attended)
    nominal = np.array(days)[picked]
    moments = shift_days(drawn.start[rows], drawn.visits[:, places][rows, picked])
    texts = np.array(results, dtype=object).reshape(attended.shape)[rows, picked]
    return pd.DataFrame(
        {
            "USUBJID": drawn.infused["USUBJID"].to_numpy()[rows],
            f"{prefix}ORRES": texts,
            **{prefix + name: value for name, value in columns.items()},
            "VISIT": [name_visit(day) for day in nominal.tolist()],
            f"{prefix}TPTNUM": format_numbers(nominal),
            f"{prefix}DTC": format_datetimes(moments),
        }
    )


def write_cells(spec: MesenchymalSpecification, drawn: DrawnStem) -> pd.DataFrame:
    """Lay out ``pc.csv``: cells of the phenotype in blood and synovial fluid."""
    truth = spec.background
    fluid, sampled = draw_fluid(spec, drawn)
    blocks = []
    for specimen, days, values, who in (
        ("BLOOD", truth.blood_days, draw_blood(spec, drawn), None),
        ("SYNOVIAL FLUID", truth.fluid_days, fluid, sampled),
    ):
        result = round_significant(np.minimum(values, 0.999 * truth.uloq)).ravel()
        texts = np.where(result < truth.lloq, "BLQ", format_numbers(result)).tolist()
        blocks.append(
            list_visits(
                drawn, "PC", days, texts, who,
                TESTCD="MSCFLOW", TEST="CD73+CD90+CD105+ Cells", ORRESU="cells/uL",
                LLOQ=f"{truth.lloq:g}", ULOQ=f"{truth.uloq:g}", SPEC=specimen,
                METHOD="FLOW CYTOMETRY", ASSAYV="1.0", NAM="CENTRAL LAB B",
            )
        )  # fmt: skip
    frame = pd.concat(blocks, ignore_index=True)
    return finish_domain(frame, spec.study, "pc", ["PCSPEC", "PCDTC"], RAW_COLUMNS)


def write_laboratory(spec: MesenchymalSpecification, drawn: DrawnStem) -> pd.DataFrame:
    """Lay out ``lb.csv``: soluble factors, with the condition of the specimen."""
    mishandled = draw_mishandled(spec, drawn)
    values = draw_factors(spec, drawn, mishandled)
    days = spec.factors.days
    condition = np.where(mishandled, spec.factors.condition, "").ravel().tolist()
    conditions = list_visits(drawn, "LB", days, condition)["LBORRES"]
    blocks = []
    for test in spec.factors.tests:
        result = round_significant(values[test.code], 4).ravel()
        texts = np.where(result < test.lloq, "BLQ", format_numbers(result)).tolist()
        block = list_visits(
            drawn, "LB", days, texts,
            TESTCD=test.code, TEST=test.name, ORRESU=test.unit,
            ORNRHI="" if test.upper_normal is None else f"{test.upper_normal:g}",
            LLOQ=f"{test.lloq:g}" if test.lloq > 0 else "",
            SPEC=test.specimen, METHOD=test.method, NAM="CENTRAL LAB C",
        )  # fmt: skip
        blocks.append(block.assign(LBSPCCND=conditions))
    frame = pd.concat(blocks, ignore_index=True)
    return finish_domain(frame, spec.study, "lb", ["LBTESTCD", "LBDTC"], RAW_COLUMNS)


def report_scores(spec: MesenchymalSpecification, drawn: DrawnStem) -> dict[str, Array]:
    """Symptom scores as they are recorded: whole points within the limits of the score."""
    latent = draw_scores(spec, drawn)
    return {
        score.code: np.clip(np.rint(latent[score.code]), 0, score.maximum)
        for score in spec.symptoms.scores
    }


def write_scores(spec: MesenchymalSpecification, drawn: DrawnStem) -> pd.DataFrame:
    """Lay out ``qs.csv``: symptom scores."""
    values = report_scores(spec, drawn)
    blocks = [
        list_visits(
            drawn, "QS", spec.symptoms.days, format_fixed(values[score.code], 0),
            TESTCD=score.code, TEST=score.name, ORRESU=score.unit, METHOD="ELECTRONIC DIARY",
        )
        for score in spec.symptoms.scores
    ]  # fmt: skip
    frame = pd.concat(blocks, ignore_index=True)
    return finish_domain(frame, spec.study, "qs", ["QSTESTCD", "QSDTC"], RAW_COLUMNS)


def find_responders(spec: MesenchymalSpecification, drawn: DrawnStem) -> Flags:
    """Who responds at each response visit: the recorded first score falls by share and points."""
    symptoms = spec.symptoms
    first = report_scores(spec, drawn)[symptoms.scores[0].code]
    base = first[:, [symptoms.days.index(0.0)]]
    later = first[:, [symptoms.days.index(day) for day in symptoms.response_days]]
    fall = base - later
    responds: Flags = (fall >= symptoms.response_fall * base) & (fall >= symptoms.response_points)
    return responds


def write_responses(spec: MesenchymalSpecification, drawn: DrawnStem) -> pd.DataFrame:
    """Lay out ``rs.csv``: response by the symptom scores."""
    texts = np.where(find_responders(spec, drawn), "RESPONDER", "NON-RESPONDER")
    days = spec.symptoms.response_days
    block = list_visits(
        drawn, "RS", days, texts.ravel().tolist(),
        TESTCD="OARSIRSP", TEST="OMERACT-OARSI Response", CAT="OMERACT-OARSI", EVAL="INVESTIGATOR",
    )  # fmt: skip
    block = block.assign(RSSTRESC=block["RSORRES"], RSDTC=block["RSDTC"].str[:10])
    return finish_domain(block, spec.study, "rs", ["RSDTC"], RAW_COLUMNS)


def write_images(spec: MesenchymalSpecification, drawn: DrawnStem) -> pd.DataFrame:
    """Lay out ``mo.csv``: cartilage, whole-organ score, signal of labelled cells by place."""
    truth = spec.imaging
    blocks = [
        list_visits(
            drawn, "MO", truth.days, format_fixed(values, 0),
            TESTCD="CARTVOL", TEST="Cartilage Volume", ORRESU="mm3", LOC=place, METHOD="MRI",
        )
        for place, values in draw_cartilage(spec, drawn).items()
    ]  # fmt: skip
    worms = np.clip(np.rint(draw_worms(spec, drawn)), 0, LARGEST_WORMS)
    blocks.append(
        list_visits(
            drawn, "MO", truth.days, format_fixed(worms, 0),
            TESTCD="WORMS", TEST="Whole-Organ MRI Score", ORRESU="", LOC=KNEE, METHOD="MRI",
        )
    )  # fmt: skip
    signal, labelled = draw_signal(spec, drawn)
    blocks += [
        list_visits(
            drawn, "MO", truth.signal_days, format_numbers(values, 3), labelled,
            TESTCD="CELLSIG", TEST="Signal of Labelled Cells", ORRESU="% of injected activity",
            LOC=place, METHOD="SPECT/CT",
        )
        for place, values in signal.items()
    ]  # fmt: skip
    frame = pd.concat(blocks, ignore_index=True)
    return finish_domain(frame, spec.study, "mo", ["MOTESTCD", "MOLOC", "MODTC"], RAW_COLUMNS)


def write_tissue(spec: MesenchymalSpecification, drawn: DrawnStem) -> pd.DataFrame:
    """Lay out ``mi.csv``: synovitis score of the biopsies."""
    values, chosen = draw_tissue(spec, drawn)
    texts = format_fixed(np.clip(np.rint(values), 0, LARGEST_KRENN), 0)
    block = list_visits(
        drawn, "MI", spec.tissue.days, texts, chosen,
        TESTCD="SYNOVSC", TEST="Synovitis Score", ORRESU="", SPEC="SYNOVIAL TISSUE", LOC=KNEE,
        METHOD="HISTOLOGY",
    )  # fmt: skip
    return finish_domain(block, spec.study, "mi", ["MIDTC"], RAW_COLUMNS)


def write_antibodies(spec: MesenchymalSpecification, drawn: DrawnStem) -> pd.DataFrame:
    """Lay out ``is.csv``: antibodies against HLA of the donor."""
    days = spec.immunogenicity.days
    times = drawn.visits[:, drawn.places_of(days)]
    positive = drawn.hla_baseline[:, np.newaxis] | (times >= drawn.hla_onset[:, np.newaxis])
    texts = np.where(positive, "POSITIVE", "NEGATIVE").ravel().tolist()
    block = list_visits(
        drawn, "IS", days, texts,
        TESTCD="HLAAB", TEST="Antibody to Donor HLA", BDAGNT="DONOR HLA", CAT="RESULT",
        SPEC="SERUM", METHOD="SINGLE ANTIGEN BEADS",
    )  # fmt: skip
    return finish_domain(block, spec.study, "is", ["ISDTC"], RAW_COLUMNS)

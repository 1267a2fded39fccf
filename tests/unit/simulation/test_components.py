"""The daily components of CRS and ICANS, graded a second time after ASTCT 2019.

The rules are written down here plainly, one assessment at a time; nothing of the
package grades.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from celldossier.cli.simulate import read_specification
from celldossier.simulation.study import simulate_study

STUDIES = Path(__file__).parents[3] / "resources" / "studies"
OXYGEN = {"NONE": 0, "LOW FLOW": 2, "HIGH FLOW": 3, "POSITIVE PRESSURE": 4}
CONSCIOUSNESS = {"AWAKE": 0, "VOICE": 2, "TACTILE": 3, "UNAROUSABLE": 4}


def grade_crs(found: dict[str, str], fever_before: bool) -> int:
    """ASTCT grade of CRS of one assessment; fever counts as present once it was there."""
    fever = float(found["TEMP"]) >= 38.0
    pressors = int(found["VASOPRES"])
    pressure = 0
    if found["HYPOTENS"] == "Y":
        pressure = 4 if pressors > 1 else 3 if pressors == 1 else 2
    severity = max(pressure, OXYGEN[found["OXYGEN"]])
    if severity == 0:
        return int(fever)
    return severity if fever or fever_before else 0


def grade_icans(found: dict[str, str]) -> int:
    """ASTCT grade of ICANS of one assessment."""
    ice = int(found["ICE"])
    unarousable = found["CONSC"] == "UNAROUSABLE"
    by_score = 0 if ice == 10 else 1 if ice >= 7 else 2 if ice >= 3 else 3
    if ice == 0 and unarousable:
        by_score = 4
    return max(
        by_score,
        CONSCIOUSNESS[found["CONSC"]],
        {"NONE": 0, "RESOLVED": 3, "PROLONGED": 4}[found["SEIZURE"]],
        {"NONE": 0, "FOCAL WEAKNESS": 4}[found["MOTOR"]],
        {"NONE": 0, "FOCAL": 3, "DIFFUSE": 4}[found["EDEMA"]],
    )


def grade_assessments(fa: pd.DataFrame, event: str) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Each subject with the (time, grade) of all assessments of an event."""
    own = fa[fa["FAOBJ"] == event]
    for subject, records in own.groupby("USUBJID"):
        grades, fever = [], False
        for moment, rows in records.groupby("FADTC", sort=True):
            found = dict(zip(rows["FATESTCD"], rows["FAORRES"], strict=True))
            grade = grade_crs(found, fever) if event == "CRS" else grade_icans(found)
            fever |= float(found.get("TEMP", 0)) >= 38.0
            grades.append((str(moment), grade))
        yield str(subject), grades


@pytest.fixture(scope="module", params=["CTX-101", "1500 subjects"])
def study(request) -> dict[str, pd.DataFrame]:
    folder = STUDIES / "CTX-101"
    if request.param == "CTX-101":
        names = ("fa", "ae", "dm")
        raw = {n: pd.read_csv(folder / f"{n}.csv", dtype=str, keep_default_na=False) for n in names}
        truth = pd.read_csv(folder / "truth_subjects.csv", dtype=str, keep_default_na=False)
        return {**raw, "truth": truth}
    specification = read_specification(folder / "simulation.yaml").resized(1500).reseeded(5)
    drawn = simulate_study(specification)
    return {**drawn.raw, "truth": drawn.truth_subjects}


@pytest.mark.parametrize(
    ("event", "column", "term"),
    [
        ("CRS", "CRSGR", "Cytokine release syndrome"),
        ("ICANS", "ICANSGR", "Immune effector cell-associated neurotoxicity syndrome"),
    ],
)
def test_the_components_give_the_planted_grade_onset_and_end(study, event, column, term) -> None:
    truth = study["truth"].query("INFUSFL == 'Y'").set_index("USUBJID")[column].astype(int)
    events = study["ae"][study["ae"]["AEDECOD"] == term].set_index("USUBJID")
    seen = 0
    for subject, grades in grade_assessments(study["fa"], event):
        assert grades[0][1] == 0, "nothing before the infusion"
        assert max(grade for _, grade in grades) == truth[subject], subject
        present = [moment for moment, grade in grades if grade > 0]
        if not present:
            assert subject not in events.index
            continue
        seen += 1
        assert present[0] == events.at[subject, "AESTDTC"]
        if events.at[subject, "AEENDTC"]:
            assert present[-1] == events.at[subject, "AEENDTC"]
        # One episode: no assessment without the event lies between its first and last.
        inside = [grade for moment, grade in grades if present[0] <= moment <= present[-1]]
        assert min(inside) >= 1
    assert seen == (truth > 0).sum() == len(events)


def test_every_way_to_each_grade_occurs(study) -> None:
    fa = study["fa"]
    for code, values in (
        ("OXYGEN", set(OXYGEN)),
        ("CONSC", set(CONSCIOUSNESS)),
        ("VASOPRES", {"0", "1", "2"}),
        ("SEIZURE", {"NONE", "RESOLVED", "PROLONGED"}),
    ):
        found = set(fa.loc[fa["FATESTCD"] == code, "FAORRES"])
        assert found <= values and (len(study["dm"]) < 1000 or found == values), code
    single = fa[fa["FATESTCD"].isin(["VASOPRES", "VASOPSIN"])]
    wide = single.pivot(index=["USUBJID", "FADTC"], columns="FATESTCD", values="FAORRES")
    # Vasopressin beside one vasopressor stays grade 3: the case must be there to be tested.
    assert ((wide["VASOPSIN"] == "Y") & (wide["VASOPRES"] == "1")).any()
    assert "CAPD" not in set(fa["FATESTCD"])  # nobody is younger than 12


def test_fever_may_be_gone_after_treatment_only(study) -> None:
    fa = study["fa"]
    temperature = fa[(fa["FAOBJ"] == "CRS") & (fa["FATESTCD"] == "TEMP")]
    afebrile = temperature["FAORRES"].astype(float) < 38.0
    other = fa[fa["FATESTCD"].isin(["HYPOTENS", "OXYGEN"])]
    ill = other[~other["FAORRES"].isin(["N", "NONE"])][["USUBJID", "FADTC"]].drop_duplicates()
    masked = temperature[afebrile].merge(ill, on=["USUBJID", "FADTC"])
    assert len(masked) > 0
    truth = study["truth"].set_index("USUBJID")
    treated = (truth["TOCIDY"] != "") | (truth["STERDY"] != "")
    assert treated[masked["USUBJID"]].all()


def test_the_truth_names_the_worst_grades_of_ctx101() -> None:
    counts = json.loads((STUDIES / "CTX-101" / "truth.json").read_text("utf-8"))["counts"]
    assert counts["crs_grade"] == {"0": 24, "1": 35, "2": 39, "3": 12, "4": 10}

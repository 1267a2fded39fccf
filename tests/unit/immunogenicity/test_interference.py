"""Immunoglobulin, missing B cells and soluble target beside antibody results."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from antibody_courses import N, P, Visit, course, make_adab, make_adsl

from celldossier.datasets import conform
from celldossier.immunogenicity.interference import mark_interference
from celldossier.immunogenicity.stage import summarise_immunogenicity
from celldossier.immunogenicity.status import derive_adim
from celldossier.results import AnalysisResults
from celldossier.settings.immunogenicity import ImmunogenicitySettings

SETTINGS = ImmunogenicitySettings.model_validate(
    {
        "interference": {
            "immunoglobulin": {"names": ["IVIG"], "days": 90},
            "b_cell_depletion": {"names": ["Rituximab"], "days": 180},
            "soluble_targets": [{"target": "CAR", "marker": "SBCMA", "limit": 50, "days": 3}],
        }
    }
)


def make_adcm(*records: dict[str, Any]) -> pd.DataFrame:
    frame = pd.DataFrame([{"USUBJID": "A", "CMTRT": "drug", **record} for record in records])
    start = {"STUDYID": "S", "ASTDTM": "2024-01-01", "SRCDOM": "CM", "SRCROW": range(len(frame))}
    return conform(frame.assign(**start), "ADCM")


def make_adpd(*results: tuple[float, float]) -> pd.DataFrame:
    frame = pd.DataFrame(results, columns=["AFRLT", "AVAL"])
    given = {"STUDYID": "S", "USUBJID": "A", "PARAMCD": "SBCMA", "PARAM": "Soluble BCMA"}
    flags = {"BLQFL": "N", "ALQFL": "N", "ABLFL": "N", "SRCDOM": "LB", "SRCROW": range(len(frame))}
    return conform(frame.assign(**given, **flags), "ADPD")


IVIG = {"CMDECOD": "IMMUNOGLOBULIN", "CMCLASS": "IVIG", "ASTDY": 10.0, "AENDY": 12.0}
RITUXIMAB = {"CMDECOD": "RITUXIMAB", "ASTDY": 0.5, "CMDOSFRQ": "ONCE"}
NOTHING = {"CMDECOD": "PARACETAMOL", "CMCLASS": "ANTIPYRETIC", "ASTDY": 0.0}


@pytest.mark.parametrize(
    ("drug", "day", "passive", "mask"),
    [
        (IVIG, 9.9, False, ""),
        (IVIG, 10.0, True, ""),
        (IVIG, 102.0, True, ""),
        (IVIG, 102.1, False, ""),
        # Without an end it goes on, unless it was given once.
        ({**IVIG, "AENDY": None}, 900.0, True, ""),
        ({**IVIG, "AENDY": None, "CMDOSFRQ": "ONCE"}, 101.0, False, ""),
        (RITUXIMAB, 180.5, False, "IFBCELL"),
        (RITUXIMAB, 180.6, False, ""),
        (NOTHING, 10.0, False, ""),
        ({**IVIG, "USUBJID": "B"}, 10.0, False, ""),
        ({**IVIG, "ASTDY": None}, 10.0, False, ""),
    ],
)
def test_a_medicine_marks_the_samples_of_its_subject_until_its_days_have_passed(
    drug: dict[str, Any], day: float, passive: bool, mask: str
) -> None:
    samples = pd.DataFrame({"USUBJID": ["A"], "ISBDAGNT": ["CAR"], "DAY": [day]})
    marked = mark_interference(samples, make_adcm(drug), make_adpd((500, 1.0)), SETTINGS).iloc[0]
    assert (marked["PASSIVE"], marked["MASK"]) == (passive, mask)


@pytest.mark.parametrize(
    ("results", "target", "mask"),
    [
        ([(28.0, 51.0)], "CAR", "IFSOLTGT"),
        ([(28.0, 50.0)], "CAR", ""),
        ([(31.0, 51.0)], "CAR", "IFSOLTGT"),
        ([(31.1, 51.0)], "CAR", ""),
        ([(27.0, 10.0), (30.0, 90.0)], "CAR", ""),
        ([(27.0, 10.0), (29.0, 90.0)], "CAR", "IFSOLTGT"),
        ([(28.0, 51.0)], "EGFRt", ""),
    ],
)
def test_the_nearest_result_of_the_soluble_target_marks_the_samples_of_its_assay(
    results: list[tuple[float, float]], target: str, mask: str
) -> None:
    samples = pd.DataFrame({"USUBJID": ["A"], "ISBDAGNT": [target], "DAY": [28.0]})
    marked = mark_interference(samples, make_adcm(NOTHING), make_adpd(*results), SETTINGS)
    assert marked["MASK"].tolist() == [mask]


def status(*visits: Visit, drug: dict[str, Any], settings: Any = SETTINGS) -> pd.Series:
    adab = make_adab(course("A", *visits))
    adim = derive_adim(adab, make_adsl(["A"]), settings, make_adcm(drug), make_adpd((900, 1.0)))
    return adim.iloc[0]


def test_a_negative_sample_under_interference_says_nothing() -> None:
    row = status((-1, N, None), (28, N, None), (300, N, None), drug=RITUXIMAB)
    assert (row["EVALFL"], row["ADASTAT"], row["NPOSTBL"]) == ("Y", "NEGATIVE", 1)
    assert (row["INCONFL"], row["NINCONC"], row["INCONRSN"]) == ("Y", 1, "IFBCELL")


def test_a_subject_with_such_samples_alone_is_inconclusive_and_not_evaluable() -> None:
    row = status((-1, N, None), (28, N, None), (90, N, None), drug=RITUXIMAB)
    assert (row["EVALFL"], row["NEVALRSN"], row["ADASTAT"]) == ("N", "INCONPOST", "INCONCLUSIVE")
    before = {**RITUXIMAB, "ASTDY": -30.0}
    row = status((-1, N, None), (28, P, 20), drug=before)
    assert (row["EVALFL"], row["NEVALRSN"], row["ADASTAT"]) == ("N", "INCONBASE", "")


def test_a_positive_sample_stands_in_spite_of_what_could_only_hide_it() -> None:
    row = status((-1, N, None), (28, P, 20), drug=RITUXIMAB)
    assert (row["ADASTAT"], row["INCONFL"]) == ("INDUCED", "N")


def test_a_positive_sample_under_immunoglobulin_counts_and_the_status_without_it_is_told() -> None:
    row = status((-1, N, None), (28, P, 20), (300, N, None), drug=IVIG)
    assert (row["ADASTAT"], row["PASSFL"], row["NPASSIVE"]) == ("INDUCED", "Y", 1)
    assert (row["EVALATFL"], row["ADASTATT"]) == ("Y", "NEGATIVE")
    row = status((-1, N, None), (28, P, 20), drug=IVIG)
    assert (row["EVALFL"], row["EVALATFL"], row["ADASTATT"]) == ("Y", "N", "")


def test_nothing_is_looked_for_that_the_study_does_not_name() -> None:
    for drug in (IVIG, RITUXIMAB):
        visits: list[Visit] = [(-1, N, None), (28, P, 20), (90, N, None)]
        row = status(*visits, drug=drug, settings=ImmunogenicitySettings())
        assert (row["INCONFL"], row["PASSFL"], row["ADASTATT"]) == ("N", "", "")


def test_the_incidence_without_such_positives_stands_beside_the_incidence() -> None:
    records = [
        *course("A", (-1, N, None), (28, P, 20), (300, N, None)),
        *course("B", (-1, N, None), (28, P, 20), (300, N, None)),
        *course("C", (-1, N, None), (28, P, 20)),
    ]
    given = make_adcm(IVIG, {**IVIG, "USUBJID": "C"})
    adsl, adpd = make_adsl(["A", "B", "C"]), make_adpd((900, 1.0))
    output = summarise_immunogenicity(make_adab(records), adsl, SETTINGS, given, adpd)
    values = AnalysisResults([output.results])

    def share(variable: str) -> tuple[float, float]:
        found = [
            values.find("immunogenicity.incidence", variable, "CAR", {}, stat)
            for stat in ("n", "denominator")
        ]
        assert found[0] is not None and found[1] is not None
        return found[0].number, found[1].number

    assert share("TREATMENT_EMERGENT") == (3, 3)
    assert share("PASSIVE_POSITIVE") == (2, 3)
    assert share("EMERGENT_ATTRIBUTABLE") == (1, 2)
    assert share("INCONCLUSIVE_NEGATIVE") == (0, 3)
    plain = summarise_immunogenicity(make_adab(records), adsl, ImmunogenicitySettings(), given)
    assert "PASSIVE_POSITIVE" not in set(plain.results["variable"])

"""Results of a sample by two versions of an assay: dataset ADBRG."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError
from small_study import assay

from celldossier.datasets import conform
from celldossier.settings.bioanalysis import Assay
from celldossier.study_data.bridging import derive_adbrg

BRIDGE = {"from_version": "1", "to_version": "2", "specimens": ["DNA"]}
VERSIONS = [{"version": "1", "lloq": 50}, {"version": "2", "lloq": 25}, {"version": "3"}]


def declare(*bridging: dict[str, Any], **more: Any) -> Assay:
    given = assay("PCR", "CK", "CARPCR", "copies/ug")
    changed = {**given, "versions": VERSIONS, "bridging": list(bridging or [BRIDGE]), **more}
    return Assay.model_validate(changed)


def record(row: int, version: str, value: float, **more: object) -> dict[str, object]:
    """A result of blood by version 1, of archived DNA by any other."""
    lloq = {"1": 50.0, "2": 25.0}.get(version, 10.0)
    below = value < lloq
    return {
        **{"USUBJID": "A", "PARAMCD": "PCR", "PCSPEC": "BLOOD" if version == "1" else "DNA"},
        **{"PCASSAYV": version, "PCMETHOD": f"METHOD {version}", "PCNAM": f"LAB {version}"},
        **{"AVAL": math.nan if below else value, "BLQFL": "Y" if below else "N", "ALQFL": "N"},
        **{"ALLOQ": lloq, "AVALU": "copies/ug", "AFRLT": 7.1, "NFRLT": 7.0, "REFID": ""},
        **{"DTYPE": "", "SRCFILE": "pc.csv", "SRCROW": row, **more},
    }


def pair(*records: dict[str, object], **more: Any) -> pd.DataFrame:
    found = derive_adbrg(pd.DataFrame(list(records)), [declare({**BRIDGE, **more})])
    return conform(found.assign(STUDYID="S"), "ADBRG")


def test_a_sample_measured_again_stands_beside_its_first_result() -> None:
    (found,) = pair(record(1, "1", 1000.0), record(2, "2", 1300.0)).to_dict("records")
    assert (found["ANL01FL"], found["BRGXRS"], found["RATIO"]) == ("Y", "", 1.3)
    assert (found["AVAL1"], found["ALLOQ1"], found["PCNAM1"]) == (1000.0, 50.0, "LAB 1")
    assert (found["AVAL2"], found["ALLOQ2"], found["PCMTHD2"]) == (1300.0, 25.0, "METHOD 2")
    assert (found["SRCROW1"], found["SRCROW2"], found["AFRLT"]) == (1, 2, 7.1)


def test_two_samples_of_a_subject_pair_by_their_time_whatever_the_order() -> None:
    found = pair(
        record(1, "2", 130.0, AFRLT=14.0),
        record(2, "1", 1000.0),
        record(3, "2", 1300.0),
        record(4, "1", 100.0, AFRLT=14.0),
        record(5, "1", 70.0, USUBJID="B", AFRLT=14.0),
    )
    assert found[["SRCROW1", "SRCROW2"]].to_numpy().tolist() == [[2, 3], [4, 1]]
    assert found["RATIO"].tolist() == [1.3, 1.3]


def test_by_sample_the_identifier_makes_the_pair_and_a_blank_one_makes_none() -> None:
    found = pair(
        record(1, "1", 1000.0, REFID="S1"),
        record(2, "2", 1300.0, REFID="S1", AFRLT=7.4),
        record(3, "1", 500.0),
        record(4, "2", 650.0),
        pairs="sample",
    ).set_index("SRCROW2")
    assert found.loc[2, ["ANL01FL", "SRCROW1"]].tolist() == ["Y", 1]
    assert found.loc[4, ["ANL01FL", "BRGXRS"]].tolist() == ["N", "UNPAIRED"]
    assert math.isnan(found.loc[4, "SRCROW1"])


def test_what_is_not_quantifiable_by_both_is_there_with_its_reason() -> None:
    found = pair(
        record(1, "1", 40.0),
        record(2, "2", 52.0),
        record(3, "1", 900.0, AFRLT=9.0, ALQFL="Y"),
        record(4, "2", 999.0, AFRLT=9.0),
        record(5, "2", 77.0, USUBJID="B"),
        record(6, "1", 88.0, PCSPEC="DNA", USUBJID="C"),
    ).sort_values("SRCROW2", na_position="last")
    assert found["BRGXRS"].tolist() == ["PAIRBLQ", "ALQ", "UNPAIRED", "UNPAIRED"]
    assert set(found["ANL01FL"]) == {"N"}
    assert found["RATIO"].isna().all()
    assert found.iloc[0]["AVAL2"] == 52.0 and math.isnan(found.iloc[0]["AVAL1"])
    assert found["AVALU"].tolist() == ["copies/ug"] * 4


def test_two_results_of_blood_make_no_pair_and_an_archived_partner_is_preferred() -> None:
    found = pair(
        record(1, "1", 1000.0),
        record(2, "2", 1300.0, PCSPEC="BLOOD"),
        record(3, "1", 800.0, AFRLT=9.0),
        record(4, "1", 900.0, AFRLT=9.0, PCSPEC="DNA"),
        record(5, "2", 1170.0, AFRLT=9.0),
    )
    assert found[["SRCROW1", "SRCROW2"]].to_numpy().tolist() == [[4, 5]]


def test_without_bridging_or_without_records_there_is_no_pair() -> None:
    adpc = pd.DataFrame([record(1, "1", 1000.0), record(2, "2", 1300.0)])
    plain = Assay.model_validate(assay("PCR", "CK", "CARPCR", "copies/ug"))
    assert derive_adbrg(adpc, [plain]).empty
    assert pair(record(1, "1", 1000.0)).empty
    assert len(conform(derive_adbrg(adpc.iloc[:0], [declare()]), "ADBRG")) == 0


@pytest.mark.parametrize(
    ("bridging", "more", "message"),
    [
        ([{**BRIDGE, "to_version": "1"}], {}, "to itself"),
        ([{**BRIDGE, "to_version": "9"}], {}, "names the version 9"),
        ([BRIDGE, BRIDGE], {}, "bridged twice"),
        ([BRIDGE, {**BRIDGE, "from_version": "2", "to_version": "3"}], {}, "to one version"),
        ([{**BRIDGE, "specimens": []}], {}, "at least 1 item"),
        ([BRIDGE], {"domain": "PD"}, "only an assay of domain CK"),
    ],
)
def test_a_bridge_that_cannot_be_is_refused(
    bridging: list[dict[str, Any]], more: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        declare(*bridging, **more)

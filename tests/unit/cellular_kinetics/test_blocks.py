"""Many profiles at once: blocks, small integers for texts, and the quick reading of samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import celldossier.cellular_kinetics.nca as nca_module
from celldossier.cellular_kinetics.codes import TextColumn, codes_of, either, join_flags, to_texts
from celldossier.cellular_kinetics.nca import estimate_nca
from celldossier.cellular_kinetics.sample_arrays import Samples, _read_plain, read_samples
from celldossier.cellular_kinetics.samples import check_samples
from celldossier.errors import InputDataError
from celldossier.settings.cellular_kinetics import CellularKineticsSettings

CART60 = Path(__file__).parents[2] / "reference" / "nca" / "input_cart60.csv"
FRAMES = ("parameters", "lambda_z", "persistence", "dispositions", "findings")
RULES = {"partial_areas": [[0, 28], [0, 90]]}


@pytest.fixture(scope="module")
def cart60() -> pd.DataFrame:
    return pd.read_csv(CART60)


@pytest.mark.parametrize("size", [1, 7, 59])
@pytest.mark.parametrize("rules", [{}, {"start": "none", "tail": "extrapolate", "peak_from": 0}])
def test_results_do_not_depend_on_the_size_of_the_blocks(cart60, monkeypatch, size, rules):
    settings = CellularKineticsSettings.model_validate({**RULES, **rules})
    whole = estimate_nca(cart60, settings, conc_unit="copies/ug")
    monkeypatch.setattr(nca_module, "BLOCK", size)
    parts = estimate_nca(cart60, settings, conc_unit="copies/ug")
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(whole, name), getattr(parts, name), check_exact=True)


def test_all_faults_are_told_whatever_the_blocks(cart60, monkeypatch):
    twice = pd.concat([cart60, cart60[cart60["TIME"] == 28]], ignore_index=True)
    faults = []
    for size in (1, 60):
        monkeypatch.setattr(nca_module, "BLOCK", size)
        with pytest.raises(InputDataError) as error:
            estimate_nca(twice, CellularKineticsSettings())
        faults.append(error.value.faults)
    assert faults[0] == faults[1]
    assert len(faults[0]) == (cart60["TIME"] == 28).sum()


def test_rows_in_any_order_give_the_same(cart60):
    settings = CellularKineticsSettings.model_validate(RULES)
    cart60 = cart60.rename_axis("row")
    mixed = cart60.sample(frac=1, random_state=1)
    one, other = estimate_nca(cart60, settings), estimate_nca(mixed, settings)
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)


def test_texts_stand_once(cart60):
    parameters = estimate_nca(cart60, CellularKineticsSettings()).parameters
    texts = ["USUBJID", "ANALYTE", "PARAMCD", "AVALU", "FLAG", "REASND"]
    assert all(isinstance(parameters[name].dtype, pd.CategoricalDtype) for name in texts)
    assert len(parameters["USUBJID"].cat.categories) == 60


def test_a_result_as_text_says_the_same(cart60):
    result = estimate_nca(cart60, CellularKineticsSettings())
    plain = result.as_text()
    for name in FRAMES:
        written = getattr(result, name).to_csv(index=False)
        assert written == getattr(plain, name).to_csv(index=False)
        assert "category" not in {str(dtype) for dtype in getattr(plain, name).dtypes}


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame,
        lambda frame: frame.rename_axis("row"),
        lambda frame: frame.drop(columns=["NTIME", "DOSE"]),
        lambda frame: frame.assign(USUBJID=" " + frame["USUBJID"] + "\t"),
        lambda frame: frame.assign(USUBJID=frame["USUBJID"].astype("category"), CONCU="copies/ug"),
        lambda frame: frame.assign(DOSENO=1, DOSETIME=0.5, CENSTIME=frame["DOSE"], ALQ=0),
        lambda frame: frame.sample(frac=1, random_state=3),
    ],
)
def test_plain_samples_are_read_quickly_and_as_by_the_rules(cart60, change):
    frame = change(cart60)
    quick = _read_plain(frame)
    assert quick is not None
    pd.testing.assert_frame_equal(quick.to_frame(), check_samples(frame))
    slow = Samples.from_frame(check_samples(frame))
    for name in ("subject", "analyte", "unit"):
        one, other = getattr(quick, name), getattr(slow, name)
        assert one.names.tolist() == other.names.tolist()
        np.testing.assert_array_equal(one.codes, other.codes)


@pytest.mark.parametrize(
    "columns",
    [
        {"CONC": "12"},
        {"USUBJID": 7},
        {"USUBJID": " "},
        {"BLQ": 2},
        {"LLOQ": 0.0},
        {"TIME": np.inf},
        {"TIME": np.nan},
        {"CONC": -1.0},
        {"ULOQ": 1.0},
        {"DOSENO": 2},
        {"TAU": 7.0},
        {"BLQ": True},
    ],
)
def test_what_asks_for_a_message_or_for_doses_is_left_to_the_rules(cart60, columns):
    assert _read_plain(cart60.assign(**columns)) is None


@pytest.mark.parametrize("name", ["CENSTIME", "DOSETIME", "CONCU"])
def test_two_values_within_a_profile_are_left_to_the_rules(cart60, name):
    values = [1.0, 2.0] if name != "CONCU" else ["a", "b"]
    frame = cart60.assign(**{name: [values[row % 2] for row in range(len(cart60))]})
    assert _read_plain(frame) is None
    with pytest.raises(InputDataError):
        read_samples(frame)


def test_a_duplicate_of_an_early_sample_does_not_come_back(samples):
    # The area without early samples (R9) is that of the samples that were used.
    points = [(0, "BLQ"), (0.1, 900.0), (7, 9000.0), (14, 3000.0), (21, 1000.0), (28, 300.0)]
    twice = samples([*points, (0.1, 500.0)])
    settings = CellularKineticsSettings(duplicates="first")
    one, other = (
        estimate_nca(frame, settings).parameters.set_index("PARAMCD")["AVAL"]
        for frame in (samples(points), twice)
    )
    assert one["AUC28XE"] == other["AUC28XE"] < one["AUC28"]


def test_codes_are_texts_again():
    masks = [np.array([True, False, False]), np.array([True, True, False])]
    codes = either((masks[0], "NOPEAK"), (masks[1], "BLQALL"))
    assert to_texts(codes).tolist() == ["NOPEAK", "BLQALL", ""]
    flags = join_flags(codes, either((masks[1], "START0")))
    assert to_texts(flags).tolist() == ["NOPEAK;START0", "BLQALL;START0", ""]
    column = TextColumn(5)
    column.put(slice(0, 3), flags)
    column.put(slice(3, 5), codes[:2])
    written = column.finish(4)
    assert list(written) == ["NOPEAK;START0", "BLQALL;START0", "", "NOPEAK"]
    assert list(written.categories) == ["", "BLQALL", "BLQALL;START0", "NOPEAK", "NOPEAK;START0"]


@pytest.mark.parametrize("number", [3, 127, 128, 255, 256, 600])
def test_any_number_of_texts_of_a_column_is_kept(number):
    words = [f"W{place:03d}" for place in range(number)]
    codes = np.array(codes_of(words), dtype=np.int16)
    column = TextColumn(2000)
    column.put(slice(0, 3), codes[:3])
    for first in range(0, number, 100):
        part = codes[first : first + 100]
        column.put(slice(3 + first, 3 + first + len(part)), part)
    assert list(column.finish(3 + number)) == words[:3] + words


def test_more_parameters_and_units_than_a_byte_can_number_keep_their_names():
    one = pd.DataFrame(
        {
            "USUBJID": "S1",
            "TIME": [0.0, 1.0, 7.0, 50.0],
            "CONC": [np.nan, 100.0, 5000.0, 60.0],
            "BLQ": [1, 0, 0, 0],
            "LLOQ": 50.0,
        }
    )
    many = pd.concat([one.assign(ANALYTE=f"A{n:02}", CONCU=f"u{n:02}") for n in range(70)])
    areas = [[0, end] for end in range(1, 51)]
    settings = CellularKineticsSettings.model_validate({"partial_areas": areas})
    found = estimate_nca(many, settings).as_text().parameters
    assert not found.duplicated(["ANALYTE", "PARAMCD"]).any()
    last = found[found["ANALYTE"] == "A69"].set_index("PARAMCD")
    assert last.loc["AUC50", "AVAL"] == last.loc["AUCLST", "AVAL"] > 0
    assert last.loc["AUC50", "AVALU"] == "d*u69"
    assert last.loc["LAMZSPN", "REASND"] == "NOLAMZ"

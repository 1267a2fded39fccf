"""The command `celldossier nca`: files in, files out, exit codes."""

from __future__ import annotations

import argparse

import pandas as pd
import pytest

from celldossier.cellular_kinetics.samples import REQUIRED
from celldossier.cli import main, nca
from celldossier.errors import ConfigError, InputDataError

CSV = """USUBJID,ANALYTE,TIME,CONC,BLQ,LLOQ
S1,PCR,0,,1,50
S1,PCR,7,1000.1,0,50
S1,PCR,10,8000.3,0,50
S1,PCR,14,<50,1,50
S1,PCR,21,,0,50
"""


@pytest.fixture
def command(tmp_path):
    """Run the command on texts; gives the exit code and the file of the parameters."""

    def run(csv=CSV, settings=None, *arguments):
        parser = argparse.ArgumentParser()
        nca.add_parser(parser.add_subparsers())
        (tmp_path / "conc.csv").write_text(csv, encoding="utf-8")
        words = ["nca", str(tmp_path / "conc.csv"), "-o", str(tmp_path / "out.csv"), *arguments]
        if settings is not None:
            (tmp_path / "settings.yaml").write_text(settings, encoding="utf-8")
            words += ["--settings", str(tmp_path / "settings.yaml")]
        options = parser.parse_args(words)
        return options.run(options), tmp_path / "out.csv"

    run.folder = tmp_path

    return run


def test_the_parameters_are_written_in_full_precision(command, capsys):
    code, path = command()
    assert code == 0
    assert path.read_text(encoding="utf-8").splitlines()[0] == (
        "USUBJID,ANALYTE,DOSENO,PARAMCD,AVAL,AVALU,FLAG,REASND"
    )
    rows = pd.read_csv(path, keep_default_na=False, dtype=str).set_index("PARAMCD")
    assert rows.loc["CMAX", "AVAL"] == "8000.3"
    area = 7 * 1000.1 / 2 + 3 * (1000.1 + 8000.3) / 2
    assert float(rows.loc["AUCLST", "AVAL"]) == pytest.approx(area, rel=1e-15)
    assert rows.loc["AUCLST", "AVAL"] == repr(float(rows.loc["AUCLST", "AVAL"]))
    assert rows.loc["LAMZ", "REASND"] == "NOLAMZ" and rows.loc["LAMZ", "AVAL"] == ""
    assert "5 samples: 4 used, 1 excluded." in capsys.readouterr().err


def test_units_are_those_of_the_options(command):
    _, path = command(CSV, None, "--conc-unit", "copies/ug", "--time-unit", "h")
    units = pd.read_csv(path).set_index("PARAMCD")["AVALU"]
    assert units["AUC28"] == "h*copies/ug" and units["LAMZ"] == "1/h"


def test_settings_are_keys_at_the_top_level(command):
    _, path = command(CSV, "partial_areas: [[0, 7], [0, 10]]\nstart: none\npeak_from: 0\n")
    codes = pd.read_csv(path)["PARAMCD"].tolist()
    assert "AUC7" in codes and "AUC10PE" in codes and "AUC7XE" not in codes


def test_faults_of_the_settings_are_named_all_at_once(command):
    with pytest.raises(ConfigError) as caught:
        command(CSV, "aucrule: linear\npeak_from: early\n")
    faults = caught.value.faults
    assert len(faults) == 2
    assert any("auc_rule" in fault and "line 1" in fault for fault in faults)


@pytest.mark.parametrize(
    ("csv", "words"),
    [
        (CSV.replace("1000.1", "abc"), "'abc'"),
        (CSV.replace(",LLOQ", ",LIMIT"), "The column LLOQ is missing"),
        (CSV.replace("10,8000.3", "7,8000.3"), "data rows 2, 3"),
        ("", "empty"),
        (CSV.splitlines()[0] + "\n", "no rows"),
    ],
)
def test_faults_of_the_data_are_input_errors(command, csv, words):
    with pytest.raises(InputDataError, match=words):
        command(csv)


def test_a_missing_file_is_an_input_error(tmp_path):
    options = argparse.Namespace(
        concentrations=tmp_path / "none.csv",
        settings=None,
        half_life=None,
        output=tmp_path / "o.csv",
    )
    with pytest.raises(InputDataError, match="does not exist"):
        nca.estimate_parameters(options)


DOSES = """USUBJID,ANALYTE,TIME,CONC,BLQ,LLOQ,DOSENO,DOSETIME,TAU
S1,PCR,0,,1,50,1,0,7
S1,PCR,1,800,0,50,1,0,7
S1,PCR,3,400,0,50,1,0,7
S1,PCR,7,100,0,50,2,7,7
S1,PCR,8,900,0,50,2,7,7
S1,PCR,10,500,0,50,2,7,7
S1,PCR,14,150,0,50,2,7,7
"""
WINDOW = (
    "id,subject,analyte,dose,use,points,reason,author,date\n"
    "W1,S1,PCR,2,IN,1; 3; 7,all points after the peak,NN,2025-12-20\n"
)


def test_each_of_several_doses_has_its_rows_and_a_trough_is_counted_once(command, capsys):
    _, path = command(DOSES, "peak_from: 0\npartial_areas: [[0, 14]]\n")
    rows = pd.read_csv(path, keep_default_na=False, dtype=str).set_index(["DOSENO", "PARAMCD"])
    assert rows.loc[("2", "CTROUGH"), "AVAL"] == "100.0"
    assert float(rows.loc[("2", "ARCMAX"), "AVAL"]) == 900 / 800
    assert rows.loc[("1", "AUC14"), "FLAG"] == "COURSE"
    assert rows.loc[("1", "TBQL"), "REASND"] == "NEXTDOSE"
    assert "7 samples: 7 used, 0 excluded." in capsys.readouterr().err


def test_a_reviewed_window_is_read_from_a_file(command):
    (command.folder / "half_life.csv").write_text(WINDOW, encoding="utf-8")
    _, path = command(DOSES, "peak_from: 0\n", "--half-life", str(command.folder / "half_life.csv"))
    rows = pd.read_csv(path, keep_default_na=False).set_index(["DOSENO", "PARAMCD"])
    assert rows.loc[(2, "LAMZLL"), "FLAG"] == "LZREV;LZPEAK"


def test_faults_of_windows_and_concentrations_are_told_together(command):
    wrong = WINDOW.replace(",NN,", ",,").replace(",IN,", ",ALL,")
    (command.folder / "half_life.csv").write_text(wrong, encoding="utf-8")
    with pytest.raises(InputDataError) as caught:
        command(
            DOSES.replace("800", "eight").replace("900", "-9"),
            None,
            *("--half-life", str(command.folder / "half_life.csv")),
        )
    text = " ".join(caught.value.faults)
    assert "author is blank" in text and "'ALL'" in text and "'eight'" in text


def test_analytes_without_specific_marker_are_named_in_the_settings(command):
    csv = CSV.replace("S1,PCR,0,,1,50", "S1,PCR,0,500,0,50")
    _, path = command(csv, "no_specific_marker: [PCR]\npeak_from: 0\n")
    rows = pd.read_csv(path, keep_default_na=False).set_index("PARAMCD")
    assert rows.loc["CMAX", ["AVAL", "FLAG"]].tolist() == ["7500.3", "ADJ"]
    assert rows.loc["LAMZ", "REASND"] == "NOMARKER"


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("conc.csv", DOSES, 0),
        ("settings.yaml", "peakfrom: 0\n", 2),
        ("settings.yaml", "interval_window: 101\n", 2),
        ("conc.csv", DOSES.replace("14,150,0", "14,150,2"), 3),
        ("conc.csv", DOSES.replace("S1,PCR,8,900,0,50,2,7", "S1,PCR,8,900,0,50,1,0"), 3),
        ("half_life.csv", WINDOW.replace("1; 3; 7", "1; 3; 9"), 3),
    ],
)
def test_the_exit_codes_are_those_that_are_promised(tmp_path, capsys, name, text, code):
    files = {"conc.csv": DOSES, "settings.yaml": "peak_from: 0\n", "half_life.csv": WINDOW}
    for file, content in {**files, name: text}.items():
        (tmp_path / file).write_text(content, encoding="utf-8")
    words = ["nca", str(tmp_path / "conc.csv"), "--settings", str(tmp_path / "settings.yaml")]
    words += ["--half-life", str(tmp_path / "half_life.csv"), "-o", str(tmp_path / "out.csv")]
    assert main(words) == code
    assert (tmp_path / "out.csv").exists() == (code == 0)
    told = capsys.readouterr().err
    assert told.startswith("Error: ") == (code != 0) and "Traceback" not in told


def test_the_help_names_every_column_and_the_exit_codes(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["nca", "--help"])
    text = capsys.readouterr().out
    assert stop.value.code == 0 and "Exit codes: 0 well; 2 usage or settings; 3" in text
    for column in (*REQUIRED, "NTIME", "ULOQ", "DOSE", "CENSTIME", "CONCU"):
        assert f"\n  {column} " in text, column
    for column in ("DOSENO", "DOSETIME", "NDOSETIME", "TAU", "CYCLE"):
        assert column in text, column


def test_a_preset_in_the_settings_gives_the_convention_of_a_peer(command):
    csv = CSV.replace("S1,PCR,14,<50,1,50\nS1,PCR,21,,0,50", "S1,PCR,14,3000,0,50")
    areas = {}
    for settings in ("preset: celldossier", "preset: phoenix", "preset: phoenix\nauc_rule: log"):
        _, written = command(csv, f"{settings}\npeak_from: 0\n")
        table = pd.read_csv(written).set_index("PARAMCD")["AVAL"]
        areas[settings] = table["AUCLST"]
    linear = 7 * 1000.1 / 2 + 3 * (1000.1 + 8000.3) / 2 + 4 * (8000.3 + 3000) / 2
    assert areas["preset: phoenix"] == pytest.approx(linear, rel=1e-12)
    assert areas["preset: phoenix\nauc_rule: log"] < areas["preset: celldossier"] < linear

"""The page of findings: whole, in both languages, escaped, alone, and the same each time."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import yaml
from small_study import STUDY, SmallStudy, make_study

from celldossier.cli import main
from celldossier.cli.study_data import write_checks
from celldossier.study_data.findings_page import LISTED, Checks, render_findings_page
from celldossier.study_data.stage import StudyData

HOSTILE = "<script>alert('受试者')</script>"


def make_checks(data: StudyData) -> Checks:
    """The checks of a study as the page takes them."""
    return Checks(
        *("S1", "2024-12-31", data.findings, data.exclusions, data.accounting, data.decisions)
    )


def spoil(study: SmallStudy) -> StudyData:
    """Findings of every severity, an exclusion and a decision of each kind."""
    study.set("PC", 2, "PCORRES", HOSTILE)
    study.set("DM", 1, "AGE", "450")
    study.set("AE", 1, "AEDECOD", "")
    study.options["severities"] = {"VALUEMISSING": "warning"}
    study.decide("accept_findings.csv", rule="AGERANGE", findings="1", reason="<b>checked</b>")
    study.decide("exclude_records.csv", subject="A", domain="PC", row="3")
    study.decide(
        "correct_values.csv", subject="A", domain="DM", row="1", column="WTBL", old="70", new="71"
    )
    return study.derive()


@pytest.fixture(scope="module")
def messy() -> StudyData:
    return spoil(make_study())


class Page(HTMLParser):
    """What a page is made of: tags, identifiers, the addresses it names, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        self.ids += [named["id"] or ""] if "id" in named else []
        self.addresses += [named[name] or "" for name in ("src", "href") if name in named]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_holds_every_rule_message_exclusion_and_decision(messy, language):
    page = Page(render_findings_page(make_checks(messy), language))
    assert set(messy.findings["rule_id"]) <= set(page.ids)
    for message in messy.findings[f"message_{language}"]:
        assert message in page.text
    assert "EXCLDECISION" in page.text and "pc.csv" in page.text
    assert {"D1", "D2", "D3"} <= set(re.findall(r"D\d", page.text))
    assert "<b>checked</b>" in page.text
    changed = {"en": "otherwise: error", "zh": "原为：错误"}
    assert changed[language] in re.sub(r"\s+", " ", page.text)


def test_the_heading_of_a_rule_leaves_its_fields_open_and_names_no_place(messy):
    expected = {
        "en": "Age … of subject … is outside … to … years. Check value and unit.",
        "zh": "受试者…的年龄…不在…至…岁范围内。请核对数值与单位。",
    }
    for language, heading in expected.items():
        page = render_findings_page(make_checks(messy), language)
        wordings = [
            re.sub("<[^>]+>", "", text)
            for text in re.findall(r'<p class="wording">(.*?)</p>', page, flags=re.DOTALL)
        ]
        assert len(wordings) == messy.findings["rule_id"].nunique()
        assert heading in wordings
        assert not any(re.match("…[:：,，第]", wording) for wording in wordings)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_of_the_data_becomes_markup_and_the_page_stands_alone(messy, language):
    text = render_findings_page(make_checks(messy), language)
    page = Page(text)
    assert HOSTILE in page.text and HOSTILE not in text
    assert not {"script", "img", "link", "iframe", "object"} & set(page.tags)
    assert page.tags.count("b") == 4
    assert all(address.startswith("#") for address in page.addresses)
    assert {address[1:] for address in page.addresses} <= set(page.ids)
    assert "url(" not in text and "@import" not in text
    assert len(page.ids) == len(set(page.ids))


def test_the_page_says_whether_the_data_can_be_analysed(messy):
    stopped = render_findings_page(make_checks(messy), "en")
    assert "1 errors are open" in stopped
    clean = render_findings_page(make_checks(make_study().derive()), "en")
    assert "No error is open" in clean
    assert "The study has made no decision on its data." in clean


def test_equal_findings_give_equal_bytes(messy):
    again = spoil(make_study())
    for language in ("zh", "en"):
        first = render_findings_page(make_checks(messy), language)
        assert first == render_findings_page(make_checks(again), language)


def test_the_page_unfolds_many_findings_and_says_where_the_rest_are(messy):
    finding = messy.findings[messy.findings["rule_id"] == "DATEPARTIAL"].head(1)
    many = pd.concat([finding] * (LISTED + 7), ignore_index=True)
    many["row"] = range(1, len(many) + 1)
    checks = make_checks(messy)
    page = render_findings_page(Checks(**(checks.__dict__ | {"findings": many})), "en")
    assert page.count('<td class="value">2024') == LISTED
    assert "7 further findings of this rule are in findings.csv." in page


def test_every_file_of_the_checks_is_written(messy, tmp_path):
    write_checks(messy, STUDY, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("accounting.csv", "decisions.csv", "exclusions.csv"),
        *("findings.csv", "findings.en.html", "findings.zh.html"),
    ]
    findings = pd.read_csv(tmp_path / "findings.csv", keep_default_na=False)
    assert len(findings) == len(messy.findings)
    # Values stay as they are, for programs; the page is what people read.
    assert HOSTILE in set(findings["value"])


def test_check_keeps_the_findings_of_data_that_cannot_be_used(tmp_path, monkeypatch, capsys):
    project = Path(__file__).parents[3]
    config = yaml.safe_load((project / "config/studies/mini.yaml").read_text(encoding="utf-8"))
    raw = tmp_path / "raw"
    raw.mkdir()
    for file in (project / "resources/studies/MINI").glob("*.csv"):
        (raw / file.name).write_bytes(file.read_bytes())
    lines = (raw / "pc.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (raw / "pc.csv").write_text("".join([*lines, lines[-1]]), encoding="utf-8")
    config["study_data"] |= {"root": "raw", "decisions": ""}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    code = main(["check", "--configfile", "study.yaml", "-o", "checks"])
    assert code == 3
    assert "RECORDDUPLICATE" in (tmp_path / "checks/findings.csv").read_text(encoding="utf-8")
    assert "RECORDDUPLICATE" in (tmp_path / "checks/findings.zh.html").read_text(encoding="utf-8")
    assert "kept in checks" in capsys.readouterr().err

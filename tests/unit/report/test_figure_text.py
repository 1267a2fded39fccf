"""The words of a figure are text in the PDF, each letter where matplotlib put it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from celldossier.report.figure_text import OUTLINE_SIZE, SVG, restore_words
from celldossier.report.pdf import render_pdf
from celldossier.tlf.style import figure_style, figure_svg, new_figure

TEXT, USE = f"{{{SVG}}}text", f"{{{SVG}}}use"


def draw(*words: str, rotation: float = 0) -> bytes:
    with figure_style():
        figure = new_figure(60)
        for number, word in enumerate(words):
            figure.text(0.1, 0.1 + 0.2 * number, word, fontsize=8, rotation=rotation)
        return figure_svg(figure)


def texts(svg: bytes) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(TEXT))


def test_words_of_both_languages_and_signs_of_xml_come_back_as_they_were() -> None:
    words = ("Cmax (copies/µg)", "输注后时间（天）", "p < 0.05 & q > 0.1", "−1 – 2")
    svg = draw(*words)
    assert not texts(svg)
    assert [text.text for text in texts(restore_words(svg))] == list(words)


def test_each_letter_stands_where_its_outline_stood() -> None:
    svg = draw("Time (d)")
    outlines = [
        use.get("transform", "translate(0 0)").removeprefix("translate(").split()[0]
        for use in ElementTree.fromstring(svg).iter(USE)
    ]
    (text,) = texts(restore_words(svg))
    assert float(text.get("font-size", "")) == pytest.approx(8)
    found = [float(x) for x in text.get("x", "").split()]
    assert found == pytest.approx([float(x) * 8 / OUTLINE_SIZE for x in outlines], abs=1e-3)


def test_a_turned_word_keeps_its_place_and_its_turn() -> None:
    before = draw("Time", rotation=90)
    after = ElementTree.fromstring(restore_words(before))
    (group,) = [group for group in after.iter() if group.find(TEXT) is not None]
    place = group.get("transform", "")
    assert "rotate(-90)" in place and "scale" not in place
    assert place.encode() in before


def test_a_formula_keeps_its_outlines() -> None:
    svg = restore_words(draw(r"$R^2$ adj", "plain"))
    assert [text.text for text in texts(svg)] == ["plain"]
    assert len(list(ElementTree.fromstring(svg).iter(USE))) >= 2


def test_the_words_of_a_figure_can_be_searched_in_the_pdf(tmp_path: Path) -> None:
    (tmp_path / "F1.svg").write_bytes(draw("Ferritin", "铁蛋白", rotation=90))
    page = '<html lang="en"><title>x</title><img src="F1.svg" alt="x"></html>'
    (tmp_path / "out.pdf").write_bytes(render_pdf(page, tmp_path, b"0" * 16))
    found = subprocess.run(
        ["pdftotext", tmp_path / "out.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    assert "Ferritin" in found.replace("\n", "") and "铁蛋白" in found.replace("\n", "")

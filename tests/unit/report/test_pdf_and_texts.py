"""The PDF renderer reads its own folder only; sponsor texts are shown, never run."""

from __future__ import annotations

from pathlib import Path

import pytest

from celldossier.report.narratives import render_narrative
from celldossier.report.pdf import (
    font_folders,
    make_fetcher,
    remembered_page_references,
    render_pdf,
)
from celldossier.report.render import Outputs, embed_images
from celldossier.terms.language import Language
from celldossier.terms.templates import make_environment

PAGE = "<html lang='zh'><title>t</title><h1>细胞动力学</h1><p>10⁶ ≥ µg/m² <b>bold</b></p>{}</html>"


def test_the_renderer_refuses_the_network_and_files_outside_its_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "figure.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "secret.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    fetcher = make_fetcher(inside)
    assert fetcher.fetch((inside / "figure.svg").as_uri())
    for address in (
        (tmp_path / "secret.svg").as_uri(),
        inside.as_uri() + "/../secret.svg",
        inside.as_uri() + "/%2e%2e/secret.svg",
        "file:///etc/passwd",
        "http://127.0.0.1:9/x.png",
        "https://127.0.0.1:9/x.png",
        "ftp://127.0.0.1/x",
    ):
        with pytest.raises(Exception, match=r"may not read|protocol|allowed|scheme"):
            fetcher.fetch(address)


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (inside / "link.svg").symlink_to(tmp_path / "secret.svg")
    with pytest.raises(ValueError, match="may not read"):
        make_fetcher(inside).fetch((inside / "link.svg").as_uri())


def test_the_same_page_gives_the_same_bytes_with_embedded_fonts(tmp_path: Path) -> None:
    import io

    import pikepdf

    first = render_pdf(PAGE.format(""), tmp_path, b"0123456789abcdef")
    second = render_pdf(PAGE.format(""), tmp_path, b"0123456789abcdef")
    assert first == second
    with pikepdf.open(io.BytesIO(first)) as pdf:
        names = {str(f["/BaseFont"]) for f in pdf.pages[0].Resources.Font.values()}
    assert {name.split("+")[-1] for name in names} >= {"Noto-Serif-SC"}
    assert all("+" in name for name in names)


def test_the_fonts_come_from_locked_packages() -> None:
    names = {file.name for folder in font_folders() for file in folder.iterdir()}
    assert {"NotoSerifSC-Regular.otf", "NotoSansSC-Regular.otf", "STIXGeneral.ttf"} <= names


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](file:///etc/passwd)",
        "[x](javascript:alert(1))",
        "<http://example.org>",
    ],
)
def test_a_sponsor_text_makes_no_markup_but_emphasis(text: str) -> None:
    html = str(render_narrative(text))
    for tag in ("<script", "<img", "<a "):
        assert tag not in html


def test_a_sponsor_text_is_never_evaluated_as_a_template() -> None:
    assert "{{ 7 * 7 }}" in str(render_narrative("{{ 7 * 7 }}"))
    assert "<strong>bold</strong>" in str(render_narrative("**bold**"))


def test_a_page_that_stands_alone_differs_in_the_content_of_its_images_only(tmp_path: Path) -> None:
    import base64

    names = ["F20.svg", "F20-2.svg"]
    for name in names:
        (tmp_path / name).write_text(f"<svg id='{name}'/>")
    output = {
        **{"id": "F20", "kind": "figure", "status": "shown", "number": "20", "title": "Courses"},
        "landscape": False,
        **{"table": None, "images": names, "alternative_text": "F20.svg", "footnotes": []},
    }
    macro = make_environment("en").get_template("macros/tlf.html.j2").module
    page = str(macro.render_tlf(output, {}, Language("en").text))
    embedded = {
        name: "data:image/svg+xml;base64,"
        + base64.b64encode((tmp_path / name).read_bytes()).decode("ascii")
        for name in names
    }
    alone = embed_images(page, tmp_path)
    assert alone == str(macro.render_tlf(output, embedded, Language("en").text))
    assert 'src="F20' in page and 'src="F20' not in alone


def test_an_output_that_is_not_shown_turns_no_page_of_its_own() -> None:
    def output(name: str, section: str, status: str, *, landscape: bool) -> dict[str, object]:
        return {"id": name, "section": section, "status": status, "landscape": landscape}

    outputs = Outputs(
        [
            output("T1", "A", "not_shown", landscape=True),  # behind the text, which is upright
            output("T2", "A", "shown", landscape=True),
            output("F3", "A", "not_shown", landscape=False),
            output("F4", "A", "not_shown", landscape=False),
            output("F5", "A", "shown", landscape=False),
            output("T6", "A", "not_shown", landscape=True),
            output("T7", "A", "shown", landscape=True),
            output("F8", "B", "not_shown", landscape=False),  # behind the text of its section
        ]
    )
    turned = {name: outputs.place(name)["landscape"] for name in outputs.rest("A")}
    assert turned == {
        **{"T1": False, "T2": True, "F3": True, "F4": True},
        **{"F5": False, "T6": False, "T7": True},
    }
    assert outputs.place("F8")["landscape"] is False


def test_the_references_of_the_pages_are_those_that_pydyf_lists_also_after_a_further_page() -> None:
    import pydyf

    pdf, other = pydyf.PDF(), pydyf.PDF()
    plain = pydyf.PDF.page_references
    for _ in range(3):
        pdf.add_page(pydyf.Dictionary({"Type": "/Page"}))
    before = pdf.page_references
    with remembered_page_references():
        assert pdf.page_references == before
        assert other.page_references == ()
        pdf.add_page(pydyf.Dictionary({"Type": "/Page"}))
        remembered = pdf.page_references
        assert len(remembered) == 4
    assert pydyf.PDF.page_references is plain
    assert pdf.page_references == remembered

"""HTML to PDF: fonts of our own, no network, nothing read outside the report's folder."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse
from weakref import WeakKeyDictionary

from celldossier.report.figure_text import restore_words

FONT_PACKAGES = {"pylopdf_fonts_zh_cn": ".", "matplotlib": "mpl-data/fonts/ttf"}
"""Installed packages that carry the fonts, and the folder in them."""

FONTS_CONFIG = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
{folders}
<cachedir>{cache}</cachedir>
<alias binding="same"><family>serif</family>
<prefer><family>STIXGeneral</family><family>Noto Serif SC</family>
<family>DejaVu Serif</family></prefer>
</alias>
<alias binding="same"><family>sans-serif</family>
<prefer><family>Noto Sans SC</family><family>DejaVu Sans</family></prefer></alias>
<alias binding="same"><family>monospace</family>
<prefer><family>DejaVu Sans Mono</family><family>Noto Sans SC</family></prefer></alias>
</fontconfig>
"""


def font_folders() -> list[Path]:
    """Folders of the fonts that the lock file pins."""
    folders = []
    for package, folder in FONT_PACKAGES.items():
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"The package {package}, which carries fonts, is missing.")
        folders.append((Path(spec.origin).parent / folder).resolve())
    return folders


def isolate_fonts(folder: Path) -> None:
    """Let fontconfig see the locked fonts only, so that every machine sets the same pages.

    Parameters
    ----------
    folder
        A temporary folder for the configuration and its cache. It must be set
        before WeasyPrint is imported, which loads fontconfig.
    """
    folders = "\n".join(f"<dir>{path}</dir>" for path in font_folders())
    config = folder / "fonts.conf"
    config.write_text(FONTS_CONFIG.format(folders=folders, cache=folder / "cache"), "utf-8")
    os.environ["FONTCONFIG_FILE"] = str(config)
    os.environ["FONTCONFIG_PATH"] = str(folder)


def render_pdf(html: str, folder: Path, identifier: bytes) -> bytes:
    """Render a page of HTML as PDF/A-2a with bookmarks, the same bytes each time.

    Parameters
    ----------
    html
        The page; its images are named relative to `folder`.
    folder
        The only folder that the renderer may read.
    identifier
        Identifier of the file, derived from its content.
    """
    with tempfile.TemporaryDirectory() as scratch:
        isolate_fonts(Path(scratch))
        import weasyprint

        document = weasyprint.HTML(
            string=html, base_url=folder.resolve().as_uri() + "/", url_fetcher=make_fetcher(folder)
        )
        with remembered_page_references():
            content = document.write_pdf(pdf_variant="pdf/a-2a", pdf_identifier=identifier)
    if content is None:
        raise RuntimeError("WeasyPrint gave no PDF.")
    return open_with_bookmarks(content)


@contextmanager
def remembered_page_references() -> Iterator[None]:
    """Let pydyf list the references of the pages once for a number of pages, not at each use.

    Tagging asks for the reference of one page at each element, and pydyf 0.13 lists those of
    all pages each time: a ninth of the time of a report of 400 pages.
    """
    import pydyf

    listed = pydyf.PDF.page_references
    known: WeakKeyDictionary[pydyf.PDF, tuple[bytes, ...]] = WeakKeyDictionary()

    def page_references(pdf: pydyf.PDF) -> tuple[bytes, ...]:
        references = known.get(pdf, ())
        if len(references) != len(pdf.pages["Kids"]) // 3:
            references = known[pdf] = listed.fget(pdf)
        return references

    pydyf.PDF.page_references = property(page_references)
    try:
        yield
    finally:
        pydyf.PDF.page_references = listed


def make_fetcher(folder: Path) -> Any:
    """A URL fetcher that gives files of one folder and embedded data, and nothing else.

    Its base class is imported late, and has no types.
    """
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    root = folder.resolve()

    class FolderFetcher(URLFetcher):
        """Refuses the network and every path outside the folder."""

        def fetch(self, url: str, headers: object = None) -> object:
            if url.startswith("file:"):
                path = Path(unquote(urlparse(url).path)).resolve()
                if not path.is_relative_to(root):
                    raise ValueError(f"The PDF renderer may not read {path}, outside {root}.")
                if path.suffix == ".svg":
                    figure = restore_words(path.read_bytes())
                    return URLFetcherResponse(url, figure, {"Content-Type": "image/svg+xml"})
            return super().fetch(url, headers)

    return FolderFetcher(
        allowed_protocols={"file", "data"}, allow_redirects=False, fail_on_errors=True
    )


def open_with_bookmarks(content: bytes) -> bytes:
    """Let the viewer show the bookmarks when the file is opened."""
    import pikepdf

    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as pdf:
        pdf.Root.PageMode = pikepdf.Name.UseOutlines
        pdf.save(buffer, deterministic_id=True)
    return buffer.getvalue()

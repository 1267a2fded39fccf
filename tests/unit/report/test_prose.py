"""The prose: complete in both languages, without typed numbers, never beyond the analysis."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from report_page import CJK, CLAUSES, PARTS, TEMPLATES

from celldossier.io.resources import read_resource, shared_path

PLACEHOLDER = re.compile(r"%\((\w+)\)s")

# Digits in a msgid that are no result: an interval whose level the stage fixes, names.
NO_RESULT = ("90%% CI", "95%% CI", "SHA-256", "interleukin-6")


def extract_messages() -> dict[str, set[str]]:
    """Each msgid of the templates, and the files where it stands."""
    options = {
        "extensions": "jinja2.ext.i18n,jinja2.ext.do",
        "newstyle_gettext": "true",
        "trimmed": "true",
        "silent": "false",
    }
    found: dict[str, set[str]] = {}
    for file, _, message, _, _ in extract_from_dir(
        TEMPLATES, method_map=[("**.j2", "jinja2")], options_map={"**": options}
    ):
        assert isinstance(message, str), f"{file}: plural forms are not used"
        found.setdefault(message, set()).add(file)
    return found


MESSAGES = extract_messages()


def read_chinese() -> dict[str, Any]:
    path = TEMPLATES / "locale" / "zh_CN" / "LC_MESSAGES" / "report.po"
    with path.open("rb") as handle:
        catalogue = read_po(handle, abort_invalid=True)
    assert not catalogue.obsolete
    return {str(message.id): message for message in catalogue if message.id}


CHINESE = read_chinese()


def test_every_sentence_has_a_chinese_translation_and_none_is_left_over() -> None:
    assert len(MESSAGES) > 200
    assert set(MESSAGES) == set(CHINESE)


def test_a_translation_is_final_and_has_the_same_placeholders() -> None:
    for message, entry in CHINESE.items():
        assert not entry.fuzzy, message
        assert entry.string.strip(), message
        names = PLACEHOLDER.findall(message)
        assert sorted(names) == sorted(PLACEHOLDER.findall(entry.string)), message
        # A percent sign that is not doubled makes the formatting fail at run time.
        assert entry.string % dict.fromkeys(names, ""), message


def find_digits(text: str) -> set[str]:
    """Digits outside placeholders and outside the names of `NO_RESULT`."""
    text = PLACEHOLDER.sub("", text)
    for name in NO_RESULT:
        text = text.replace(name, "")
    return set(re.findall(r"\d+", text))


def test_no_number_is_typed_into_a_sentence() -> None:
    assert {message for message in MESSAGES if find_digits(message)} == set()


def test_a_chinese_sentence_has_no_digit_that_the_english_one_lacks() -> None:
    for message, entry in CHINESE.items():
        # Chinese writes "doubling" with a digit.
        chinese = PLACEHOLDER.sub("", entry.string).replace("增加1倍", "")
        assert set(re.findall(r"\d+", chinese)) <= set(re.findall(r"\d+", message)), message


FORBIDDEN_EN = (
    r"caus(?:ed|es) (?!of)",
    r"\bleads? to\b",
    r"\bresulted in\b",
    r"\bdue to\b",
    r"\bproves?\b|\bproven\b",
    r"\bno effect\b",
    r"\bcompl(?:y|ies|iant)\b",
    r"\bpersist(?:ed|s)\b|\bpersistence\b",
    r"\bis comparable\b|\bare comparable\b",
    r"\bsafe and effective\b|\bwell tolerated\b",
)
FORBIDDEN_ZH = (
    "导致",
    "引起",
    "造成",
    "证明",
    "证实",
    "无影响",
    "没有影响",
    "符合指导原则",
    "具有可比性",
    "安全有效",
    "耐受性良好",
)


def template_sources() -> Iterator[tuple[str, str]]:
    for path in sorted(TEMPLATES.glob("**/*.j2")):
        yield path.name, path.read_text(encoding="utf-8")


def test_no_sentence_claims_more_than_an_association() -> None:
    for message in MESSAGES:
        for pattern in FORBIDDEN_EN:
            assert not re.search(pattern, message, flags=re.IGNORECASE), (pattern, message)
        for word in FORBIDDEN_ZH:
            assert word not in CHINESE[message].string, (word, message)


def test_the_wording_of_the_clauses_claims_nothing_either() -> None:
    texts = [clause["asks"] for clause in CLAUSES["clauses"]]
    texts += [*CLAUSES["conditions"].values(), *CLAUSES["statements"].values()]
    for text in texts:
        assert text["en"].strip() and text["zh"].strip()
        assert not re.search(MIXED_PUNCTUATION, text["zh"]), text["zh"]
        assert "导致" not in text["zh"]
        assert not re.search(r"caused by|leads to", text["en"])


MIXED_PUNCTUATION = rf"[{CJK}][,;:!?()]|[,;:!?()][{CJK}]"


def test_chinese_sentences_use_chinese_punctuation_and_the_terms_of_the_guideline() -> None:
    for message, entry in CHINESE.items():
        text = entry.string
        assert not re.search(MIXED_PUNCTUATION, text), text
        # What the guideline does not say; its own terms are in the termbase.
        for foreign in ("细胞药代", "药物动力学", "淋巴耗竭", "适应证", "因子风暴", "几何均值"):
            assert foreign not in text, text
        for english, chinese in (
            ("lymphodepletion", "清淋"),
            ("non-compartmental", "非房室分析"),
            ("exposure-response", "暴露-效应"),
            ("transduction efficiency", "转导效率"),
            ("cytokine release syndrome", "细胞因子释放综合征"),
            ("duration of quantifiability", "可定量持续时间"),
        ):
            assert english not in message.lower() or chinese in text, text


JINJA = re.compile(
    r"\{#.*?#\}|\{%[-+]?\s*trans\b.*?[-+]?%\}.*?\{%[-+]?\s*endtrans\s*[-+]?%\}|\{%.*?%\}|\{\{.*?\}\}",
    re.DOTALL,
)


class TextOfPage(HTMLParser):
    """Collects what a reader sees."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if not self._in_style:
            self.text.append(data)


def test_a_template_has_no_words_outside_its_translated_sentences() -> None:
    # Names of a hash function, this program, parameter codes; symbol of a sample size.
    allowed = {"SHA", "celldossier", "AUC", "CMAX", "n"}
    for name, source in template_sources():
        if name == "S9.html.j2":
            continue  # references stand in the language of their source
        parser = TextOfPage()
        parser.feed(JINJA.sub(" ", source))
        # A macro of the tables makes attributes; they are no words.
        text = re.sub(r'[\w-]+="[^"]*"', " ", " ".join(parser.text))
        words = set(re.findall(rf"[A-Za-z]+|[{CJK}]+", text))
        assert words <= allowed, (name, words - allowed)


def test_every_section_of_the_guideline_has_a_template() -> None:
    for part in PARTS:
        assert (TEMPLATES / "sections" / f"{part}.html.j2").is_file(), part
    files = {path.name.removesuffix(".html.j2") for path in (TEMPLATES / "sections").glob("*.j2")}
    assert files == set(PARTS)


def test_the_templates_name_only_known_terms_and_outputs() -> None:
    terms = read_resource("terms", "termbase.yaml")
    numbers = re.compile(r"\bref\(\"([A-Z]+[0-9]*[a-z]?)\"\)")
    declared = Path(shared_path("config", "tlfs.yaml")).read_text(encoding="utf-8")
    for name, source in template_sources():
        for key in re.findall(r"\bterm\(\"(\w+)\"\)", source):
            assert key in terms, (name, key)
        for output in numbers.findall(source):
            if output not in ("MATRIX", "SUMMARY"):
                assert f"id: {output}\n" in declared, (name, output)

"""Risk class of immunogenicity and the study owed (table 77)."""

from __future__ import annotations

from celldossier.settings.study import Product
from celldossier.terms.immunogenicity_risk import product_words, risk_rules
from celldossier.tlf.cells import Place, Printer, text_cells
from celldossier.tlf.model import Cell, Column, Context, NotShown, Row, Table

RISK = Place("immunogenicity.risk_class", "RISKCLASS")
EXPRESSED = "immunogenicity.expressed"
NARRATIVE = "immunogenicity_risk"


def draw_risk_class(context: Context) -> Table | NotShown:
    """What the product is, the rule for it, the study owed and what became of it.

    A study that was not made stands with the justification of the sponsor.
    """
    language, text = context.language, context.language.text
    printer = Printer(context.results, language)
    if not printer.exists(RISK, "rule"):
        return NotShown("NOTCLASS")
    told = {name: printer.value(RISK, name) for name in ("rule", "risk", "study", "outcome")}
    rule = risk_rules()[told["rule"].text]
    product = Product.model_validate(context.settings["study"]["product"])
    modified = "Y" if product.gene_modified else "N"
    facts = (
        ("class", language.label(product_words("classes", product.product_class.value))),
        ("source", language.label(product_words("sources", product.source))),
        ("modified", text(f"label.answer.{modified}")),
    )
    rows = [Row(text_cells((text(f"risk.{name}"), fact))) for name, fact in facts]
    wording = language.label({"en": rule.en, "zh": rule.zh})
    quoted = text("risk.rule_quoted", rule=wording, lines=rule.lines)
    rows.append(Row((Cell(text("risk.rule")), Cell(quoted, (told["rule"].value_id,)))))
    for name in ("risk", "study"):
        word = Cell(text(f"risk.{name}.{told[name].text}"), (told[name].value_id,))
        rows.append(Row((Cell(text(f"risk.{name}")), word)))
    numbers = printer.cell(RISK, "{} / {}", ("n_studied", "count"), ("n_infused", "count"))
    rows.append(Row((Cell(text("risk.studied")), numbers)))
    outcome = told["outcome"]
    word = Cell(text(f"risk.outcome.{outcome.text}"), (outcome.value_id,))
    rows.append(Row((Cell(text("risk.outcome")), word)))
    if outcome.text != "STUDIED":
        given = context.settings["report"]["narratives"].get(NARRATIVE)
        words = language.label(given) if given else text("risk.not_justified", name=NARRATIVE)
        rows.append(Row(text_cells((text("risk.justification"), words))))
    rows.extend(_expressed_rows(context, printer))
    columns = (
        Column(text("column.question"), align="left", width="32%"),
        Column(text("column.answer"), align="left", width="68%"),
    )
    # A study that is owed and was not made answers no clause, whatever the table says.
    shown = "n_studied" if outcome.text == "LACKING" else "n_infused"
    return Table(columns, tuple(rows), int(printer.value(RISK, shown).number))


def _expressed_rows(context: Context, printer: Printer) -> list[Row]:
    """Each co-expressed product: whether an assay is declared for it, subjects with a status."""
    text = context.language.text
    rows = []
    for component in context.results.levels(EXPRESSED, "component"):
        place = Place(EXPRESSED, "COEXPRESSED", by={"component": component})
        declared, number = printer.value(place, "assay"), printer.value(place, "n")
        key = "declared" if declared.text == "Y" else "missing"
        words = text(f"risk.assay.{key}", n=f"{number.number:.0f}")
        label = Cell(text("risk.expressed", product=component))
        rows.append(Row((label, Cell(words, (declared.value_id, number.value_id)))))
    return rows

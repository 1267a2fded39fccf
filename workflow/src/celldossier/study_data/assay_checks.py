"""Checks of whole tests: which occur, their units and limits, what the product asks for."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from celldossier.settings.bioanalysis import Assay, BioanalysisSettings
from celldossier.settings.sources import DOMAINS_OF
from celldossier.settings.study import Product, ProductClass
from celldossier.study_data.crossdomain import simplify
from celldossier.study_data.domain import Domain

IMMUNE = (
    *(ProductClass.CAR_T, ProductClass.TCR_T, ProductClass.TIL, ProductClass.CAR_NK),
    *(ProductClass.CAR_M, ProductClass.OTHER_IMMUNE),
)
FROZEN_SUBJECTS = 5
FROZEN_RECORDS = 10
"""A result that is the same in that many subjects and records was hardly measured."""


def check_tests(
    mapped: Mapping[str, Domain],
    datasets: Mapping[str, pd.DataFrame],
    bioanalysis: BioanalysisSettings,
    product: Product,
) -> None:
    """Check the tests of all sampled domains."""
    for name in ("PC", *DOMAINS_OF["PD"]):
        _check_units(mapped[name])
        _check_frozen(mapped[name])
    for kind, names in DOMAINS_OF.items():
        assays = [assay for assay in bioanalysis.assays if assay.domain == kind]
        domains = [mapped[name] for name in names if mapped[name].collected]
        if all(domain.usable and len(domain.frame) for domain in domains):
            _check_occurrence(domains, assays)
    _check_limits(mapped["PC"], datasets["ADPC"], bioanalysis.assays)
    _check_product(mapped, bioanalysis.assays, product)


def _check_units(domain: Domain) -> None:
    """Find tests that are given in more than one unit."""
    unit, test = domain.frame[f"{domain.name}ORRESU"], domain.frame[f"{domain.name}TESTCD"]
    given = domain.active & (unit != "")
    pairs = pd.DataFrame({"test": test[given], "unit": unit[given]}).drop_duplicates()
    for code, units in pairs.groupby("test")["unit"]:
        if len(units) > 1:
            column = domain.raw_columns[f"{domain.name}ORRESU"]
            text = ", ".join(sorted(units))
            domain.report_file("UNITMIXED", column=column, value=text, test=str(code))


def _check_frozen(domain: Domain) -> None:
    """Find tests whose every number is the same, over many subjects."""
    result, test = domain.frame[f"{domain.name}ORRES"], domain.frame[f"{domain.name}TESTCD"]
    # Also of subjects without infusion: what matters is how the column was made.
    number = domain.reason.isin(("", "NOINFUSION")) & result.str.match(r"[+-]?[0-9.]").eq(True)
    if int(number.sum()) < FROZEN_RECORDS:
        return
    rows = pd.DataFrame(
        {"test": test[number], "result": result[number], "subject": domain.subject[number]}
    )
    counts = rows.groupby("test").agg(
        values=("result", "nunique"),
        subjects=("subject", "nunique"),
        records=("result", "size"),
        value=("result", "first"),
    )
    frozen = counts[
        (counts["values"] == 1)
        & (counts["subjects"] >= FROZEN_SUBJECTS)
        & (counts["records"] >= FROZEN_RECORDS)
    ]
    for code, row in frozen.iterrows():
        domain.report_file(
            "RESULTFROZEN",
            column=domain.raw_columns[f"{domain.name}ORRES"],
            value=str(row["value"]),
            test=str(code),
            count=str(row["records"]),
        )


def _check_occurrence(domains: list[Domain], assays: list[Assay]) -> None:
    """Find declared assays without any record, and codes that differ by spelling only."""
    codes = {code for domain in domains for code in domain.frame[f"{domain.name}TESTCD"].unique()}
    for assay in assays:
        if domains and not codes & set(assay.test_codes):
            value = ", ".join(assay.test_codes)
            domains[0].report_file("TESTNEVER", value=value, analyte=assay.analyte)
    declared = {simplify(code): code for assay in assays for code in assay.test_codes}
    exact = set(declared.values())
    for domain in domains:
        test = domain.frame[f"{domain.name}TESTCD"]
        own = test[~test.duplicated() & ~test.isin(exact)]
        like = own.map(lambda code: declared.get(simplify(code), ""))
        like = like.reindex(domain.frame.index, fill_value="")
        domain.report("TESTLOOKALIKE", like != "", f"{domain.name}TESTCD", like=like)


def _check_limits(pc: Domain, adpc: pd.DataFrame, assays: tuple[Assay, ...]) -> None:
    """Find assays of kinetics without a lower limit of quantitation."""
    limits = adpc[adpc["ALLOQ"].notna()]["PARAMCD"].unique()
    for assay in assays:
        measured = assay.domain == "CK" and (adpc["PARAMCD"] == assay.analyte).any()
        if measured and assay.lloq is None and assay.analyte not in limits:
            pc.report_file("ASSAYNOLLOQ", value=assay.analyte)


def _check_product(
    mapped: Mapping[str, Domain], assays: tuple[Assay, ...], product: Product
) -> None:
    """What the guideline asks of the product: S4.3-1 two methods, S7.2-1 co-expressed products."""
    kinetics = [assay for assay in assays if assay.domain == "CK"]
    nucleic = [assay.analyte for assay in kinetics if "copies" in assay.unit]
    cells = [assay.analyte for assay in kinetics if "copies" not in assay.unit]
    asked = product.gene_modified and product.product_class in IMMUNE
    if asked and bool(nucleic) != bool(cells):
        mapped["PC"].report_file("CKONEMETHOD", value=", ".join(nucleic or cells))
    declared = {simplify(assay.target) for assay in assays if assay.domain == "ADA"}
    targets = {simplify(target) for target in mapped["IS"].frame["ISBDAGNT"].unique()}
    for name in product.co_expressed:
        if simplify(name) not in declared:
            mapped["IS"].report_file("COEXPRESSEDASSAY", value=name)
        if mapped["IS"].usable and mapped["IS"].collected and simplify(name) not in targets:
            mapped["IS"].report_file("COEXPRESSEDADA", value=name)

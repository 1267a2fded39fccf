"""The stage as one pure function: raw domains in, analysis datasets and checks out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from celldossier.datasets import conform, empty_dataset
from celldossier.io.decisions import DecisionFile
from celldossier.io.tables import RawDomain
from celldossier.settings.bioanalysis import Assay, BioanalysisSettings
from celldossier.settings.sources import DOMAINS
from celldossier.settings.study import StudySettings
from celldossier.settings.study_data import StudyDataSettings
from celldossier.study_data.accounting import account_records, list_exclusions
from celldossier.study_data.amounts import find_basis
from celldossier.study_data.antibodies import derive_adab
from celldossier.study_data.apply_decisions import (
    Ledger,
    accept_findings,
    check_decided_subjects,
    correct_values,
    exclude_from_sets,
    exclude_records,
    note_windows,
)
from celldossier.study_data.assay_checks import check_tests
from celldossier.study_data.bioanalysis import derive_bioanalysis
from celldossier.study_data.cell_conversion import add_cell_counts
from celldossier.study_data.crossdomain import check_across
from celldossier.study_data.dates import DateRules, apply_cutoff
from celldossier.study_data.decision_effects import list_effects
from celldossier.study_data.decisions import DecisionFindings, read_decisions
from celldossier.study_data.disposition import (
    collect_deaths,
    collect_last_alive,
    derive_adds,
    describe_last_alive,
)
from celldossier.study_data.domain import Domain
from celldossier.study_data.dose_checks import check_doses
from celldossier.study_data.dose_times import list_doses
from celldossier.study_data.duplicates import check_duplicate_records
from celldossier.study_data.efficacy_checks import check_new_therapy, check_responses
from celldossier.study_data.endpoints import derive_adtte
from celldossier.study_data.exposure import check_infusions, derive_adex
from celldossier.study_data.findings import FindingCollector
from celldossier.study_data.gate import open_errors
from celldossier.study_data.lots import check_lots, derive_adpq
from celldossier.study_data.lymphodepletion import (
    check_lymphodepletion,
    derive_adld,
    list_drug_records,
)
from celldossier.study_data.mapping import keep_records, map_domain
from celldossier.study_data.markers import derive_adpd
from celldossier.study_data.medication import derive_adcm
from celldossier.study_data.partial_dates import complete_partial_dates
from celldossier.study_data.raw_cells import check_raw_file
from celldossier.study_data.relative_time import fill_relative_times
from celldossier.study_data.response import derive_adrs
from celldossier.study_data.safety import derive_safety
from celldossier.study_data.samples import derive_adpc
from celldossier.study_data.stops import find_stops
from celldossier.study_data.structure import check_structure
from celldossier.study_data.studies import check_studies
from celldossier.study_data.subject_checks import check_against_infusion, check_baseline
from celldossier.study_data.subject_level import derive_adsl
from celldossier.study_data.subjects import (
    check_deaths,
    check_known_subjects,
    check_subjects,
    find_zones,
    make_subjects,
    set_time_zero,
)
from celldossier.study_data.survival_checks import check_after_death, check_disposition

DATASET_OF = {
    "DM": "ADSL",
    "EX": "ADEX",
    "PC": "ADPC",
    "LB": "ADPD",
    "QS": "ADPD",
    "MO": "ADPD",
    "MI": "ADPD",
    "TR": "ADPD",
    "IS": "ADAB",
    "AE": "ADAE",
    "FA": "ADFA",
    "RS": "ADRS",
    "DS": "ADDS",
    "CM": "ADCM",
    "LOTS": "ADPQ",
    "BE": "ADBE",
    "RUNS": "ADRUN",
}
"""Analysis dataset of each raw domain; one dataset may hold several."""

MARKERS = tuple(name for name, dataset in DATASET_OF.items() if dataset == "ADPD")
"""Domains of pharmacodynamic markers."""

WITHOUT_SUBJECT_CHECK = ("DM", "LOTS", "RUNS")
"""Domains whose records need no subject in DM: itself, lots (allogeneic ones have none), runs."""


@dataclass(frozen=True)
class StudyData:
    """What the stage hands on.

    Parameters
    ----------
    datasets
        ADSL, ADEX, ADPC, ADPD, ADAB, ADAE, ADFA, ADAESI, ADRS, ADDS, ADCM, ADPQ, ADTTE after their
        specifications.
    findings, exclusions, accounting, decisions
        Datasets FINDINGS, EXCLUSIONS, ACCOUNTING, DECISIONS.
    """

    datasets: dict[str, pd.DataFrame]
    findings: pd.DataFrame
    exclusions: pd.DataFrame
    accounting: pd.DataFrame
    decisions: pd.DataFrame = field(default_factory=lambda: empty_dataset("DECISIONS"))

    @property
    def errors(self) -> int:
        """Number of findings that stop the run."""
        return len(open_errors(self.findings))


def derive_study_data(
    domains: Mapping[str, Sequence[RawDomain]],
    settings: StudyDataSettings,
    bioanalysis: BioanalysisSettings,
    study: StudySettings,
    decision_files: Sequence[DecisionFile] = (),
) -> StudyData:
    """Map, check and derive a study's data; every fault is a finding, none is raised.

    Where the study has decisions, the data are derived without them too, so that what
    they change is counted and not inferred.

    Parameters
    ----------
    domains
        Files of the raw domains by name, as `celldossier.io.tables.read_domains` gives them;
        a domain that is not in it was not collected.
    decision_files
        The study's decisions, as `celldossier.io.decisions` gives them.

    Returns
    -------
    StudyData
        A dataset whose domain cannot be read is empty, and its records, where there
        are any, are excluded with reason DOMAINFAULT.
    """
    data, ledger = _derive_once(domains, settings, bioanalysis, study, decision_files)
    if not ledger.decisions:
        return data
    plain, _ = _derive_once(domains, settings, bioanalysis, study, ())
    return replace(
        data, decisions=list_effects(ledger.decisions, ledger.effects, data=data, plain=plain)
    )


def _derive_once(
    domains: Mapping[str, Sequence[RawDomain]],
    settings: StudyDataSettings,
    bioanalysis: BioanalysisSettings,
    study: StudySettings,
    decision_files: Sequence[DecisionFile],
) -> tuple[StudyData, Ledger]:
    findings = FindingCollector(settings.severities)
    decided = read_decisions(decision_files, findings, list(domains))
    ledger = Ledger(decided, DecisionFindings(findings))
    cutoff = pd.Timestamp(study.data_cutoff)
    mapped: dict[str, Domain] = {}
    for name in DOMAINS:
        domain = map_domain(name, domains.get(name, ()), settings, findings)
        correct_values(domain, ledger)
        keep_records(domain)
        exclude_records(domain, ledger)
        mapped[name] = domain
    check_decided_subjects(mapped["DM"], ledger)
    kinetics = [assay.analyte for assay in bioanalysis.assays if assay.domain == "CK"]
    note_windows(mapped["DM"], kinetics, ledger)
    rules = DateRules(cutoff, settings.time, find_zones(mapped["DM"], settings.time))
    fill_relative_times(mapped, settings.anchor_date, rules.zones)
    for domain in mapped.values():
        check_structure(domain, rules)
        for part, raw in zip(domain.parts, domains.get(domain.name, ()), strict=True):
            check_raw_file(domain, part, raw)
        check_duplicate_records(domain)
        apply_cutoff(domain, rules)
    check_studies(mapped, [trial.id for trial in study.trials], study.id)
    datasets = _derive(mapped, settings, bioanalysis, study)
    check_tests(mapped, datasets, bioanalysis, study.product)
    datasets["ADSL"] = exclude_from_sets(datasets["ADSL"], ledger)
    conformed = _conform(datasets, mapped["DM"], study.id)
    exclusions = list_exclusions(mapped)
    accounting = account_records(mapped, conformed, DATASET_OF)
    accept_findings(findings, ledger)
    return StudyData(conformed, findings.frame(), exclusions, accounting), ledger


def _derive(
    mapped: dict[str, Domain],
    settings: StudyDataSettings,
    bioanalysis: BioanalysisSettings,
    study: StudySettings,
) -> dict[str, pd.DataFrame]:
    dm, ex, lots = mapped["DM"], mapped["EX"], mapped["LOTS"]
    cutoff = pd.Timestamp(study.data_cutoff)
    basis = find_basis(settings.dosing, study.product)
    check_subjects(dm, settings)
    check_baseline(dm, settings)
    subjects = make_subjects(dm, settings)
    for name, domain in mapped.items():
        if name not in WITHOUT_SUBJECT_CHECK:
            check_known_subjects(domain, subjects)
    check_lots(lots, subjects, settings.dosing, study.product)
    subjects = set_time_zero(subjects, check_infusions(ex, subjects), ex.usable)
    complete_partial_dates(mapped, subjects, settings, cutoff)
    check_deaths(dm, subjects)
    check_against_infusion(dm, subjects, settings)

    def assays(kind: str) -> list[Assay]:
        return [assay for assay in bioanalysis.assays if assay.domain == kind]

    adex = derive_adex(ex, lots, subjects, settings.dosing, basis)
    check_doses(ex, adex, lots, subjects, settings, basis)
    subjects = replace(subjects, doses=list_doses(adex, subjects))
    adcm = derive_adcm(mapped["CM"], subjects, settings)
    adds = derive_adds(mapped["DS"], subjects, settings)
    deaths = collect_deaths(dm, adds, subjects)
    stops = find_stops(adex, adcm, settings.efficacy)
    drugs = list_drug_records(adex, adcm, subjects)
    adld = derive_adld(drugs, adex, settings.dosing.lymphodepletion)
    check_lymphodepletion(ex, mapped["CM"], drugs, adld, settings.dosing.lymphodepletion)
    # Without subjects and doses there is no time zero; faults of the records are found first.
    blocked = not (dm.usable and ex.usable)
    adpd = derive_adpd([mapped[name] for name in MARKERS], subjects, assays("PD"), settings)
    adpc = derive_adpc(mapped["PC"], subjects, assays("CK"), settings)
    adpq = derive_adpq(lots, dm, adex, settings.dosing)
    measured = {"ADPD": adpd, "ADEX": adex, "ADPQ": adpq}
    datasets = {
        "ADEX": adex,
        "ADPC": add_cell_counts(mapped["PC"], adpc, measured, bioanalysis.conversions),
        "ADPD": adpd,
        "ADAB": derive_adab(mapped["IS"], subjects, assays("ADA"), settings),
        "ADRS": derive_adrs(mapped["RS"], dm, subjects, stops, adpd, deaths, settings),
        "ADDS": adds,
        "ADCM": adcm,
        "ADLD": adld,
        "ADPQ": adpq,
    }
    datasets |= derive_safety(mapped, subjects, adcm, datasets["ADEX"], datasets["ADPD"], settings)
    for name, domain in mapped.items():
        if not domain.usable or (blocked and name not in WITHOUT_SUBJECT_CHECK):
            domain.exclude(domain.active, "DOMAINFAULT")
            # A record can stand in several datasets: a component, and the event that it shows.
            datasets = {
                key: dataset[dataset["SRCDOM"] != name] for key, dataset in datasets.items()
            }
    if blocked:
        # Its records of subjects without assessment have another domain as their source.
        datasets["ADRS"] = datasets["ADRS"].iloc[:0]
        datasets["ADLD"] = datasets["ADLD"].iloc[:0]
    check_across(mapped, subjects, datasets, settings, cutoff)
    check_responses(mapped["RS"], datasets["ADRS"], subjects, settings.efficacy)
    check_new_therapy(mapped["CM"], datasets["ADCM"], subjects, settings)
    adsl = derive_adsl(mapped, subjects, datasets, settings)
    last_alive = collect_last_alive(mapped, deaths, subjects, settings.efficacy, cutoff)
    check_after_death(mapped, deaths, subjects)
    check_disposition(mapped["DS"], dm, datasets["ADDS"], last_alive, subjects)
    adtte = pd.DataFrame(columns=["USUBJID"])
    if not blocked:
        adtte = derive_adtte(
            mapped,
            datasets,
            adsl,
            deaths,
            last_alive,
            settings,
            bioanalysis,
            study.product.product_class,
        )
    adsl = adsl.assign(**describe_last_alive(last_alive, adsl["USUBJID"]))
    methods = derive_bioanalysis(mapped, datasets, bioanalysis.assays)
    return {"ADSL": adsl, **datasets, "ADTTE": adtte, **methods}


def _conform(
    datasets: dict[str, pd.DataFrame], dm: Domain, study_id: str
) -> dict[str, pd.DataFrame]:
    """Fill STUDYID from DM and hold each dataset to its specification."""
    adsl = datasets["ADSL"]
    adsl = adsl.assign(STUDYID=adsl["STUDYID"].where(adsl["STUDYID"] != "", study_id))
    studies = adsl.set_index("USUBJID")["STUDYID"]
    conformed = {"ADSL": conform(adsl, "ADSL")}
    for name, frame in datasets.items():
        if name != "ADSL":
            # A lot of no known subject (allogeneic, for instance) and a run are of the study as
            # such.
            subject = frame.get("USUBJID", pd.Series("", index=frame.index))
            study = subject.map(studies).fillna(study_id)
            conformed[name] = conform(frame.assign(STUDYID=study), name)
    return conformed

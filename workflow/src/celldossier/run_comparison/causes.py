"""What may have caused a difference: traced through what each stage reads, never guessed.

The outputs of a stage can differ only where something that it reads differs: its settings, its
code, the libraries, and the datasets before it. From the raw records and decisions the way is
walked by subject: a subject's row follows from the subject's own records, from what holds for all
subjects, and, where neither has changed, from the records of other subjects (a threshold or a
group of the study). All that remain possible are named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from celldossier.io.stages import READS, STAGES
from celldossier.run_comparison.inputs import UNKNOWN

Kind = Literal["data", "decision", "setting", "code", "environment", "unexplained"]
CAUSE_KINDS: tuple[Kind, ...] = (
    *("data", "decision", "setting", "code", "environment"),
    "unexplained",
)
FLOORS = ("errors", "io", "terms", "settings", "datasets", "results", "stats")
"""Packages that every stage rests on."""
ENTRY = ("__init__", "cli/__init__", "cli/arguments", "cli/threads", "cli/stage_files")
"""Modules on the way from the command line to any stage."""
TEXTS = ("resources/datasets", "resources/terms")
"""Folders that every stage reads."""
SHARED = (*FLOORS, *ENTRY, *TEXTS, UNKNOWN)
"""Parts of the code that can change the outputs of every stage."""
TLFS = "tlfs.yaml"
"""The declaration of the outputs, among the sections of the settings."""


@dataclass(frozen=True, order=True)
class Cause:
    """One possible cause.

    Attributes
    ----------
    kind
        What differs.
    name
        Raw file, id of the decision, key of the setting, part of the code, or library.
    subject
        Subject whose records or decision it is; "" for all of a file, or where it has none.
    others
        The records are of other subjects than the one that differs.
    """

    kind: Kind
    name: str
    subject: str = ""
    others: bool = False

    def __str__(self) -> str:
        """Text in the tables, such as ``data:pc.csv[S1-002]``."""
        whose = f"[{self.subject}]" if self.subject else "[other subjects]" if self.others else ""
        return f"{self.kind}:{self.name}{whose}"


Causes = frozenset[Cause]
UNEXPLAINED: Causes = frozenset({Cause("unexplained", "no input differs")})
"""The cause of a difference between runs whose recorded inputs are all equal."""
NONE: Causes = frozenset()


@dataclass(frozen=True)
class Changed:
    """What differs between the inputs of two runs.

    Attributes
    ----------
    settings
        Keys that differ, by section.
    code, environment
        Parts and libraries that differ.
    data, decisions
        By subject ("" where a record or decision is of no subject): causes of the kinds data and
        decision.
    windows
        Decisions on terminal windows, by subject; they enter at the kinetics.
    """

    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    code: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    data: Mapping[str, Causes] = field(default_factory=dict)
    decisions: Mapping[str, Causes] = field(default_factory=dict)
    windows: Mapping[str, Causes] = field(default_factory=dict)


class Attribution:
    """Walks the stages in run order and tells the causes of what differs in each.

    Parameters
    ----------
    changed
        What differs between the inputs.
    subjects
        By dataset, the subjects whose records differ; "" for records of no subject.

    Attributes
    ----------
    printed
        Causes by each text that `print` has given.
    """

    def __init__(self, changed: Changed, subjects: Mapping[str, Iterable[str]]) -> None:
        self._changed = changed
        self.printed: dict[str, Causes] = {}
        self._of: dict[str, dict[str, Causes]] = {}
        self._own_records: dict[str, set[str]] = {}
        self._all: dict[str, Causes] = {}
        self._entered: dict[str, Causes] = {}
        self._owners: dict[tuple[str, str], set[str]] = {}
        for entry in (changed.data, changed.decisions, changed.windows):
            for subject, own in entry.items():
                for cause in own:
                    self._owners.setdefault((cause.kind, cause.name), set()).add(subject)
        self._results: dict[str, Causes] = {}
        for stage, handed in STAGES.items():
            for name in handed.datasets:
                differing = set(subjects.get(name, ()))
                if differing:
                    self._of[name] = self._records(stage, differing)
                    self._own_records[name] = {s for s in differing if self._near(stage, s)}

    def print(self, causes: Causes) -> str:
        """Causes as one text, which is remembered."""
        text = print_causes(causes)
        self.printed[text] = causes
        return text

    def record(self, dataset: str, subject: str, of_study: bool = False) -> Causes:
        """Causes of a difference in the records of a subject.

        Parameters
        ----------
        of_study
            The variable differs for subjects of whom no record differs: it follows from the whole
            study, and so from other subjects too where the subject has differing records.
        """
        found = self._of[dataset][subject]
        if not (of_study and self.has_own(dataset, subject)):
            return found
        (stage,) = (name for name, handed in STAGES.items() if dataset in handed.datasets)
        return (found | self._of_others(stage, subject)) - UNEXPLAINED or UNEXPLAINED

    def has_own(self, dataset: str, subject: str) -> bool:
        """Whether records of the subject, or of none, differ that its own could follow from."""
        return not subject or subject in self._own_records[dataset]

    def results(self, stage: str) -> Causes:
        """Causes of a difference in the analysis results of a stage, which are of no subject."""
        if stage not in self._results:
            found = self._own(stage) | self._entering(stage)
            for name in (*READS[stage].datasets, *STAGES[stage].datasets):
                found |= self._of_all(name)
            for name in READS[stage].results:
                found |= self.results(name) - UNEXPLAINED
            self._results[stage] = found or UNEXPLAINED
        return self._results[stage]

    def checks(self, subject: str) -> Causes:
        """Causes of a difference in the findings and other records of the checks."""
        own = self._own("study_data")
        if subject:
            entering = self._entering_of("study_data", subject)
            return own | (entering or _of_others(self._entering("study_data"))) or UNEXPLAINED
        return own | self._entering("study_data") or UNEXPLAINED

    def outputs(self, stages: Iterable[str]) -> Causes:
        """Causes of a difference in a cell that prints differing results of `stages`.

        How the results are printed may differ beside them.
        """
        found = self._drawing("tlf") | self._libraries()
        for stage in stages:
            found |= self.results(stage)
        return found or UNEXPLAINED

    def wording(self, part: str) -> Causes:
        """Causes of words, rows or records that differ in what `part` draws, from any stage."""
        used = {"resources/guideline", "resources/standards"}
        used |= {*STAGES, *(f"cli/{stage}" for stage in STAGES)}
        causes = {Cause("code", name) for name in self._changed.code if name in used}
        causes |= {
            Cause("setting", key) for keys in self._changed.settings.values() for key in keys
        }
        found = frozenset(causes) | self._drawing(part) | self._libraries()
        return found | self._of_everything() or UNEXPLAINED

    def _drawing(self, part: str) -> Causes:
        """Code and declarations by which `part` puts results into words and print."""
        used = {part, f"cli/{part}", "report_templates", *SHARED}
        causes = {Cause("code", name) for name in self._changed.code if name in used}
        causes |= {Cause("setting", key) for key in self._changed.settings.get(TLFS, ())}
        return frozenset(causes)

    def _records(self, stage: str, subjects: Iterable[str]) -> dict[str, Causes]:
        """Causes of differing records of a stage, by subject."""
        own = self._own(stage)
        return {
            subject: own | (self._near(stage, subject) or self._of_others(stage, subject))
            or UNEXPLAINED
            for subject in subjects
        }

    def _near(self, stage: str, subject: str) -> Causes:
        """What differs of a subject before a stage; of all subjects for a record that has none."""
        if not subject:
            return self._entering(stage) | self._read_by(stage)
        found = self._entering_of(stage, subject)
        for name in READS[stage].datasets:
            found |= self._of.get(name, {}).get(subject, NONE)
        return found

    def _of_others(self, stage: str, subject: str) -> Causes:
        """What differs of other subjects: a threshold or a group of the whole study may have."""
        if not subject:
            return NONE
        found = self._entering(stage) | self._read_by(stage)
        return _of_others(
            frozenset(
                cause for cause in found if self._owners.get((cause.kind, cause.name)) != {subject}
            )
        )

    def _read_by(self, stage: str) -> Causes:
        found = NONE
        for name in READS[stage].datasets:
            found |= self._of_all(name)
        return found

    def _own(self, stage: str) -> Causes:
        """What holds for every subject: settings, code and libraries of the stage."""
        used = {stage, f"cli/{stage}", *SHARED}
        if stage == "study_data":
            used.add("resources/standards")
        causes = {Cause("code", name) for name in self._changed.code if name in used}
        for section in READS[stage].settings:
            causes |= {Cause("setting", key) for key in self._changed.settings.get(section, ())}
        return frozenset(causes) | self._libraries()

    def _libraries(self) -> Causes:
        return frozenset(Cause("environment", name) for name in self._changed.environment)

    def _entries(self, stage: str) -> list[Mapping[str, Causes]]:
        if stage == "study_data":
            return [self._changed.data, self._changed.decisions]
        return [self._changed.windows] if stage == "cellular_kinetics" else []

    def _entering_of(self, stage: str, subject: str) -> Causes:
        """Records and decisions of a subject, and those of no subject, that enter at a stage."""
        found = NONE
        for entry in self._entries(stage):
            found |= entry.get(subject, NONE) | entry.get("", NONE)
        return found

    def _entering(self, stage: str) -> Causes:
        if stage not in self._entered:
            entries = self._entries(stage)
            self._entered[stage] = _of_files(
                cause for entry in entries for own in entry.values() for cause in own
            )
        return self._entered[stage]

    def _of_all(self, dataset: str) -> Causes:
        if dataset not in self._all:
            causes = {cause for own in self._of.get(dataset, {}).values() for cause in own}
            self._all[dataset] = _of_files(causes)
        return self._all[dataset]

    def _of_everything(self) -> Causes:
        found = NONE
        for stage in STAGES:
            found |= self._entering(stage)
        return found


def _of_files(causes: Iterable[Cause]) -> Causes:
    """The causes without their subjects: a whole file, as a result of the study sees it."""
    return frozenset(Cause(cause.kind, cause.name) for cause in causes)


def _of_others(causes: Causes) -> Causes:
    """The causes as they look to a subject who has none of them."""
    return frozenset(
        Cause(cause.kind, cause.name, others=True) if cause.kind in ("data", "decision") else cause
        for cause in causes
    )


def print_causes(causes: Causes) -> str:
    """Causes as one text: data first, then decisions, settings, code, environment."""
    return "; ".join(
        str(cause) for cause in sorted(causes, key=lambda c: (CAUSE_KINDS.index(c.kind), c))
    )

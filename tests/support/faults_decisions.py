"""Faults of decisions: each has a test of its own beside those of what decisions do."""

from __future__ import annotations

_DECISIONS = "test_decisions.py::test_a_decision_that_does_not_fit_is_an_error_and_changes_nothing"
_FILES = "test_decisions.py::test_a_file_of_decisions_that_cannot_be_used_is_an_error"

SINGLE = {
    **dict.fromkeys(
        (
            *("DECISIONBLANK", "DECISIONDATE", "DECISIONNUMBER", "DECISIONTWICE", "DECISIONDOMAIN"),
            *("DECISIONSUBJECT", "DECISIONSET", "DECISIONPLACE", "DECISIONKEY"),
            *("DECISIONVARIABLE", "DECISIONNOMATCH", "DECISIONAMBIGUOUS", "DECISIONOLDVALUE"),
            *("DECISIONCONFLICT", "DECISIONUNUSED", "DECISIONRULE", "DECISIONLOCKED"),
            *("DECISIONNOFINDING", "DECISIONCOUNT"),
            *("DECISIONANALYTE", "DECISIONWINDOWUSE", "DECISIONPOINTS"),
        ),
        _DECISIONS,
    ),
    **dict.fromkeys(("DECISIONFILE", "DECISIONFILEUNKNOWN", "DECISIONCOLUMNS"), _FILES),
}

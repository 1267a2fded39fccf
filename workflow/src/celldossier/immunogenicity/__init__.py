"""Immunogenicity: status of anti-drug antibodies per subject and target, and its rates."""

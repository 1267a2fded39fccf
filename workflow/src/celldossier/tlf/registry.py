"""The drawing functions that ``config/tlfs.yaml`` may name, by their short names.

`draw` in the declaration is a key of `DRAWINGS`: nothing of the config is ever
imported or evaluated. A function is imported when it is first asked for, so that
a run without figures never loads matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType

from celldossier.errors import ConfigError
from celldossier.tlf.model import Drawing

DRAWINGS = MappingProxyType(
    {
        # Tables of the studies, the subjects and the methods (2, 4.3)
        "studies": "tables_study:draw_studies",
        "analysis_sets": "tables_study:draw_analysis_sets",
        "demographics": "tables_study:draw_demographics",
        "evaluation_exclusions": "listings_study:draw_evaluation_exclusions",
        "bioanalytical_methods": "tables_study:draw_bioanalytical_methods",
        # Dose exploration (3)
        "dose_accountability": "tables_dose:draw_dose_accountability",
        "product_attributes": "tables_product:draw_product_attributes",
        "sampling_times": "tables_sampling:draw_sampling_times",
        "sampling_adequacy": "tables_sampling:draw_sampling_adequacy",
        "sampling_listing": "tables_sampling:draw_sampling_listing",
        # Cellular kinetics (4.1)
        "concentrations": "tables_kinetics:draw_concentrations",
        "nca_parameters": "tables_kinetics:draw_nca_parameters",
        "repeat_doses": "tables_repeat_doses:draw_repeat_doses",
        "trend": "tables_trend:draw_trend",
        "nca_definitions": "tables_definitions:draw_nca_definitions",
        "nca_listing": "listings_kinetics:draw_nca_listing",
        "nca_crosswalk": "tables_crosswalk:draw_nca_crosswalk",
        "nca_crosswalk_listing": "tables_crosswalk:draw_nca_crosswalk_listing",
        "phases": "tables_phases:draw_phases",
        "phase_listing": "tables_phases:draw_phase_listing",
        "phase_fits": "figures_phases:draw_phase_fits",
        "individual_profiles": "figures_individual:draw_individual_profiles",
        "spaghetti": "figures_kinetics:draw_spaghetti",
        "mean_profile": "figures_profiles:draw_mean_profile",
        "profile_by_response": "figures_profiles:draw_profile_by_response",
        "persistence": "tables_persistence:draw_persistence",
        "persistence_curve": "figures_persistence:draw_persistence_curve",
        "persistence_groups": "figures_persistence_groups:draw_persistence_groups",
        # Two assays of the cells (4.3)
        "assay_concordance": "tables_assays:draw_assay_concordance",
        "assay_ratio": "tables_assays:draw_assay_ratio",
        "assay_comparison": "figures_assays:draw_assay_comparison",
        "compartments": "tables_compartments:draw_compartments",
        "biodistribution": "figures_compartments:draw_biodistribution",
        # Exposure-response (5)
        "analysis_plan": "tables_exposure_response:draw_analysis_plan",
        "exposure_ratio": "tables_exposure_response:draw_exposure_ratio",
        "logistic_models": "tables_exposure_response:draw_logistic_models",
        "ordinal_models": "tables_exposure_response:draw_ordinal_models",
        "probability": "figures_exposure_response:draw_probability",
        "exposure_by_grade": "figures_exposure_response:draw_exposure_by_grade",
        "event_probability": "figures_exposure_response:draw_event_probability",
        "covariate_forest": "figures_exposure_response:draw_covariate_forest",
        "special_interest": "tables_safety:draw_special_interest",
        "best_response": "tables_outcomes:draw_best_response",
        "time_to_event": "tables_outcomes:draw_time_to_event",
        # Immunogenicity (7)
        "ada_incidence": "tables_immunogenicity:draw_ada_incidence",
        "ada_listing": "tables_immunogenicity:draw_ada_listing",
        "ada_timeline": "figures_immunogenicity:draw_ada_timeline",
        # Other considerations (8)
        "lymphodepletion": "tables_lymphodepletion:draw_lymphodepletion",
    }
)
"""Short name to ``module:function`` within this package."""


def find_drawing(name: str) -> Drawing:
    """The drawing function of that short name.

    Raises
    ------
    ConfigError
        If no function has that name.
    """
    if name not in DRAWINGS:
        raise ConfigError(
            f"tlfs.yaml names the drawing {name}; known are {', '.join(sorted(DRAWINGS))}."
        )
    module, function = DRAWINGS[name].split(":")
    drawing: Drawing = getattr(import_module(f"celldossier.tlf.{module}"), function)
    return drawing

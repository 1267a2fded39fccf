# celldossier: from raw clinical pharmacology data to a bilingual report.
# This is the entry: it names the parts in the order in which they run, and no more.
from snakemake.utils import min_version

min_version("9.27")


# A study's own config stands alone: were the example merged under it, a section
# that the study leaves out would silently get the example's values.
if not workflow.config_settings.configfiles:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"


pathvars:
    results=f"results/{config['run']}",
    logs=f"logs/{config['run']}",
    benchmarks=f"benchmarks-run/{config['run']}",


include: "workflow/rules/settings.smk"
include: "workflow/rules/study_data.smk"
include: "workflow/rules/cellular_kinetics.smk"
include: "workflow/rules/pharmacodynamics.smk"
include: "workflow/rules/dose_exploration.smk"
include: "workflow/rules/immunogenicity.smk"
include: "workflow/rules/exposure_response.smk"
include: "workflow/rules/special_considerations.smk"
include: "workflow/rules/comparability.smk"
include: "workflow/rules/tlf.smk"
include: "workflow/rules/run_comparison.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/manifest.smk"


rule all:
    default_target: True
    input:
        "<results>/manifest.json",


# Named targets for a part of the work.
rule check:
    input:
        "<results>/checks/gate.json",


rule kinetics:
    input:
        "<results>/adam/ADPP.parquet",
        "<results>/ard/cellular_kinetics.parquet",


rule report:
    input:
        expand("<results>/report/{lang}/clinical-pharmacology-report.pdf", lang=LANGUAGES),

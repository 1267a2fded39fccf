# Needs: tlf/<lang>, analysis results, checks, all settings, templates, the guideline's clauses,
#        the comparison with the reference run where the config names one.
# Makes: report/clause_matrix.csv, report/<lang>/clinical-pharmacology-report.{html,pdf}.


rule clause_matrix:
    input:
        "<results>/adam/ADSL.parquet",
        "<results>/adam/ADEX.parquet",
        expand("<results>/tlf/{lang}", lang=LANGUAGES),
        # Of the keys of the run, the matrix follows from the guideline alone (see params): another
        # reference_run changes the file and not the matrix.
        ancient("<results>/settings/run.json"),
        settings=get_section_settings(*SECTIONS),
        sources=get_sources("report"),
        resources=get_files("resources/guideline", "*.yaml")
        + get_files("resources/terms", "reason_codes.yaml")
        + get_files("report_templates", "terms.po"),
    output:
        "<results>/report/clause_matrix.csv",
    log:
        "<logs>/clause_matrix.log",
    benchmark:
        "<benchmarks>/clause_matrix.tsv"
    conda:
        "../../environment.yml"
    params:
        run=get_run_folder,
        guideline=SETTINGS.guideline_version,
    shell:
        "celldossier report clauses --run {params.run:q} > {log:q} 2>&1"


rule render_report:
    input:
        "<results>/tlf/{lang}",
        "<results>/report/clause_matrix.csv",
        get_datasets(*STAGES),
        expand("<results>/ard/{stage}.parquet", stage=list(STAGES)),
        checks=CHECKED,
        comparison=COMPARISON if SETTINGS.reference_run else [],
        settings=get_section_settings(*SECTIONS, "run"),
        raw=RAW_FILES + DECISION_FILES,
        sources=get_sources("report"),
        resources=get_files("resources/guideline", "*.yaml")
        + get_files("resources/terms", "*.yaml")
        + get_files("resources/datasets", "*.yaml")
        + get_files("report_templates", "*.j2", "*.css", "*.po"),
    output:
        "<results>/report/{lang}/clinical-pharmacology-report.html",
        "<results>/report/{lang}/clinical-pharmacology-report.pdf",
    log:
        "<logs>/report/{lang}.log",
    benchmark:
        "<benchmarks>/report/{lang}.tsv"
    conda:
        "../../environment.yml"
    params:
        run=get_run_folder,
    shell:
        "celldossier report render --run {params.run:q} --lang {wildcards.lang} > {log:q} 2>&1"

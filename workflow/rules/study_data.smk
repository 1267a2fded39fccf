# Needs: the raw files and the folder of decisions that the config names, settings/{study,bioanalysis,study_data}.json.
# Makes: adam/AD*.parquet, checks/{findings,exclusions,accounting}.csv, checks/gate.json,
#        checks/decisions.csv, checks/findings.{zh,en}.html, ard/study_data.parquet. The derivation keeps its findings whatever they are; the gate
#        after it stops the run where there are errors.


rule study_data:
    input:
        settings=get_section_settings("study", "bioanalysis", "study_data"),
        raw=RAW_FILES,
        decisions=DECISION_FILES,
        sources=get_sources("study_data"),
        resources=get_files("resources/datasets", "*.yaml")
        + get_files("resources/terms", "*.yaml")
        + get_files("report_templates", "findings.*", "checks.html.j2", "*.po"),
    output:
        get_datasets("study_data"),
        CHECKED,
        FINDINGS_PAGES,
    log:
        "<logs>/study_data.log",
    benchmark:
        "<benchmarks>/study_data.tsv"
    conda:
        "../../environment.yml"
    params:
        run=get_run_folder,
    shell:
        "celldossier study_data derive --run {params.run:q} > {log:q} 2>&1"


rule gate:
    input:
        "<results>/checks/findings.csv",
        sources=get_sources("study_data"),
    output:
        "<results>/checks/gate.json",
    log:
        "<logs>/gate.log",
    benchmark:
        "<benchmarks>/gate.tsv"
    conda:
        "../../environment.yml"
    params:
        run=get_run_folder,
    shell:
        "celldossier study_data gate --run {params.run:q} > {log:q} 2>&1"


rule study_data_summary:
    input:
        "<results>/adam/ADSL.parquet",
        "<results>/adam/ADAESI.parquet",
        "<results>/adam/ADLD.parquet",
        "<results>/adam/ADPQ.parquet",
        "<results>/adam/ADEX.parquet",
        "<results>/adam/ADRS.parquet",
        "<results>/adam/ADTTE.parquet",
        "<results>/adam/ADRUN.parquet",
        "<results>/adam/ADSAMP.parquet",
        "<results>/checks/findings.csv",
        "<results>/checks/exclusions.csv",
        "<results>/checks/accounting.csv",
        gate="<results>/checks/gate.json",
        settings=get_section_settings("study", "bioanalysis", "study_data"),
        sources=get_sources("study_data"),
        resources=get_files("resources/datasets", "*.yaml") + get_files("resources/terms", "*.yaml"),
    output:
        get_results("study_data"),
    log:
        "<logs>/study_data_summary.log",
    benchmark:
        "<benchmarks>/study_data_summary.tsv"
    conda:
        "../../environment.yml"
    params:
        run=get_run_folder,
    shell:
        "celldossier study_data summarise --run {params.run:q} > {log:q} 2>&1"

# Needs: everything that the run makes.
# Makes: manifest.json, the SHA-256 of each file of the run, with a record of this run.


rule manifest:
    input:
        expand("<results>/report/{lang}/clinical-pharmacology-report.pdf", lang=LANGUAGES),
        expand("<results>/report/{lang}/clinical-pharmacology-report.html", lang=LANGUAGES),
        "<results>/report/clause_matrix.csv",
        expand("<results>/tlf/{lang}", lang=LANGUAGES),
        get_datasets(*STAGES),
        get_results(*STAGES),
        "<results>/checks/gate.json",
        checks=CHECKED,
        pages=FINDINGS_PAGES,
        settings=get_section_settings(*SECTIONS, "run"),
        sources=get_sources("manifest"),
    output:
        "<results>/manifest.json",
    log:
        "<logs>/manifest.log",
    benchmark:
        "<benchmarks>/manifest.tsv"
    conda:
        "../../environment.yml"
    params:
        run=get_run_folder,
    shell:
        "celldossier manifest --run {params.run:q} > {log:q} 2>&1"

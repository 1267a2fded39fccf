# Needs: everything that the run makes, and everything that it is made from.
# Makes: manifest.json, the SHA-256 of each file of the run, of its inputs and of the program.


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
        comparison=COMPARISON if SETTINGS.reference_run else [],
        tlfs="config/tlfs.yaml",
        raw=RAW_FILES + DECISION_FILES,
        sources=[LOCK, *get_files(str(PACKAGE), "*.py")],
        resources=get_program_files(),
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
        "celldossier manifest --run {params.run:q} --tlfs {input.tlfs:q} > {log:q} 2>&1"

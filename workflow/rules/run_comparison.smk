# Needs: all that the run has made before its report, what it was made from, and the frozen run that
#        reference_run names.
# Makes: comparison/{differences.csv,differences.json,en.html,zh.html}: what differs, and why.


rule compare_runs:
    input:
        get_datasets(*STAGES),
        get_results(*STAGES),
        expand("<results>/tlf/{lang}", lang=LANGUAGES),
        "<results>/report/clause_matrix.csv",
        checks=CHECKED,
        settings=get_section_settings(*SECTIONS, "run"),
        reference=REFERENCE_FILES,
        raw=RAW_FILES + DECISION_FILES,
        tlfs="config/tlfs.yaml",
        sources=[LOCK, *get_files(str(PACKAGE), "*.py")],
        resources=get_program_files(),
    output:
        COMPARISON,
    log:
        "<logs>/compare_runs.log",
    benchmark:
        "<benchmarks>/compare_runs.tsv"
    conda:
        "../../environment.yml"
    params:
        run=get_run_folder,
    shell:
        "celldossier run_comparison compare --run {params.run:q} --tlfs {input.tlfs:q}"
        " > {log:q} 2>&1"

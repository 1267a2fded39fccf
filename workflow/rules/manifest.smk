# Needs: everything that the run makes.
# Makes: manifest.json, the SHA-256 of each file of the run, with a record of this run.


rule manifest:
    input:
        expand("<results>/report/{lang}/clinical-pharmacology-report.pdf", lang=LANGUAGES),
        expand("<results>/report/{lang}/clinical-pharmacology-report.html", lang=LANGUAGES),
        "<results>/report/clause_matrix.csv",
        sources=get_sources("report"),
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

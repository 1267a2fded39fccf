# Needs: all datasets and analysis results, all settings, config/tlfs.yaml, terms and styles.
# Makes: tlf/<lang>/: each table, listing and figure, and tlfs.json; one job a language.


rule tlf:
    input:
        get_datasets(*STAGES),
        get_results(*STAGES),
        checks=CHECKED,
        settings=get_section_settings(*SECTIONS),
        tlfs="config/tlfs.yaml",
        sources=get_sources("tlf"),
        resources=get_files("resources/terms", "*.yaml")
        + get_files("resources/datasets", "*.yaml")
        + get_files(
            "report_templates",
            "terms.po",
            "*.css",
            "*.mplstyle",
            "tlf.html.j2",
            "tlf_page.html.j2",
        ),
    output:
        report(
            directory("<results>/tlf/{lang}"),
            patterns=["{id}.html"],
            category="Tables, listings and figures",
            labels={"output": "{id}", "language": "{lang}"},
            caption="../report/tlf.rst",
        ),
    log:
        "<logs>/tlf/{lang}.log",
    benchmark:
        "<benchmarks>/tlf/{lang}.tsv"
    conda:
        "../../environment.yml"
    params:
        run=get_run_folder,
    shell:
        "celldossier tlf render --run {params.run:q} --lang {wildcards.lang}"
        " --tlfs {input.tlfs:q} > {log:q} 2>&1"

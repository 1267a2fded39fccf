# Needs: adam/{ADSL,ADEX}.parquet, the gate, settings/{dose_exploration}.json.
# Makes: ard/dose_exploration.parquet.


rule dose_exploration:
    input:
        "<results>/adam/ADSL.parquet",
        "<results>/adam/ADEX.parquet",
        gate="<results>/checks/gate.json",
        settings=get_section_settings("dose_exploration"),
        sources=get_sources("dose_exploration"),
        resources=get_files("resources/datasets", "*.yaml") + get_files("resources/terms", "*.yaml"),
    output:
        "<results>/ard/dose_exploration.parquet",
    log:
        "<logs>/dose_exploration.log",
    benchmark:
        "<benchmarks>/dose_exploration.tsv"
    conda:
        "../../environment.yml"
    params:
        run=get_run_folder,
    shell:
        "celldossier dose_exploration summarise --run {params.run:q} > {log:q} 2>&1"

# Needs: adam/{ADSL,ADEX,ADPC,ADPP,ADPD,ADCM,ADAE,ADAESI,ADRS,ADTTE}.parquet, the gate,
#        settings/{pharmacodynamics}.json.
# Makes: the datasets and analysis results that celldossier.io.stages names.


rule pharmacodynamics:
    input:
        "<results>/adam/ADSL.parquet",
        "<results>/adam/ADEX.parquet",
        "<results>/adam/ADPC.parquet",
        "<results>/adam/ADPP.parquet",
        "<results>/adam/ADPD.parquet",
        "<results>/adam/ADCM.parquet",
        "<results>/adam/ADAE.parquet",
        "<results>/adam/ADAESI.parquet",
        "<results>/adam/ADRS.parquet",
        "<results>/adam/ADTTE.parquet",
        gate="<results>/checks/gate.json",
        settings=get_section_settings("pharmacodynamics"),
        sources=get_sources("pharmacodynamics"),
        resources=get_files("resources/datasets", "*.yaml") + get_files("resources/terms", "*.yaml"),
    output:
        get_datasets("pharmacodynamics"),
        get_results("pharmacodynamics"),
    log:
        "<logs>/pharmacodynamics.log",
    benchmark:
        "<benchmarks>/pharmacodynamics.tsv"
    conda:
        "../../environment.yml"
    params:
        run=get_run_folder,
    shell:
        "celldossier pharmacodynamics summarise --run {params.run:q} > {log:q} 2>&1"

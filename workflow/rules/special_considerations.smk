# Needs: adam/{ADSL,ADPP,ADRS,ADAE,ADAESI,ADLD,ADPC,ADPD,ADPQ,ADCM}.parquet, the gate, settings/{special_considerations,cellular_kinetics}.json.
# Makes: the analysis results that celldossier.io.stages names.


rule special_considerations:
    input:
        "<results>/adam/ADSL.parquet",
        "<results>/adam/ADPP.parquet",
        "<results>/adam/ADRS.parquet",
        "<results>/adam/ADAE.parquet",
        "<results>/adam/ADAESI.parquet",
        "<results>/adam/ADLD.parquet",
        "<results>/adam/ADPC.parquet",
        "<results>/adam/ADPD.parquet",
        "<results>/adam/ADPQ.parquet",
        "<results>/adam/ADCM.parquet",
        gate="<results>/checks/gate.json",
        settings=get_section_settings("special_considerations", "cellular_kinetics"),
        sources=get_sources("special_considerations"),
        resources=get_files("resources/datasets", "*.yaml") + get_files("resources/terms", "*.yaml"),
    output:
        get_results("special_considerations"),
    log:
        "<logs>/special_considerations.log",
    benchmark:
        "<benchmarks>/special_considerations.tsv"
    conda:
        "../../environment.yml"
    params:
        run=get_run_folder,
    shell:
        "celldossier special_considerations summarise --run {params.run:q} > {log:q} 2>&1"

# Needs: adam/{ADSL,ADEX,ADPC,ADPP,ADAE,ADAESI,ADFA,ADRS,ADTTE,ADCM,ADPD,ADPQ,ADTISS}.parquet, the gate,
#        settings/{exposure_response}.json.
# Makes: the datasets and analysis results that celldossier.io.stages names.


rule exposure_response:
    input:
        "<results>/adam/ADSL.parquet",
        "<results>/adam/ADEX.parquet",
        "<results>/adam/ADPC.parquet",
        "<results>/adam/ADPP.parquet",
        "<results>/adam/ADAE.parquet",
        "<results>/adam/ADAESI.parquet",
        "<results>/adam/ADFA.parquet",
        "<results>/adam/ADRS.parquet",
        "<results>/adam/ADTTE.parquet",
        "<results>/adam/ADCM.parquet",
        "<results>/adam/ADPD.parquet",
        "<results>/adam/ADPQ.parquet",
        "<results>/adam/ADTISS.parquet",
        gate="<results>/checks/gate.json",
        settings=get_section_settings("exposure_response"),
        sources=get_sources("exposure_response"),
        resources=get_files("resources/datasets", "*.yaml") + get_files("resources/terms", "*.yaml"),
    output:
        get_datasets("exposure_response"),
        get_results("exposure_response"),
    log:
        "<logs>/exposure_response.log",
    benchmark:
        "<benchmarks>/exposure_response.tsv"
    conda:
        "../../environment.yml"
    params:
        run=get_run_folder,
    shell:
        "celldossier exposure_response estimate --run {params.run:q} > {log:q} 2>&1"

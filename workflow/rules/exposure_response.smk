# Needs: adam/{ADSL,ADEX,ADPC,ADPP,ADAE,ADFA,ADRS,ADCM,ADPQ}.parquet, the gate, settings/{exposure_response}.json.
# Makes: adam/ADER.parquet, ard/exposure_response.parquet, ard/exposure_response_curves.parquet.


rule exposure_response:
    input:
        "<results>/adam/ADSL.parquet",
        "<results>/adam/ADEX.parquet",
        "<results>/adam/ADPC.parquet",
        "<results>/adam/ADPP.parquet",
        "<results>/adam/ADAE.parquet",
        "<results>/adam/ADFA.parquet",
        "<results>/adam/ADRS.parquet",
        "<results>/adam/ADCM.parquet",
        "<results>/adam/ADPQ.parquet",
        gate="<results>/checks/gate.json",
        settings=get_section_settings("exposure_response"),
        sources=get_sources("exposure_response"),
        resources=get_files("resources/datasets", "*.yaml") + get_files("resources/terms", "*.yaml"),
    output:
        "<results>/adam/ADER.parquet",
        "<results>/ard/exposure_response.parquet",
        "<results>/ard/exposure_response_curves.parquet",
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

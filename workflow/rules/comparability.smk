# Needs: adam/{ADSL,ADEX,ADPQ,ADPC,ADPP,ADPPB,ADPDP,ADRS,ADAE,ADAESI}.parquet, ard/cellular_kinetics.parquet, the gate, settings/{comparability,cellular_kinetics}.json.
# Makes: the analysis results that celldossier.io.stages names.


rule comparability:
    input:
        "<results>/adam/ADSL.parquet",
        "<results>/adam/ADEX.parquet",
        "<results>/adam/ADPQ.parquet",
        "<results>/adam/ADPC.parquet",
        "<results>/adam/ADPP.parquet",
        "<results>/adam/ADPPB.parquet",
        "<results>/adam/ADPDP.parquet",
        "<results>/adam/ADRS.parquet",
        "<results>/adam/ADAE.parquet",
        "<results>/adam/ADAESI.parquet",
        "<results>/ard/cellular_kinetics.parquet",
        gate="<results>/checks/gate.json",
        settings=get_section_settings("comparability", "cellular_kinetics"),
        sources=get_sources("comparability"),
        resources=get_files("resources/datasets", "*.yaml") + get_files("resources/terms", "*.yaml"),
    output:
        get_results("comparability"),
    log:
        "<logs>/comparability.log",
    benchmark:
        "<benchmarks>/comparability.tsv"
    conda:
        "../../environment.yml"
    params:
        run=get_run_folder,
    shell:
        "celldossier comparability compare --run {params.run:q} > {log:q} 2>&1"

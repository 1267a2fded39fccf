# Needs: adam/{ADSL,ADEX,ADPQ,ADAE,ADAESI,ADRS,ADPP,ADPD,ADPDP}.parquet, the gate,
#        settings/{dose_exploration,study_data}.json.
# Makes: the datasets and analysis results that celldossier.io.stages names.


rule dose_exploration:
    input:
        "<results>/adam/ADSL.parquet",
        "<results>/adam/ADEX.parquet",
        "<results>/adam/ADPQ.parquet",
        "<results>/adam/ADAE.parquet",
        "<results>/adam/ADAESI.parquet",
        "<results>/adam/ADRS.parquet",
        "<results>/adam/ADPP.parquet",
        "<results>/adam/ADPD.parquet",
        "<results>/adam/ADPDP.parquet",
        gate="<results>/checks/gate.json",
        settings=get_section_settings("dose_exploration", "study_data"),
        sources=get_sources("dose_exploration"),
        resources=get_files("resources/datasets", "*.yaml") + get_files("resources/terms", "*.yaml"),
    output:
        get_datasets("dose_exploration"),
        get_results("dose_exploration"),
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

# Needs: adam/{ADSL,ADEX,ADPC,ADRS,ADCM,ADPD,ADTTE,ADBRG}.parquet, the gate, settings/cellular_kinetics.json.
# Makes: the datasets and analysis results that celldossier.io.stages names.


rule cellular_kinetics:
    input:
        "<results>/adam/ADSL.parquet",
        "<results>/adam/ADEX.parquet",
        "<results>/adam/ADPC.parquet",
        "<results>/adam/ADRS.parquet",
        "<results>/adam/ADCM.parquet",
        "<results>/adam/ADPD.parquet",
        "<results>/adam/ADTTE.parquet",
        "<results>/adam/ADBRG.parquet",
        gate="<results>/checks/gate.json",
        settings=get_section_settings("cellular_kinetics"),
        half_life=HALF_LIFE_FILES,
        sources=get_sources("cellular_kinetics"),
        resources=get_files("resources/datasets", "*.yaml") + get_files("resources/terms", "*.yaml"),
    output:
        get_datasets("cellular_kinetics"),
        get_results("cellular_kinetics"),
    log:
        "<logs>/cellular_kinetics.log",
    benchmark:
        "<benchmarks>/cellular_kinetics.tsv"
    conda:
        "../../environment.yml"
    params:
        run=get_run_folder,
        half_life=[f"--half-life={file}" for file in HALF_LIFE_FILES],
    shell:
        "celldossier cellular_kinetics estimate --run {params.run:q} {params.half_life:q}"
        " > {log:q} 2>&1"

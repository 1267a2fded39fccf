# Needs: adam/{ADSL,ADEX,ADPC,ADRS,ADCM,ADPD,ADTTE}.parquet, the gate, settings/cellular_kinetics.json.
# Makes: adam/ADNCA.parquet, adam/ADPP.parquet, adam/ADLZ.parquet, adam/ADPH.parquet, adam/ADPPX.parquet, adam/ADPAIR.parquet, adam/ADPERS.parquet, adam/ADTISS.parquet, ard/cellular_kinetics.parquet, ard/cellular_kinetics_curves.parquet.


rule cellular_kinetics:
    input:
        "<results>/adam/ADSL.parquet",
        "<results>/adam/ADEX.parquet",
        "<results>/adam/ADPC.parquet",
        "<results>/adam/ADRS.parquet",
        "<results>/adam/ADCM.parquet",
        "<results>/adam/ADPD.parquet",
        "<results>/adam/ADTTE.parquet",
        gate="<results>/checks/gate.json",
        settings=get_section_settings("cellular_kinetics"),
        half_life=HALF_LIFE_FILES,
        sources=get_sources("cellular_kinetics"),
        resources=get_files("resources/datasets", "*.yaml") + get_files("resources/terms", "*.yaml"),
    output:
        "<results>/adam/ADNCA.parquet",
        "<results>/adam/ADPP.parquet",
        "<results>/adam/ADLZ.parquet",
        "<results>/adam/ADPH.parquet",
        "<results>/adam/ADSA.parquet",
        "<results>/adam/ADPPX.parquet",
        "<results>/adam/ADPAIR.parquet",
        "<results>/adam/ADTISS.parquet",
        "<results>/adam/ADPERS.parquet",
        "<results>/ard/cellular_kinetics.parquet",
        "<results>/ard/cellular_kinetics_curves.parquet",
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

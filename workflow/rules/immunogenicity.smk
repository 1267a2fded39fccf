# Needs: adam/{ADSL,ADAB,ADCM,ADPD,ADPC,ADPP,ADPAIR,ADTTE,ADEX,ADAESI}.parquet, the gate,
#        settings/{study,bioanalysis,immunogenicity}.json.
# Makes: the datasets and analysis results that celldossier.io.stages names.


rule immunogenicity:
    input:
        "<results>/adam/ADSL.parquet",
        "<results>/adam/ADAB.parquet",
        "<results>/adam/ADCM.parquet",
        "<results>/adam/ADPD.parquet",
        "<results>/adam/ADPP.parquet",
        "<results>/adam/ADPAIR.parquet",
        "<results>/adam/ADTTE.parquet",
        "<results>/adam/ADEX.parquet",
        "<results>/adam/ADAESI.parquet",
        "<results>/adam/ADPC.parquet",
        gate="<results>/checks/gate.json",
        settings=get_section_settings("study", "bioanalysis", "immunogenicity"),
        sources=get_sources("immunogenicity"),
        resources=get_files("resources/datasets", "*.yaml") + get_files("resources/terms", "*.yaml"),
    output:
        get_datasets("immunogenicity"),
        get_results("immunogenicity"),
    log:
        "<logs>/immunogenicity.log",
    benchmark:
        "<benchmarks>/immunogenicity.tsv"
    conda:
        "../../environment.yml"
    params:
        run=get_run_folder,
    shell:
        "celldossier immunogenicity summarise --run {params.run:q} > {log:q} 2>&1"

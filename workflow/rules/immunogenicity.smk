# Needs: adam/{ADSL,ADAB}.parquet, the gate, settings/{immunogenicity}.json.
# Makes: adam/ADIM.parquet, ard/immunogenicity.parquet.


rule immunogenicity:
    input:
        "<results>/adam/ADSL.parquet",
        "<results>/adam/ADAB.parquet",
        gate="<results>/checks/gate.json",
        settings=get_section_settings("immunogenicity"),
        sources=get_sources("immunogenicity"),
        resources=get_files("resources/datasets", "*.yaml") + get_files("resources/terms", "*.yaml"),
    output:
        "<results>/adam/ADIM.parquet",
        "<results>/ard/immunogenicity.parquet",
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

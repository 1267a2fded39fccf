# Needs: the effective config (checked in common.smk).
# Makes: settings/<section>.json, one file a section, so that a change re-runs only its dependents.


rule settings:
    output:
        ensure("<results>/settings/{section}.json", non_empty=True),
    log:
        "<logs>/settings/{section}.log",
    benchmark:
        "<benchmarks>/settings/{section}.tsv"
    conda:
        "../../environment.yml"
    params:
        content=lambda wildcards: canonical_json(EFFECTIVE[wildcards.section], ascii_only=True),
    shell:
        "printf '%s\\n' {params.content:q} > {output:q} 2> {log:q}"

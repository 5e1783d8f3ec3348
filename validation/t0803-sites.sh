#!/bin/sh
# t0803-sites.sh - what pipeline.sh would submit at the sites that have a file.
. "$SRCDIR/validation/lib.sh"
bash --version >/dev/null 2>&1 || skip_all "no bash here"
SRCDIR=$(realpath "$SRCDIR") # as pipeline.sh names its own place
HOME=$tap_dir # no site.env of the tester's
export HOME

cat >p.cfg <<'CFG'
pipeline: { steps = ["import", "generate", "reformat", "grade", "select", "sft",
                     "evaluate", "report"]; };
CFG
# The lines of a chain at SITE.
chain() {
    SEXTANT_SITE=$SRCDIR/slurm/sites/$1.env "$SRCDIR/slurm/pipeline.sh" -n \
        p.cfg run
}
option() { # NAME: its value in the site's file
    # shellcheck source=/dev/null
    (. "$SRCDIR/slurm/sites/$site.env" && eval "echo \"\$$1\"")
}
counts() { # N TEXT: lines of the chain with it
    [ "$(grep -cF -- "$2" chain.txt)" = "$1" ]
}

for file in "$SRCDIR"/slurm/sites/*.env; do
    site=$(basename "$file" .env)
    ok "$site: a chain" chain "$site"
    cp tap.out chain.txt
    ok "$site: eight steps, and one that joins the shards" counts 9 sbatch
    ok "$site: each waits for the one before" counts 8 "dependency=afterok:JOB"
    ok "$site: training as the site says" \
        counts 1 "$(option SEXTANT_SFT) $SRCDIR/slurm/sft.sh"
    ok "$site: generation in shards" counts 1 \
        "$(option SEXTANT_GENERATE) --array=0-$(($(option SEXTANT_SHARDS) - 1)) "
    ok "$site: grading as the site says" \
        counts 1 "$(option SEXTANT_GRADE) $SRCDIR/slurm/grade.sh"
    ok "$site: what sbatch reads itself is handed on" test -n \
        "$(option SBATCH_ACCOUNT)" -a -n "$(option SBATCH_SIGNAL)"
    # Each setting has its reason above it, or above its group.
    ok "$site: lines are settings, comments or empty" \
        sh -c '! grep -vE "^(#.*|(export )?[A-Za-z_]+=.*|)$" "$1"' sh "$file"
done
done_testing

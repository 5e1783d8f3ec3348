/* examples.c - what `sextant COMMAND --help` shows of a command's use. */
#include <string.h>

#include "app/cli.h"

static const struct {
    const char *command, *lines;
} examples[] = {
    { "import",
      "  sextant import -o run -s datasets=gsm8k train.jsonl.gz\n"
      "  sextant import -o run --datasets ./mine.cfg --limit 100 mine.json\n"
      "Data sets that are known by name: share/sextant/datasets/.\n" },
    { "generate",
      "  mpirun -n 8 sextant generate -o run --model ./teacher.h5 --n 4\n"
      "  sextant generate my.cfg -o run -n          # what would it take?\n"
      "  sextant generate -o run --sources gsm8k --limit 10 \\\n"
      "          -s sampling.temperature=0\n"
      "Interrupted, the same command goes on where it was.\n" },
    { "reformat",
      "  sextant reformat -o run\n"
      "  mpirun -n 8 sextant reformat -o run --model ./rewriter.h5\n" },
    { "grade",
      "  mpirun -n 8 sextant grade -o run --generations traces.h5\n"
      "  sextant grade -o run --responses ./answers.jsonl\n"
      "  sextant grade --explain run/verdicts.h5 gsm8k/1    # why?\n" },
    { "select", "  sextant select -o run --per_problem 2 --prefer shortest\n"
                "  sextant select -o run --quotas math:4000,aime:2500\n" },
    { "sft",
      "  mpirun -n 8 sextant sft my.cfg -o run --model ./base.h5\n"
      "  sextant sft -o run --epochs 1 --lr 2e-5 -s schedule.kind=wsd\n"
      "Interrupted, the same command goes on from its last checkpoint.\n" },
    { "evaluate", "  mpirun -n 8 sextant evaluate -o run --model model.h5\n"
                  "  sextant evaluate -o run --generations ./answers.jsonl\n" },
    { "report",
      "  sextant report -o run                      # run/report.html\n" },
    { "pipeline",
      "  mpirun -n 8 sextant pipeline my.cfg -o run\n"
      "  sextant pipeline my.cfg -o run -n          # what is to be done?\n"
      "  sextant pipeline my.cfg -o run grade select\n" },
    { "status", "  sextant status run\n"
                "  sextant status run --watch 5\n"
                "  sextant status run --json\n" },
    { "solve", "  sextant solve model.h5 \"What is 17 * 23?\"\n"
               "  sextant solve model.h5 prompts.jsonl >answers.jsonl\n"
               "  echo \"Name a prime.\" | sextant solve model.h5 -\n" },
    { "equal", "  sextant equal '1/2' '\\frac{2}{4}'\n"
               "  sextant equal --text 7 'So the answer is \\boxed{7}.'\n"
               "  sextant equal --jsonl ./pairs.jsonl\n" },
    { "probe",
      "  sextant probe --model model.h5 --input ./texts.jsonl --gradients\n" },
    { "diff", "  sextant diff reference.h5 run/model.h5\n" },
    { "convert", "  sextant convert Qwen2.5-0.5B-Instruct base.h5\n"
                 "  sextant convert run/model.h5 my-model      # for "
                 "Transformers, vLLM\n" },
    { "quantize", "  sextant quantize teacher.h5 teacher-int8.h5\n"
                  "  sextant quantize teacher.h5 teacher-nf4.h5 --type nf4\n" },
    { "info", "  sextant info run/verdicts.h5\n"
              "  sextant info                               # all formats\n" },
    { "plan", "  sextant plan my.cfg -o run\n" },
    { "doctor", "  mpirun -n 2 sextant doctor -o run\n" },
    { NULL, NULL },
};

const char *sxt_cli_examples(const char *command)
{
    for (size_t i = 0; examples[i].command; i++)
        if (strcmp(examples[i].command, command) == 0)
            return examples[i].lines;
    return NULL;
}

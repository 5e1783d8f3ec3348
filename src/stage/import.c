/* import.c - files of known shapes into problems.h5.
 *
 * A file is read by one rank, and consecutive files by consecutive ranks, so
 * the rows are in the order of the files on any number of ranks. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "stage/formats.h"
#include "stage/stages.h"
#include "stage/status.h"
#include "task/codetest.h"
#include "task/import.h"

enum { SHOWN_FAULTS = 20 };

struct values {
    struct sxt_cfg_strings files, datasets, splits;
    char *output, *on_error;
    int64_t limit;
};

#define AT(member) offsetof(struct values, member)
static const struct sxt_cfg_param params[] = {
    { "files", SXT_CFG_STRINGS, "", 0, 0, "1",
      "JSONL or JSON files, also compressed; operands are added to them.",
      AT(files), NULL, NULL },
    { "datasets", SXT_CFG_STRINGS, "generic", 0, 0, "1",
      "What the files are: a name under datasets/ or the path of a .cfg file; "
      "one for all files or one for each.",
      AT(datasets), NULL, NULL },
    { "splits", SXT_CFG_STRINGS, "", 0, 0, "1",
      "Part of its data set that a file is, train or test: one for all or one "
      "for each; empty: as the data set says.",
      AT(splits), NULL, NULL },
    { "output", SXT_CFG_STRING, "problems.h5", 0, 0, "1", "File to write.",
      AT(output), NULL, NULL },
    { "on_error", SXT_CFG_CHOICE, "stop", 0, 0, "1",
      "Unusable and repeated records: write nothing, or leave them out.",
      AT(on_error), "stop|skip", NULL },
    { "limit", SXT_CFG_INT, "0", 0, 1e12, "problems",
      "Problems taken from each file; 0: all.", AT(limit), NULL, NULL },
    { .name = NULL }
};

/* A file to import. */
struct source {
    char *path;              /* owned */
    const char *split;       /* NULL: as the data set says */
    char *dataset_path;      /* owned */
    struct sxt_dataset *set; /* owned */
};

/* A rank's work. */
struct job {
    const struct values *values;
    struct source *sources;
    size_t n_sources;
    struct sxt_frame *rows;
    struct sxt_str places; /* "ID\0FILE:LINE\0" for each row */
    struct sxt_str faults; /* the first SHOWN_FAULTS, a line each */
    int64_t n_faults, n_records;
};

/* ---- what is to be imported */

/* A name stands for the file that is installed under that name. */
static char *dataset_path(const struct sxt_run *run, const char *name)
{
    if (strchr(name, '/') || sxt_ends_with(name, ".cfg"))
        return sxt_run_path(run, name);
    char *file = sxt_printf("datasets/%s.cfg", name);
    char *path = sxt_file_data(file);
    free(file);
    return path;
}

static int load_dataset(struct source *s, struct sxt_error *err)
{
    static const struct sxt_cfg_section *const known[] = { &sxt_dataset_section,
                                                           NULL };
    void *set = NULL;

    if (sxt_cfg_read(s->dataset_path, &sxt_dataset_section, known, NULL, 0,
                     &set, err) != 0)
        return -1;
    s->set = set;
    return sxt_import_check(s->set, err) == 0
               ? 0
               : sxt_err_prefix(err, "%s", s->dataset_path);
}

/* The n-th of one for all or one for each of n files. */
static const char *of_file(const struct sxt_cfg_strings *list, size_t i)
{
    return list->items[list->count > 1 ? i : 0];
}

static int check_lists(const struct values *v, size_t n, struct sxt_error *err)
{
    const struct {
        const char *name;
        const struct sxt_cfg_strings *list;
        bool optional;
    } lists[] = { { "datasets", &v->datasets, false },
                  { "splits", &v->splits, true } };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        size_t count = lists[i].list->count;
        if (count != 1 && count != n && !(count == 0 && lists[i].optional))
            return sxt_err(err, SXT_EXIT_CONFIG,
                           "import.%s has %zu names for %zu files: give one "
                           "for all, or one for each",
                           lists[i].name, count, n);
    }
    for (size_t i = 0; i < v->splits.count; i++)
        if (strcmp(v->splits.items[i], "train") != 0 &&
            strcmp(v->splits.items[i], "test") != 0)
            return sxt_err(err, SXT_EXIT_CONFIG,
                           "import.splits: \"%s\" is neither train nor test",
                           v->splits.items[i]);
    return 0;
}

static int load_sources(struct job *job, const struct sxt_run *run,
                        struct sxt_error *err)
{
    const struct sxt_cfg_strings *files = &job->values->files;
    const struct sxt_cfg_strings *splits = &job->values->splits;
    size_t n = files->count + run->n_args;

    if (n == 0)
        return sxt_err(err, SXT_EXIT_USAGE,
                       "no file to import: name some, or set import.files");
    if (check_lists(job->values, n, err) != 0)
        return -1;
    job->sources = sxt_calloc(n, sizeof(*job->sources));
    job->n_sources = n;
    for (size_t i = 0; i < n; i++) {
        struct source *s = &job->sources[i];
        s->path = i < files->count ? sxt_run_path(run, files->items[i])
                                   : sxt_strdup(run->args[i - files->count]);
        s->dataset_path = dataset_path(run, of_file(&job->values->datasets, i));
        s->split = splits->count ? of_file(splits, i) : NULL;
        if (load_dataset(s, err) != 0)
            return -1;
    }
    return 0;
}

static void job_free(struct job *job)
{
    for (size_t i = 0; i < job->n_sources; i++) {
        free(job->sources[i].path);
        free(job->sources[i].dataset_path);
        if (job->sources[i].set)
            sxt_cfg_free(&sxt_dataset_section, job->sources[i].set);
    }
    free(job->sources);
    sxt_frame_destroy(job->rows);
    sxt_str_free(&job->places);
    sxt_str_free(&job->faults);
}

/* ---- reading */

static void add_fault(struct job *job, const char *text)
{
    if (job->n_faults++ < SHOWN_FAULTS)
        sxt_str_add(&job->faults, "%s\n", text);
}

static void add_row(struct job *job, const struct source *s,
                    const struct sxt_problem *p)
{
    const struct {
        enum sxt_problem_column column;
        const struct sxt_str *text;
    } fields[] = { { SXT_PROBLEM_ID, &p->id },
                   { SXT_PROBLEM_DIFFICULTY, &p->difficulty },
                   { SXT_PROBLEM_QUESTION, &p->question },
                   { SXT_PROBLEM_PROMPT, &p->prompt },
                   { SXT_PROBLEM_ANSWER, &p->answer },
                   { SXT_PROBLEM_CHOICES, &p->choices },
                   { SXT_PROBLEM_STARTER, &p->starter },
                   { SXT_PROBLEM_FN_NAME, &p->fn_name },
                   { SXT_PROBLEM_TESTS, &p->tests },
                   { SXT_PROBLEM_SOLUTION, &p->solution } };
    const struct sxt_dataset *set = s->set;
    struct sxt_frame *f = job->rows;

    sxt_frame_add(f);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (fields[i].text->len > 0)
            sxt_frame_set_text(f, fields[i].column, fields[i].text->data,
                               fields[i].text->len);
    sxt_frame_set_u64(f, SXT_PROBLEM_KEY, sxt_hash64(p->id.data, p->id.len, 0));
    sxt_frame_set_string(f, SXT_PROBLEM_SOURCE, set->source);
    sxt_frame_set_string(f, SXT_PROBLEM_DOMAIN, set->domain);
    sxt_frame_set_string(f, SXT_PROBLEM_SPLIT,
                         s->split ? s->split : set->split);
    sxt_frame_set_string(f, SXT_PROBLEM_LICENCE, set->licence);
}

/* Are the tests what the grader will accept? */
static int check_tests(const struct sxt_problem *p, struct sxt_error *err)
{
    if (p->tests.len == 0)
        return 0;
    struct sxt_json *tests =
        sxt_json_parse(p->tests.data, p->tests.len, "tests", err);
    int rc = tests ? sxt_code_check_tests(tests, err) : -1;
    sxt_json_free(tests);
    return rc;
}

/* "test/17" for line 17 of DIR/test.jsonl.gz. */
static char *place_name(const char *path, size_t line)
{
    const char *base = sxt_path_base(path);

    return sxt_printf("%.*s/%zu", (int)strcspn(base, "."), base, line);
}

static void take_record(struct job *job, const struct source *s,
                        const struct sxt_json *record, size_t line)
{
    struct sxt_problem p = { 0 };
    struct sxt_error err = { 0 };
    char *place = place_name(s->path, line);
    char *where = sxt_printf("%s:%zu", s->path, line);
    int kept = sxt_import_record(s->set, record, place, &p, &err);

    job->n_records++;
    if (kept == 1 && check_tests(&p, &err) != 0)
        kept = -1;
    if (kept < 0) {
        sxt_err_prefix(&err, "%s", where);
        add_fault(job, err.text);
    } else if (kept == 1) {
        add_row(job, s, &p);
        sxt_str_add_bytes(&job->places, p.id.data, p.id.len + 1);
        sxt_str_add_bytes(&job->places, where, strlen(where) + 1);
    }
    sxt_problem_free(&p);
    free(place);
    free(where);
}

/* All records of a file.  A bad one is a fault; fails if the file itself
 * cannot be read to its end. */
static int read_source(struct job *job, const struct source *s,
                       const struct sxt_run *run, struct sxt_error *err)
{
    struct sxt_jsonl *in = sxt_jsonl_open(s->path, err);
    size_t first = sxt_frame_rows(job->rows);
    int64_t limit = job->values->limit, before = job->n_records;
    double looked = 0;
    int rc = in ? 1 : -1;

    while (rc != 0 && in) {
        struct sxt_json *record = NULL;
        size_t line = 0;
        enum sxt_stop why = sxt_run_told(run, &looked, 0);
        if (why) {
            rc = sxt_run_stopped(why, err, "nothing was written");
            break;
        }
        rc = sxt_jsonl_next(in, &record, &line, err);
        if (rc < 0 && line == 0)
            break; /* not a line, but the file */
        if (rc < 0)
            add_fault(job, err->text);
        else if (rc == 1)
            take_record(job, s, record, line);
        sxt_json_free(record);
        if (limit && (int64_t)(sxt_frame_rows(job->rows) - first) == limit)
            rc = 0;
    }
    sxt_jsonl_close(in);
    if (rc == 0 && job->n_records == before && job->n_faults == 0)
        return sxt_err(err, SXT_EXIT_DATA, "%s: no records", s->path);
    return rc;
}

/* ---- what all ranks found */

/* Leave out rows whose id is there already, in this rank's part or in one
 * before it.  Collective; every rank looks at all ids. */
static void drop_duplicates(struct job *job, struct sxt_comm comm)
{
    char *all = NULL;
    size_t *offsets = NULL, row = 0;
    struct sxt_map *seen = sxt_map_create();
    struct sxt_frame *unique = sxt_frame_create(sxt_problem_columns);

    sxt_comm_allgather_bytes(comm, job->places.data, job->places.len, &all,
                             &offsets);
    size_t end = offsets[comm.size];
    for (size_t at = 0; at < end;) {
        const char *id = all + at, *where = id + strlen(id) + 1;
        bool mine = at >= offsets[comm.rank] && at < offsets[comm.rank + 1];
        bool is_new =
            sxt_map_put(seen, id, strlen(id), (uint64_t)(where - all));
        if (mine && is_new) {
            sxt_frame_copy_row(unique, job->rows, row);
        } else if (mine) {
            const char *other = all + *sxt_map_get(seen, id, strlen(id));
            char *text = sxt_printf("%s: id %s is there already, at %s", where,
                                    id, other);
            add_fault(job, text);
            free(text);
        }
        row += mine;
        at = (size_t)(where - all) + strlen(where) + 1;
    }
    sxt_frame_destroy(job->rows);
    job->rows = unique;
    sxt_map_destroy(seen);
    free(all);
    free(offsets);
}

/* Show the first faults of all ranks on rank 0.  Collective. */
static int report_faults(struct job *job, const struct sxt_run *run,
                         struct sxt_error *err)
{
    bool stop = strcmp(job->values->on_error, "stop") == 0;
    int64_t n = sxt_comm_sum(run->comm, job->n_faults);
    char *all = NULL, *line;
    size_t *offsets = NULL;
    int shown = 0;

    if (n == 0)
        return 0;
    sxt_comm_allgather_bytes(run->comm, job->faults.data, job->faults.len, &all,
                             &offsets);
    for (line = all;
         line < all + offsets[run->comm.size] && shown < SHOWN_FAULTS;
         shown++) {
        size_t len = strcspn(line, "\n");
        sxt_log(&run->log, stop ? SXT_LOG_ERROR : SXT_LOG_WARN, "%.*s",
                (int)len, line);
        line += len + 1;
    }
    free(all);
    free(offsets);
    if (stop)
        return sxt_err(err, SXT_EXIT_DATA,
                       "%lld unusable records, %d of them above; nothing is "
                       "written (on_error = \"skip\" leaves them out)",
                       (long long)n, shown);
    sxt_log(&run->log, SXT_LOG_WARN, "%lld records left out, %d of them above",
            (long long)n, shown);
    return 0;
}

/* ---- writing */

/* Collective. */
static int write_problems(const struct job *job, const struct sxt_run *run,
                          struct sxt_error *err)
{
    const char **inputs = sxt_alloc(2 * job->n_sources, sizeof(*inputs));
    char *path = sxt_run_path(run, job->values->output);
    int rc = -1;

    for (size_t i = 0; i < job->n_sources; i++) {
        inputs[2 * i] = job->sources[i].path;
        inputs[2 * i + 1] = job->sources[i].dataset_path;
    }
    struct sxt_out *out =
        sxt_run_create(run, path, SXT_PROBLEMS_FORMAT, 1,
                       "Problems with reference answers and unit tests", inputs,
                       2 * job->n_sources, err);
    if (out) {
        rc = sxt_out_frame(out, "problems", job->rows, err);
        if (rc == 0)
            rc = sxt_out_commit(out, err);
        else
            sxt_out_abandon(out);
    }
    free(path);
    free(inputs);
    return rc;
}

/* Read this rank's share of the files.  Collective. */
static int read_share(struct job *job, const struct sxt_run *run,
                      struct sxt_error *err)
{
    size_t first, count;
    int rc = 0;

    sxt_comm_slice(run->comm, job->n_sources, &first, &count);
    for (size_t i = first; i < first + count && rc == 0; i++)
        rc = read_source(job, &job->sources[i], run, err);
    return sxt_comm_agree(run->comm, rc, err);
}

static int run_import(struct sxt_run *run, const void *values,
                      struct sxt_error *err)
{
    struct job job = { .values = values,
                       .rows = sxt_frame_create(sxt_problem_columns) };
    double began = sxt_clock();
    int rc = sxt_comm_agree(run->comm, load_sources(&job, run, err), err);

    sxt_status_doing(run, "reading");
    if (rc == 0)
        rc = read_share(&job, run, err);
    if (rc == 0) {
        drop_duplicates(&job, run->comm);
        rc = report_faults(&job, run, err);
    }
    if (rc == 0) {
        int64_t records = sxt_comm_sum(run->comm, job.n_records);
        int64_t rows =
            sxt_comm_sum(run->comm, (int64_t)sxt_frame_rows(job.rows));
        if (rows == 0)
            rc = sxt_err(err, SXT_EXIT_DATA,
                         "none of %lld records is left: the data set's keep, "
                         "or on_error = \"skip\", leaves all of them out",
                         (long long)records);
        else if (!run->dry_run)
            rc = write_problems(&job, run, err);
        if (rc == 0)
            sxt_log(&run->log, SXT_LOG_INFO,
                    "%s  %lld problems of %lld records in %zu files",
                    run->dry_run ? "would write" : job.values->output,
                    (long long)rows, (long long)records, job.n_sources);
        if (rc == 0)
            sxt_status_performance(run, (double)records, "records", began);
    }
    job_free(&job);
    return rc;
}

const struct sxt_stage sxt_stage_import = {
    .section = { "import", "Read problem sets (JSONL, JSON) into problems.h5.",
                 params, sizeof(struct values) },
    .operands = "[FILE.jsonl...]",
    .run = run_import
};

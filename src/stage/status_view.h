/* status_view.h - what the files of a run say about how far it is. */
#ifndef SXT_STAGE_STATUS_VIEW_H
#define SXT_STAGE_STATUS_VIEW_H

#include "base/json.h"
#include "stage/report.h"

enum sxt_status_state {
    SXT_STATUS_WAITING, /* planned, not begun, or its output is gone */
    SXT_STATUS_RUNNING,
    SXT_STATUS_SILENT,  /* should be running, but tells nothing any more */
    SXT_STATUS_STOPPED, /* cleanly; the same command goes on */
    SXT_STATUS_KILLED,  /* its process is gone; the same command goes on */
    SXT_STATUS_FAILED,
    SXT_STATUS_DONE
};
/* "waiting", "running" … */
const char *sxt_status_word(enum sxt_status_state state);

/* A step of the run. */
struct sxt_status_step {
    char *command, *output;  /* name in the run, or absolute path; owned */
    struct sxt_json *record; /* NULL: it has none */
    enum sxt_status_state state;
    char *last_words; /* of its log, if it died; NULL: none; owned */
    double quiet_s;   /* since it told something; NaN without a record */
    double left_s;    /* NaN: unknown */
    double ranks, rank_hours, gpu_hours, dollars; /* so far */
    double tokens_per_s;                          /* NaN: none */
};

struct sxt_status_view {
    char *dir;
    struct sxt_status_step *steps;
    size_t n_steps;
    double *loss; /* of the optimizer steps so far */
    size_t n_loss;
    double last_step, tokens_per_s; /* of the training, lately */
    char *checkpoint;               /* path of the newest, NULL: none */
    double checkpoint_step, checkpoint_age_s;
    struct sxt_report samples; /* its sources: acceptance */
    double rank_hours, gpu_hours, dollars, projected;
};

/* What decides how files are read. */
struct sxt_status_values {
    bool json;
    bool brief; /* no parameter: steps and their costs only */
    double watch, price, silent_minutes;
};

/* Read everything; free with sxt_status_view_free (). */
int sxt_status_view_read(const struct sxt_run *run, const char *dir,
                         const struct sxt_status_values *v,
                         struct sxt_status_view *view, struct sxt_error *err);
void sxt_status_view_free(struct sxt_status_view *view);

/* As a text for people, or as JSON for machines (the caller's). */
void sxt_status_view_print(const struct sxt_status_view *view, bool unicode,
                           struct sxt_str *out);
struct sxt_json *sxt_status_view_object(const struct sxt_status_view *view);

/* How much of a step is done, 0 … 1; how many steps are in a state. */
double sxt_status_share(const struct sxt_status_step *step);
size_t sxt_status_count(const struct sxt_status_view *view,
                        enum sxt_status_state state);

/* A folder of runs.  read returns -1 if it holds none; free it all the same. */
struct sxt_status_runs {
    struct sxt_status_view *views;
    size_t n;
};
int sxt_status_runs_read(const struct sxt_run *run, const char *dir,
                         const struct sxt_status_values *v,
                         struct sxt_status_runs *runs);
void sxt_status_runs_free(struct sxt_status_runs *runs);
void sxt_status_runs_print(const struct sxt_status_runs *runs, bool unicode,
                           struct sxt_str *out);
void sxt_status_runs_json(const struct sxt_status_runs *runs,
                          struct sxt_str *out);

/* The line of a log that tells most of its end: the last that speaks of an
 * error or a signal, else the last.  In new memory; NULL if there is none. */
char *sxt_status_last_words(const char *path);

/* The command that goes on with a step, in new memory. */
char *sxt_status_command(const struct sxt_status_step *step);

#endif

/* doctor.h - what the checks of the doctor command share. */
#ifndef SXT_STAGE_DOCTOR_H
#define SXT_STAGE_DOCTOR_H

#include "base/str.h"
#include "stage/stage.h"

enum sxt_finding { SXT_FINE, SXT_WARNING, SXT_PROBLEM };

/* The values of section `doctor`. */
struct sxt_doctor_values {
    char *python, *wrapper;
    bool sandbox;
    double need_gb, lead_s;
    int64_t write_mib;
};

struct sxt_doctor {
    struct sxt_run *run;
    const struct sxt_doctor_values *v;
    struct sxt_str findings; /* of this rank, not yet told */
    int64_t nodes, warnings, problems;
    bool one_speaks; /* these findings are one rank's for its node or for all */
};

/* Note a finding of this rank: what was found, and the cure (NULL: none is
 * needed).  Ranks that word it the same are told of once. */
void sxt_doctor_note(struct sxt_doctor *d, enum sxt_finding level,
                     const char *cure, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The checks.  Each is called by all ranks and notes what it finds. */
void sxt_doctor_mpi(struct sxt_doctor *d);       /* doctor_ranks.c */
void sxt_doctor_ranks(struct sxt_doctor *d);     /* hosts, cores, clocks */
void sxt_doctor_slurm(struct sxt_doctor *d);     /* time left, signal */
void sxt_doctor_disk(struct sxt_doctor *d);      /* doctor_disk.c */
void sxt_doctor_memory(struct sxt_doctor *d);    /* doctor_machine.c */
void sxt_doctor_processor(struct sxt_doctor *d); /* features, backend */
void sxt_doctor_gpus(struct sxt_doctor *d);
void sxt_doctor_limits(struct sxt_doctor *d);
void sxt_doctor_locale(struct sxt_doctor *d);
void sxt_doctor_sandbox(struct sxt_doctor *d);

#endif

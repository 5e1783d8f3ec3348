/* emu-place.c - which rank gets which GPU, and who is refused, on emulated
 * machines of several sizes. */
#include <stdlib.h>
#include <string.h>

#include "base/test/tap.h"
#include "dev/place.h"
#include "num/open.h"

#define GPU_BYTES ((size_t)12 << 20)

static void set_machine(int gpus)
{
    char text[16];

    setenv("SXT_EMU_MEMORY_MIB", "12", 1);
    snprintf(text, sizeof(text), "%d", gpus);
    setenv("SXT_EMU_DEVICES", text, 1);
}

static size_t lines(const char *text)
{
    size_t n = text[0] != '\0';

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* How many different GPUs the lines name; each has one after "GPU-". */
static size_t different(const char *table)
{
    enum { UUID = 36 };
    size_t n = 0;

    for (const char *at = table; (at = strstr(at, "GPU-")); at++) {
        char name[UUID + 1] = "";
        strncpy(name, at + 4, UUID);
        n += strstr(at + 4, name) == at + 4 && !strstr(at + 5, name);
    }
    return n;
}

static const struct {
    int gpus;
    bool share;
    bool placed;
    size_t different; /* by rank counts of 3 */
    const char *text; /* of the refusal */
} places[] = {
    { 0, false, false, 0, "no usable GPU" },
    { 0, true, false, 0, "no usable GPU" },
    { 1, false, false, 0, "share_device = true" },
    { 2, false, false, 0, "ranks 0 and 2 on " },
    { 1, true, true, 1, "" },
    { 2, true, true, 2, "" },
    { 3, false, true, 3, "" },
    { 8, false, true, 3, "" },
};

static void test_places(struct sxt_comm comm)
{
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        struct sxt_error err = { 0 };
        char *table;
        set_machine(places[i].gpus);
        struct sxt_dev *dev =
            sxt_dev_place(comm, "cuda", places[i].share, &table, &err);
        const char *how = places[i].share ? "shared" : "one each";
        if (places[i].placed) {
            ok(dev && lines(table) == 3 &&
                   different(table) == places[i].different,
               "emu-place: 3 ranks, %d GPUs, %s: a table of %zu GPUs",
               places[i].gpus, how, places[i].different);
            size_t parts =
                (size_t)(comm.size - 1 - comm.rank % places[i].gpus) /
                    (size_t)places[i].gpus +
                1;
            ok(dev && sxt_dev_room(dev, 1) == GPU_BYTES / parts,
               "emu-place:   and those who share one have equal parts of it");
        } else {
            ok(!dev && !table && err.code == SXT_EXIT_UNAVAILABLE &&
                   strstr(err.text, places[i].text),
               "emu-place: 3 ranks, %d GPUs, %s: refused (%s)", places[i].gpus,
               how, err.text);
        }
        sxt_dev_destroy(dev);
        free(table);
    }
}

static const struct {
    int gpus;
    const char *device, *backend;
    bool share;
    const char *got;  /* kind of device; NULL: refused */
    const char *text; /* of the report or the refusal */
} wishes[] = {
    { 3, "auto", "auto", false, "cuda", "device auto: GPUs, one for each" },
    { 1, "auto", "auto", false, "host", "device auto: the CPU (ranks 0 and" },
    { 1, "auto", "auto", true, "cuda", "device auto: GPUs" },
    { 0, "auto", "auto", false, "host", "device auto: the CPU (rank 0: no" },
    { 3, "auto", "cpu", false, "host", "device auto: the CPU (backend = cpu)" },
    { 3, "auto", "ref", false, "host", "device auto: the CPU (backend = ref)" },
    { 3, "cpu", "auto", false, "host", "" },
    { 3, "cuda", "cuda", false, "cuda", "rank 2  " },
    { 3, "cuda", "cpu", false, NULL, "cannot reach the memory of a GPU" },
    { 3, "cpu", "cuda", false, NULL, "needs device = cuda" },
    { 1, "cuda", "auto", false, NULL, "share_device = true" },
    { 0, "cuda", "auto", false, NULL, "no usable GPU" },
};

static void test_wishes(struct sxt_comm comm)
{
    for (size_t i = 0; i < sizeof(wishes) / sizeof(*wishes); i++) {
        const struct sxt_num_wish wish = { .device = wishes[i].device,
                                           .backend = wishes[i].backend,
                                           .share = wishes[i].share,
                                           .threads = 1,
                                           .use = SXT_NUM_GENERATE };
        struct sxt_error err = { 0 };
        struct sxt_dev *dev;
        struct sxt_num *num;
        char *report;
        set_machine(wishes[i].gpus);
        int rc = sxt_num_open(comm, &wish, &dev, &num, &report, &err);
        const char *text = rc == 0 ? report : err.text;
        const char *got = rc == 0 ? sxt_dev_kind(dev) : "refused";
        ok(strcmp(got, wishes[i].got ? wishes[i].got : "refused") == 0 &&
               strstr(text, wishes[i].text),
           "emu-open: %d GPUs, device %s, backend %s%s: %s (%.60s)",
           wishes[i].gpus, wishes[i].device, wishes[i].backend,
           wishes[i].share ? ", shared" : "", got, text);
        ok((rc == 0) == (report != NULL) && (rc == 0) == (num != NULL),
           "emu-open:   nothing is left of a refusal");
        sxt_num_close(dev, num);
        free(report);
    }
}

/* A backend that lacks an entry is not started on, or auto goes elsewhere. */
static void test_lacks(void)
{
    struct sxt_error err = { 0 };
    struct sxt_dev *dev = sxt_dev_create("cuda", &err);
    struct sxt_num *num = sxt_num_create("cuda", dev, 1, &err);
    char names[300];

    num->op.sample = NULL;
    num->op.attn_bwd = NULL;
    ok(sxt_num_lacks(num, SXT_NUM_GENERATE, names) &&
           strcmp(names, "sample") == 0,
       "emu-open: what generation lacks is named (%s)", names);
    ok(sxt_num_lacks(num, SXT_NUM_TRAIN, names) && strstr(names, "attn_bwd") &&
           !strstr(names, "sample"),
       "emu-open: what training lacks is named (%s)", names);
    sxt_num_close(dev, num);
}

int main(int argc, char **argv)
{
    struct sxt_comm comm = sxt_comm_init(&argc, &argv);
    int rc;

    tap_silent = comm.rank != 0;
    if (comm.size == 3) {
        test_places(comm);
        test_wishes(comm);
    } else {
        skip("made for 3 ranks", "emu-place: ranks and GPUs");
    }
    set_machine(1);
    test_lacks();
    rc = done_testing();
    sxt_comm_finalize();
    return rc;
}

/* lrsched.c - learning rates against the schedulers of PyTorch 2.5.1 and
 * Transformers 4.46; validation/oracle/lrsched.py prints both tables. */
#include "model/lrsched.h"

#include <math.h>

#include "base/test/tap.h"

static const struct {
    const char *what;
    struct sxt_lrsched s;
} schedules[] = {
    { "constant, warm-up 4", { SXT_LR_CONSTANT, 1e-5, 0, 4, 20, 1, 1, 0 } },
    { "linear, warm-up 5", { SXT_LR_LINEAR, 1e-5, 0, 5, 30, 1, 1, 0 } },
    { "cosine, no warm-up", { SXT_LR_COSINE, 1e-5, 0, 0, 25, 1, 1, 0 } },
    { "cosine of 510 steps, 51 of warm-up",
      { SXT_LR_COSINE, 1e-5, 0, 51, 510, 1, 1, 0 } },
    { "cosine to a floor", { SXT_LR_COSINE, 1e-5, 1e-6, 3, 24, 1, 1, 0 } },
    { "restarts every 100 steps",
      { SXT_LR_RESTARTS, 1e-5, 1e-7, 0, 310, 100, 1, 0 } },
    { "restarts, periods doubling",
      { SXT_LR_RESTARTS, 1e-5, 1e-7, 0, 80, 10, 2, 0 } },
    { "restarts behind a warm-up",
      { SXT_LR_RESTARTS, 1e-5, 1e-7, 5, 40, 10, 1, 0 } },
    { "wsd", { SXT_LR_WSD, 1e-5, 1e-6, 4, 30, 1, 1, 10 } },
};

static const struct {
    int schedule, step;
    double lr;
} points[] = {
    { 0, 1, 0 },
    { 0, 2, 2.5000000000000002e-06 },
    { 0, 5, 1.0000000000000001e-05 },
    { 0, 6, 1.0000000000000001e-05 },
    { 0, 10, 1.0000000000000001e-05 },
    { 0, 11, 1.0000000000000001e-05 },
    { 0, 19, 1.0000000000000001e-05 },
    { 0, 20, 1.0000000000000001e-05 },
    { 1, 1, 0 },
    { 1, 2, 2.0000000000000003e-06 },
    { 1, 5, 8.0000000000000013e-06 },
    { 1, 6, 1.0000000000000001e-05 },
    { 1, 11, 8.0000000000000013e-06 },
    { 1, 15, 6.4000000000000006e-06 },
    { 1, 20, 4.4000000000000002e-06 },
    { 1, 29, 8.0000000000000007e-07 },
    { 1, 30, 4.0000000000000003e-07 },
    { 2, 1, 1.0000000000000001e-05 },
    { 2, 2, 9.9605735065723912e-06 },
    { 2, 5, 9.3815334002193188e-06 },
    { 2, 6, 9.0450849718747384e-06 },
    { 2, 11, 6.5450849718747377e-06 },
    { 2, 12, 5.9369065729286246e-06 },
    { 2, 15, 4.0630934270713762e-06 },
    { 2, 24, 1.5708419435684463e-07 },
    { 2, 25, 3.9426493427611177e-08 },
    { 3, 1, 0 },
    { 3, 2, 1.9607843137254904e-07 },
    { 3, 5, 7.8431372549019615e-07 },
    { 3, 6, 9.8039215686274508e-07 },
    { 3, 11, 1.9607843137254902e-06 },
    { 3, 31, 5.8823529411764709e-06 },
    { 3, 71, 9.9577808532654412e-06 },
    { 3, 100, 9.7325841841279731e-06 },
    { 3, 101, 9.7214314933853225e-06 },
    { 3, 255, 5.9019225193435856e-06 },
    { 3, 301, 4.3346476899177336e-06 },
    { 3, 500, 1.4164283079001196e-08 },
    { 3, 509, 4.6845469141632013e-10 },
    { 3, 510, 1.1711504444733567e-10 },
    { 4, 1, 0 },
    { 4, 2, 3.3333333333333333e-06 },
    { 4, 5, 9.9497387180130797e-06 },
    { 4, 6, 9.8000776260376332e-06 },
    { 4, 11, 7.7500000000000003e-06 },
    { 4, 12, 7.1440346096487792e-06 },
    { 4, 14, 5.8362854211389099e-06 },
    { 4, 23, 1.1999223739623665e-06 },
    { 4, 24, 1.0502612819869217e-06 },
    { 5, 1, 1.0000000000000001e-05 },
    { 5, 2, 9.9975574738103725e-06 },
    { 5, 5, 9.9609677715066664e-06 },
    { 5, 6, 9.9390572859459327e-06 },
    { 5, 11, 9.757729755661012e-06 },
    { 5, 31, 7.959536998847744e-06 },
    { 5, 71, 2.1404630011522584e-06 },
    { 5, 100, 1.0244252618962858e-07 },
    { 5, 101, 1.0000000000000001e-05 },
    { 5, 155, 4.4296004938566941e-06 },
    { 5, 300, 1.0244252618962858e-07 },
    { 5, 301, 1.0000000000000001e-05 },
    { 5, 309, 9.8444866475867244e-06 },
    { 5, 310, 9.8034537441008682e-06 },
    { 6, 1, 1.0000000000000001e-05 },
    { 6, 2, 9.757729755661012e-06 },
    { 6, 5, 6.57963412215599e-06 },
    { 6, 6, 5.0499999999999999e-06 },
    { 6, 11, 1.0000000000000001e-05 },
    { 6, 31, 1.0000000000000001e-05 },
    { 6, 40, 8.814009529720155e-06 },
    { 6, 70, 1.1525919802101657e-07 },
    { 6, 71, 1.0000000000000001e-05 },
    { 6, 79, 9.757729755661012e-06 },
    { 6, 80, 9.6940471128162972e-06 },
    { 7, 1, 0 },
    { 7, 2, 2.0000000000000003e-06 },
    { 7, 5, 8.0000000000000013e-06 },
    { 7, 6, 1.0000000000000001e-05 },
    { 7, 11, 5.0499999999999999e-06 },
    { 7, 20, 6.57963412215599e-06 },
    { 7, 30, 6.57963412215599e-06 },
    { 7, 31, 5.0499999999999999e-06 },
    { 7, 39, 7.9595369988477423e-06 },
    { 7, 40, 6.57963412215599e-06 },
    { 8, 1, 0 },
    { 8, 2, 2.5000000000000002e-06 },
    { 8, 5, 1.0000000000000001e-05 },
    { 8, 6, 1.0000000000000001e-05 },
    { 8, 11, 1.0000000000000001e-05 },
    { 8, 15, 1.0000000000000001e-05 },
    { 8, 20, 1.0000000000000001e-05 },
    { 8, 29, 1.8594235253127373e-06 },
    { 8, 30, 1.2202456766718092e-06 },
};

enum {
    N_SCHEDULES = sizeof(schedules) / sizeof(*schedules),
    N_POINTS = sizeof(points) / sizeof(*points)
};

/* Both compute in f64 by different expressions: a few units in the last place
 * of the full rate. */
static void golden(int schedule)
{
    double worst = 0;
    int count = 0;

    for (int i = 0; i < N_POINTS; i++) {
        if (points[i].schedule != schedule)
            continue;
        double got = sxt_lrsched_at(&schedules[schedule].s, points[i].step);
        worst = fmax(worst, fabs(got - points[i].lr));
        count++;
    }
    ok(count > 5 && worst <= 1e-20, "%s: %d rates, off by %.2g at most",
       schedules[schedule].what, count, worst);
}

static void edges(void)
{
    struct sxt_lrsched s = { SXT_LR_COSINE, 1, 0.25, 4, 10, 1, 1, 0 };

    ok(sxt_lrsched_at(&s, 1) == 0 && sxt_lrsched_at(&s, 5) == 1,
       "a warm-up of 4 begins at 0 and ends with step 5");
    ok(sxt_lrsched_at(&s, 11) == 0.25 && sxt_lrsched_at(&s, 1000) == 0.25,
       "behind the last step the rate stays on the floor");
    s.warmup = 20;
    ok(sxt_lrsched_at(&s, 10) == 9. / 20, "a warm-up may outlast the run");
    s = (struct sxt_lrsched){ SXT_LR_WSD, 1, 0, 0, 10, 1, 1, 0 };
    ok(sxt_lrsched_at(&s, 10) == 1, "wsd without a decay is constant");
    ok(sxt_lrsched_kind("cosine") == SXT_LR_COSINE &&
           sxt_lrsched_kind("wsd") == SXT_LR_WSD &&
           sxt_lrsched_kind("cos") == -1,
       "kinds have names");
}

int main(void)
{
    for (int i = 0; i < N_SCHEDULES; i++)
        golden(i);
    edges();
    return done_testing();
}

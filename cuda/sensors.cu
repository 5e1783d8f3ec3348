/* sensors.cu - power, clock and temperature of a GPU, from NVML.
 *
 * NVML's interface is stable, so its few functions are declared here. */
#include "cuda/sensors.h"

#include <dlfcn.h>

typedef struct nvml_device *device_handle;
enum { CLOCK_SM = 1, SENSOR_GPU = 0 };

struct sxt_sensors {
    void *library;
    device_handle device;
    int (*shutdown)(void);
    int (*power)(device_handle, unsigned *milliwatts);
    int (*energy)(device_handle, unsigned long long *millijoules);
    int (*clock)(device_handle, int which, unsigned *mhz);
    int (*most_clock)(device_handle, int which, unsigned *mhz);
    int (*temperature)(device_handle, int which, unsigned *celsius);
};

template <class F>
static bool find(void *library, const char *name, F *function)
{
    *function = reinterpret_cast<F>(dlsym(library, name));
    return *function != NULL;
}

static bool find_all(struct sxt_sensors *s)
{
    return find(s->library, "nvmlShutdown", &s->shutdown) &&
           find(s->library, "nvmlDeviceGetPowerUsage", &s->power) &&
           find(s->library, "nvmlDeviceGetTotalEnergyConsumption",
                &s->energy) &&
           find(s->library, "nvmlDeviceGetClockInfo", &s->clock) &&
           find(s->library, "nvmlDeviceGetMaxClockInfo", &s->most_clock) &&
           find(s->library, "nvmlDeviceGetTemperature", &s->temperature);
}

static bool start(struct sxt_sensors *s, const char uuid[40])
{
    int (*init)(void);
    int (*by_uuid)(const char *, device_handle *);
    char name[48];

    if (!find_all(s) || !find(s->library, "nvmlInit_v2", &init) ||
        !find(s->library, "nvmlDeviceGetHandleByUUID", &by_uuid) || init() != 0)
        return false;
    snprintf(name, sizeof(name), "GPU-%s", uuid);
    if (by_uuid(name, &s->device) == 0)
        return true;
    s->shutdown();
    return false;
}

struct sxt_sensors *sxt_sensors_create(const char uuid[40])
{
    void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);

    if (!library)
        return NULL;
    struct sxt_sensors *s =
        static_cast<struct sxt_sensors *>(sxt_calloc(1, sizeof(*s)));
    s->library = library;
    if (start(s, uuid))
        return s;
    dlclose(library);
    free(s);
    return NULL;
}

void sxt_sensors_destroy(struct sxt_sensors *s)
{
    if (!s)
        return;
    s->shutdown();
    dlclose(s->library);
    free(s);
}

void sxt_sensors_read(const struct sxt_sensors *s,
                      struct sxt_dev_reading *reading)
{
    unsigned long long mj;
    unsigned x;

    if (s->power(s->device, &x) == 0)
        reading->power_w = x * 1e-3;
    if (s->energy(s->device, &mj) == 0)
        reading->energy_j = (double)mj * 1e-3;
    if (s->clock(s->device, CLOCK_SM, &x) == 0)
        reading->clock_mhz = x;
    if (s->most_clock(s->device, CLOCK_SM, &x) == 0)
        reading->clock_most_mhz = x;
    if (s->temperature(s->device, SENSOR_GPU, &x) == 0)
        reading->temperature_c = x;
}

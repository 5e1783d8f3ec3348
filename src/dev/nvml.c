/* nvml.c - the GPUs that this node's driver knows, in any build. */
#include "dev/nvml.h"

#include <dlfcn.h>
#include <string.h>

/* Declared here as NVML's reference manual has them: its header comes with
 * CUDA, which need not be there. */
struct memory {
    unsigned long long total, free, used;
};
struct nvml {
    int (*init)(void);
    int (*shutdown)(void);
    int (*count)(unsigned *n);
    int (*handle)(unsigned i, void **device);
    int (*name)(void *device, char *text, unsigned length);
    int (*memory)(void *device, struct memory *memory);
};

static bool load(void *library, struct nvml *nvml)
{
    const struct {
        const char *name;
        void *to;
    } list[] = {
        { "nvmlInit_v2", &nvml->init },
        { "nvmlShutdown", &nvml->shutdown },
        { "nvmlDeviceGetCount_v2", &nvml->count },
        { "nvmlDeviceGetHandleByIndex_v2", &nvml->handle },
        { "nvmlDeviceGetName", &nvml->name },
        { "nvmlDeviceGetMemoryInfo", &nvml->memory },
    };

    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        void *symbol = dlsym(library, list[i].name);
        if (!symbol)
            return false;
        memcpy(list[i].to, &symbol, sizeof(symbol)); /* POSIX's way to a
                                                        function pointer */
    }
    return true;
}

static int list_all(const struct nvml *nvml, struct sxt_str *lines)
{
    unsigned n = 0;

    if (nvml->count(&n) != 0)
        return -1;
    for (unsigned i = 0; i < n; i++) {
        char name[96] = "a GPU that does not answer";
        struct memory memory = { 0, 0, 0 };
        void *device;
        if (nvml->handle(i, &device) == 0) {
            nvml->name(device, name, sizeof(name));
            nvml->memory(device, &memory);
        }
        sxt_str_add(lines, "%s, %.1f GiB\n", name,
                    (double)memory.total / (1024. * 1024 * 1024));
    }
    return (int)n;
}

int sxt_nvml_list(struct sxt_str *lines)
{
    void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    struct nvml nvml;
    int n = -1;

    if (!library)
        return -1;
    if (load(library, &nvml) && nvml.init() == 0) {
        n = list_all(&nvml, lines);
        nvml.shutdown();
    }
    dlclose(library);
    return n;
}

/* library.h - a library that is opened when a GPU is used, so that the program
 * also starts where there is none. */
#ifndef SXT_CUDA_LIBRARY_H
#define SXT_CUDA_LIBRARY_H

#include <dlfcn.h>
#include <stdio.h>

#define SXT_TEXT_(x) #x
#define SXT_TEXT(x) SXT_TEXT_(x)

/* The first of two places that opens.  NULL: neither; why says what is wrong
 * with the first. */
static inline void *sxt_library_open(const char *const (&places)[2],
                                     char (&why)[300])
{
    why[0] = '\0';
    for (const char *place : places) {
        void *library = dlopen(place, RTLD_NOW | RTLD_LOCAL);
        if (library)
            return library;
        if (why[0] == '\0')
            snprintf(why, sizeof(why), "%s", dlerror());
    }
    return NULL;
}

template <class F>
static bool sxt_library_find(void *library, const char *name, F *function)
{
    *function = reinterpret_cast<F>(dlsym(library, name));
    return *function != NULL;
}

#endif

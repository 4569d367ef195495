/* What the library says of itself. */

#include "kernels.h"

#ifndef SC_SOURCES
#error "SC_SOURCES is the digest of the sources: build_hook.py compiles this"
#endif

SC_EXPORT uint64_t sc_sources(void);

/* The digest of the sources that this was compiled from; library.py refuses a library of others. */
uint64_t sc_sources(void)
{
    return SC_SOURCES;
}

#if defined(_WIN32)
int __stdcall DllMainCRTStartup(void *instance, unsigned long reason, void *reserved);

/* Where Windows enters a library: there is nothing to begin, for there is no C runtime. */
int __stdcall DllMainCRTStartup(void *instance, unsigned long reason, void *reserved)
{
    (void)instance, (void)reason, (void)reserved;
    return 1;
}
int _fltused = 0;
#endif

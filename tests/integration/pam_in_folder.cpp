// Loaded into a test's server before libpam: its services are then those of the folder $SLUICE_PAM_FOLDER, so that a
// test needs neither root nor a change of this machine's /etc/pam.d. libpam (1.4 and later) has pam_start_confdir for
// it.

#include <cstdlib>

#include <dlfcn.h>

extern "C" {

struct pam_conv;
struct pam_handle;

int pam_start(const char* service, const char* user, const pam_conv* conversation, pam_handle** made) {
    constexpr int system_error = 4;  // PAM_SYSTEM_ERR
    using starts_in = int (*)(const char*, const char*, const pam_conv*, const char*, pam_handle**);
    // The server's plugin has brought the library, but for itself alone.
    void* library = dlopen("libpam.so.0", RTLD_NOW);
    auto* start = library != nullptr ? reinterpret_cast<starts_in>(dlsym(library, "pam_start_confdir")) : nullptr;
    return start != nullptr ? start(service, user, conversation, std::getenv("SLUICE_PAM_FOLDER"), made) : system_error;
}
}

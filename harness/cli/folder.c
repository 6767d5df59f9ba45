/* SPDX-License-Identifier: MIT */
/* folder.c - where a command puts a new result set. */
#include "cli/commands.h"
#include "run/paths.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES 4096

bool make_folder(const char *out, const char *suite, bool resume, char *folder, size_t folder_bytes,
                 struct error *error) {
    char stamp[32], path[PATH_BYTES + 16];
    time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &local);
    if (out)
        snprintf(folder, folder_bytes, "%s", out);
    else
        snprintf(folder, folder_bytes, "%s/results/%s-%s", path_build(), suite, stamp);
    snprintf(path, sizeof path, "%.*s/", PATH_BYTES, folder);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return error_set(error, EXIT_INPUT, "cannot make the folder %s: %s", path,
                             strerror(errno));
        *slash = '/';
    }
    snprintf(path, sizeof path, "%.*s/manifest.json", PATH_BYTES, folder);
    if (!resume && access(path, F_OK) == 0)
        return error_set(error, EXIT_INPUT,
                         "%s holds a result set already: name another folder (bench and race go on "
                         "with one by --resume)",
                         folder);
    return true;
}

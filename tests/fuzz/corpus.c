/* Runs a fuzz target over the files of a folder, so that what was once found stays found. Short
 * files are also cut at every byte: half a document is what a broken connection leaves.
 * Usage: PROGRAM FOLDER */
#include <dirent.h>
#include <errno.h>

#include "tests/fuzz/fuzz.h"

#define FILE_MAX_BYTES (1024 * 1024) /* a corpus is made of small things */
#define CUT_MAX_BYTES  2048          /* cutting everywhere is quadratic */

/* An own block for each run, so that the address sanitizer sees a read beyond the end. */
static void run(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy) {
        fprintf(stderr, "no memory\n");
        exit(1);
    }
    memcpy(copy, bytes, len);
    (void)LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

static void run_file(const char *folder, const char *name)
{
    static uint8_t bytes[FILE_MAX_BYTES];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
    size_t len = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    run(bytes, len);
    for (size_t cut = 0; len <= CUT_MAX_BYTES && cut < len; cut++)
        run(bytes, cut);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    int count = argc == 2 ? scandir(argv[1], &entries, is_visible, alphasort) : -1;
    if (count < 1) {
        fprintf(stderr, "usage: %s FOLDER (with at least one file in it)\n", argv[0]);
        return 1;
    }
    for (int i = 0; i < count; i++) {
        run_file(argv[1], entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    printf("%d files\n", count);
    return 0;
}

/* Runs a fuzz target over the files named on the command line: what is kept as a corpus is a test.
 */
#include "base/file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        g_autoptr(GError) error = NULL;
        size_t size = 0;
        g_autofree char *bytes = file_read(argv[i], BYTES_MAX, &size, &error);
        if (!bytes) {
            fprintf(stderr, "%s\n", error->message);
            return 1;
        }
        /* An exact copy, so that the sanitizer sees a look beyond the end. */
        uint8_t *exact = malloc(size ? size : 1);
        if (!exact)
            return 1;
        memcpy(exact, bytes, size);
        fprintf(stderr, "%s\n", argv[i]);
        LLVMFuzzerTestOneInput(exact, size);
        free(exact);
    }
    printf("%d files\n", argc - 1);
    return 0;
}

/* The command line against an engine of paper: story.sh plays it, this program is the engine.
 *
 *     test_command_line              runs the story with the programs in $ROTA_BUILD
 *     test_command_line DIR SCRIPT   the engine
 */
#include "fake_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *build = getenv("ROTA_BUILD");
    char rota[4096], self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    if (argc == 3)
        return fake_engine(argv[1], argv[2]);
    if (len <= 0)
        return 70;
    self[len] = '\0';
    snprintf(rota, sizeof rota, "%s/rota", build != NULL ? build : "build");
    execlp("sh", "sh", "tests/tools/story.sh", rota, self, (char *)NULL);
    perror("sh");
    return 70;
}

/* The cutter without SSE2 gives the same words: test_words.c once more over a build of that kind.
 */
#define WORDS_SCALAR
#include "src/text/words.c"
#include "tests/unit/test_words.c"

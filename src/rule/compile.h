/* rule/compile - syntax trees to programs (program.h).
 *
 * A struct compiler holds what lives as long as the compilation: the set that grows, and the lists'
 * trees. */
#ifndef RULE_COMPILE_H
#define RULE_COMPILE_H

#include "rule/lint.h"
#include "rule/program.h"

struct compiler {
    struct ruleset *set;
    struct query_context *context;
    struct query_node **lists; /* trees; NULL where a list has an error */
    const char **list_texts;
    bool *has_inflections;     /* per list, with those that it uses */
    const unsigned *languages; /* of the rule that is being compiled */
    size_t n_languages;
    uint32_t language_choice;   /* a number for that choice of languages */
    GHashTable *list_instances; /* list and choice of languages -> index in set->lists */
};

/* Its offset in the set's strings. */
uint32_t compile_string(struct compiler *compiler, const char *text, size_t size);
/* Asks for the memory that the tree's words will need, before and after other work is done with it.
 */
void compile_ask(struct compiler *compiler, struct query_node *node);
void compile_ask_again(struct compiler *compiler, const struct query_node *node);
/* Appends the program of a tree, whose source is text, to code and its terms to terms. Returns
 * whether it holds a regex. */
bool compile_tree(struct compiler *compiler, const struct query_node *node, const char *text,
                  GArray *code, GString *terms);

#endif

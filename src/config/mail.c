/* config/parse, the part that deals in mail: addresses and servers. */
#include "config/parse.h"
#include "config/report.h"
#include "text/mail.h"

#include <string.h>

bool parse_mail_address(const char *text, struct parse_fault *fault)
{
    struct mail_address address;
    if (mail_address_parse(text, &address)) {
        mail_address_clear(&address);
        return true;
    }
    g_autofree char *quoted = report_quote(text);
    return parse_fail(
        fault, 0, "%s is not an address such as ann@example.org or Ann <ann@example.org>", quoted);
}

bool parse_mail_server(const char *text, struct parse_fault *fault)
{
    struct mail_server server;
    if (mail_server_parse(text, &server)) {
        mail_server_clear(&server);
        return true;
    }
    /* What stands before an @ may be a password. */
    if (strchr(text, '@'))
        return parse_fail(fault, 0, "a mail server has no user in its name: see 'credentials'");
    g_autofree char *quoted = report_quote(text);
    return parse_fail(
        fault, 0,
        "%s is not a mail server such as mail.example.org, smtp://mail.example.org:587 "
        "or smtps://mail.example.org",
        quoted);
}

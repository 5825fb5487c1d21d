/*
 * Copyright (C) wx_openid authors
 *
 * wx-openid: the commands and what they share.
 */

#include "wx_openid_tool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>


/* as CHANGES has it on top, which t/tools/check-docs sees to */

#define WX_OPENID_VERSION "0.1.0"


namespace wx_openid {


namespace {


constexpr char usage[] =
    "usage: wx-openid check --appid ID --secret SOURCE [--url URL]\n"
    "                       [--ca FILE] [--json]\n"
    "       wx-openid keygen [--append FILE | --promote KID FILE]\n"
    "       wx-openid token FILE < token\n"
    "       wx-openid --version\n"
    "\n"
    "check    asks WeChat with a code that cannot be valid, and says whether\n"
    "         DNS, TLS, appid and secret are right.  SOURCE is file:PATH,\n"
    "         env:NAME or - for standard input: a secret on the command line\n"
    "         is for everybody to see.  URL is another wx_openid_pass, FILE\n"
    "         has authorities to trust in place of the system's.\n"
    "keygen   prints a JWK Set for wx_openid_session_keys.  --append adds a\n"
    "         key last, which opens only; --promote puts one first, to seal.\n"
    "token    opens a session token with the keys of FILE; sk is masked.\n"
    "\n"
    "Exit status: 0 all is well, 1 it is not, 2 the command line is wrong.\n";


struct Command {
    std::string_view name;
    int (*run)(Arguments args);
};

constexpr Command commands[] = {
    { "check", check },
    { "keygen", keygen },
    { "token", token }
};


}


int
complain(std::string_view words)
{
    std::fprintf(stderr, "wx-openid: %.*s\n", static_cast<int>(words.size()),
                 words.data());
    return 1;
}


int
misuse(std::string_view words)
{
    complain(words);
    std::fprintf(stderr, "try: wx-openid --help\n");
    return 2;
}


std::optional<std::string>
read_all(const std::string &path, std::size_t max)
{
    bool standard = path == "-";
    std::string name = standard ? "standard input" : "\"" + path + "\"";
    int fd = standard ? STDIN_FILENO
                      : open(path.c_str(), O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        complain("cannot open " + name + ": " + std::strerror(errno));
        return std::nullopt;
    }

    std::string text(max + 1, '\0');
    std::size_t size = 0;
    ssize_t n = 1;

    while (n > 0 && size < text.size()) {
        n = read(fd, text.data() + size, text.size() - size);
        size += n > 0 ? static_cast<std::size_t>(n) : 0;
    }

    int error = errno;

    if (!standard) {
        close(fd);
    }

    if (n < 0) {
        complain("cannot read " + name + ": " + std::strerror(error));
        return std::nullopt;
    }

    if (size > max) {
        complain(name + " is too long");
        return std::nullopt;
    }

    text.resize(size);

    return text;
}


bool
read_keys(const std::string &path, std::string_view text, KeySet &keys)
{
    auto error = keys.read(text);

    if (error.fault == KeyFault::none) {
        return true;
    }

    std::array<char, max_key_set_error> words;
    auto size = write_key_set_error(error, words);

    complain("no usable keys in \"" + path
             + "\": " + std::string(words.data(), size));
    return false;
}


std::string
printed(const cJSON *json)
{
    char *text = cJSON_Print(json);
    std::string s = text ? text : "";

    cJSON_free(text);

    return s + "\n";
}


/* what was printed may still be in memory, and the disk full */

int
printed_all(int status)
{
    if (std::fflush(stdout) == 0 && !std::ferror(stdout)) {
        return status;
    }

    return complain(std::string("cannot write: ") + std::strerror(errno));
}


}


int
main(int argc, char **argv)
{
    using namespace wx_openid;

    if (argc < 2) {
        std::fputs(usage, stderr);
        return 2;
    }

    std::string_view name = argv[1];

    bool help = name == "help";

    for (int i = 1; i < argc; i++) {
        std::string_view arg = argv[i];

        help = help || arg == "--help" || arg == "-h";
    }

    if (help) {
        std::fputs(usage, stdout);
        return printed_all(0);
    }

    if (name == "--version") {
        std::puts("wx-openid " WX_OPENID_VERSION);
        return printed_all(0);
    }

    for (auto &command : commands) {
        if (command.name == name) {
            return printed_all(command.run({ argv + 2, argv + argc }));
        }
    }

    return misuse("no command \"" + std::string(name) + "\"");
}

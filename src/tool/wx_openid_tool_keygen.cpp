/*
 * Copyright (C) wx_openid authors
 *
 * wx-openid keygen: makes and changes the files that nginx reads keys from.
 */

#include "wx_openid_tool.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <openssl/rand.h>

#include "../core/wx_openid_base64.h"
#include "../core/wx_openid_json.h"


namespace wx_openid {


namespace {


/* the day it was made, and enough more for two of a day */

std::string
new_kid()
{
    std::array<unsigned char, 4> bytes{};
    std::array<char, 64> text{};
    std::time_t now = std::time(nullptr);
    std::tm tm{};

    RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
    gmtime_r(&now, &tm);

    std::snprintf(text.data(), text.size(), "%04d-%02d-%02d-%02x%02x%02x%02x",
                  tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, bytes[0],
                  bytes[1], bytes[2], bytes[3]);

    return text.data();
}


/* a new key to the end of "keys"; its kid, or nothing on failure */

std::string
add_key(cJSON *keys)
{
    std::array<unsigned char, token_key_size> bytes;
    std::array<char, base64url_size(token_key_size) + 1> k{};

    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
        complain("OpenSSL has no randomness");
        return {};
    }

    base64url_encode(bytes, k);

    std::string kid = new_kid();
    cJSON *key = cJSON_CreateObject();

    cJSON_AddStringToObject(key, "kty", "oct");
    cJSON_AddStringToObject(key, "kid", kid.c_str());
    cJSON_AddStringToObject(key, "use", "enc");
    cJSON_AddStringToObject(key, "alg", "A256KW");
    cJSON_AddStringToObject(key, "k", k.data());
    cJSON_AddItemToArray(keys, key);

    return kid;
}


int
print_new_set()
{
    Json set(cJSON_CreateObject());

    if (add_key(cJSON_AddArrayToObject(set.get(), "keys")).empty()) {
        return 1;
    }

    struct stat st{};

    if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode)
        && (st.st_mode & (S_IRGRP | S_IROTH)))
    {
        std::fputs("wx-openid: others can read this file: chmod 600 it\n",
                   stderr);
    }

    std::fputs(printed(set.get()).c_str(), stdout);

    return 0;
}


/* a key file that is to be changed */

struct KeyFile {
    std::string path;
    Json json;
    cJSON *keys = nullptr;
    struct stat st{};
};


bool
open_key_file(const char *name, KeyFile &file)
{
    /* what is replaced is the file, not a link to it */

    char *path = realpath(name, nullptr);

    if (!path || stat(path, &file.st) != 0) {
        complain("cannot open \"" + std::string(name)
                 + "\": " + std::strerror(errno));
        std::free(path);
        return false;
    }

    file.path = path;
    std::free(path);

    auto text = read_all(file.path, max_key_set_size);
    KeySet keys;

    if (!text || !read_keys(name, *text, keys)) {
        return false;
    }

    file.json = parse_json_object(*text);
    file.keys = cJSON_GetObjectItemCaseSensitive(file.json.get(), "keys");

    return true;
}


bool
write_whole(int fd, std::string_view text)
{
    while (!text.empty()) {
        ssize_t n = write(fd, text.data(), text.size());

        if (n <= 0) {
            return false;
        }

        text.remove_prefix(static_cast<std::size_t>(n));
    }

    return fsync(fd) == 0;
}


/*
 * A new file in place of the old, with its owner and mode: whoever reads
 * gets one or the other, and never half.
 */

bool
save(const KeyFile &file)
{
    std::string text = printed(file.json.get());
    std::string part = file.path + ".XXXXXX";
    KeySet keys;

    if (!read_keys(file.path, text, keys)) {
        return false;
    }

    int fd = mkstemp(part.data());

    if (fd < 0) {
        complain("cannot write beside \"" + file.path
                 + "\": " + std::strerror(errno));
        return false;
    }

    bool ok = fchown(fd, file.st.st_uid, file.st.st_gid) == 0
              && fchmod(fd, file.st.st_mode & 07777) == 0
              && write_whole(fd, text)
              && rename(part.c_str(), file.path.c_str()) == 0;

    if (!ok) {
        complain("cannot write \"" + file.path
                 + "\": " + std::strerror(errno));
        unlink(part.c_str());
    }

    close(fd);

    return ok;
}


int
append(const char *name)
{
    KeyFile file;

    if (!open_key_file(name, file)) {
        return 1;
    }

    std::string kid = add_key(file.keys);

    if (kid.empty() || !save(file)) {
        return 1;
    }

    std::printf("added key %s, which opens only.  When every machine has "
                "reloaded it:\n"
                "wx-openid keygen --promote %s %s\n",
                kid.c_str(), kid.c_str(), name);
    return 0;
}


int
promote(std::string_view kid, const char *name)
{
    KeyFile file;

    if (!open_key_file(name, file)) {
        return 1;
    }

    int index = 0;
    std::string kids;

    for (cJSON *key = file.keys->child; key; key = key->next, index++) {
        auto *found = cJSON_GetObjectItemCaseSensitive(key, "kid");

        if (kid != found->valuestring) {
            kids += kids.empty() ? "" : ", ";
            kids += found->valuestring;
            continue;
        }

        cJSON *item = cJSON_DetachItemFromArray(file.keys, index);

        cJSON_InsertItemInArray(file.keys, 0, item);

        if (!save(file)) {
            return 1;
        }

        std::printf("key %s is first now, and seals from the next reload\n",
                    found->valuestring);
        return 0;
    }

    return complain("no key \"" + std::string(kid) + "\" in \"" + name
                    + "\", which has " + kids);
}


}


int
keygen(Arguments args)
{
    std::string_view option = args.empty() ? "" : args[0];

    if (option.empty()) {
        return print_new_set();
    }

    if (option == "--append" && args.size() == 2) {
        return append(args[1]);
    }

    if (option == "--promote" && args.size() == 3) {
        return promote(args[1], args[2]);
    }

    return misuse("keygen takes nothing, --append FILE, "
                  "or --promote KID FILE");
}


}

/*
 * Copyright (C) wx_openid authors
 *
 * How the core reads JSON: cJSON, with what it lets pass closed or made
 * visible.  Only for the core's own files; knows nothing of what a member
 * means.
 */

#ifndef WX_OPENID_JSON_H
#define WX_OPENID_JSON_H

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include <cjson/cJSON.h>
#include <openssl/crypto.h>


namespace wx_openid {


/* keys, a session_key, a code: free() would leave them where they are */

inline void
wipe_strings(cJSON *json) noexcept
{
    for (cJSON *item = json; item; item = item->next) {
        if (cJSON_IsString(item)) {
            OPENSSL_cleanse(item->valuestring,
                            std::strlen(item->valuestring));
        }

        wipe_strings(item->child);
    }
}


struct JsonDelete {
    void operator()(cJSON *json) const noexcept
    {
        wipe_strings(json);
        cJSON_Delete(json);
    }
};

using Json = std::unique_ptr<cJSON, JsonDelete>;


/* the text as one object, else null: cJSON ignores what follows a value */

inline Json
parse_json_object(std::string_view text) noexcept
{
    const char *end = nullptr;
    Json json(cJSON_ParseWithLengthOpts(text.data(), text.size(), &end, 0));

    if (!cJSON_IsObject(json.get())) {
        return nullptr;
    }

    auto rest = text.data() + text.size();
    bool alone = std::all_of(end, rest, [](char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
    });

    return alone ? std::move(json) : nullptr;
}


/* cJSON keeps members of one name side by side and finds the first */

struct JsonMember {
    const cJSON *value = nullptr;
    bool repeated = false;
};

inline JsonMember
find_member(const cJSON *object, std::string_view name) noexcept
{
    JsonMember found;

    for (const cJSON *item = object->child; item; item = item->next) {
        if (name != item->string) {
            continue;
        }

        if (found.value) {
            found.repeated = true;
            break;
        }

        found.value = item;
    }

    return found;
}


/*
 * Whether valid JSON text holds U+0000, at which cJSON ends a string: as a
 * byte, or as an escape.  It takes \u without four hex digits for \u0000.
 */

inline bool
has_nul(std::string_view text) noexcept
{
    auto is_hex = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F')
               || (c >= 'a' && c <= 'f');
    };

    if (text.find('\\') == text.npos && text.find('\0') == text.npos) {
        return false;
    }

    for (; !text.empty(); text.remove_prefix(1)) {
        if (text[0] == '\0') {
            return true;
        }

        if (text[0] != '\\' || text.size() < 2) {
            continue;
        }

        if (text[1] == 'u') {
            auto digits = text.begin() + 2;
            auto end = digits + std::min<std::ptrdiff_t>(4,
                                                         text.end() - digits);

            if (end - digits < 4 || !std::all_of(digits, end, is_hex)
                || std::all_of(digits, end, [](char c) { return c == '0'; }))
            {
                return true;
            }
        }

        /* what is escaped begins no escape: "\\u0000" is text */
        text.remove_prefix(1);
    }

    return false;
}


/*
 * cJSON takes control characters raw in a string, and any of them for white
 * space; RFC 8259 has neither.
 */

inline bool
has_stray_control(std::string_view text) noexcept
{
    auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < 0x20;
    };

    if (std::none_of(text.begin(), text.end(), is_control)) {
        return false;
    }

    bool quoted = false;
    bool escaped = false;

    for (char c : text) {
        bool space = c == '\t' || c == '\n' || c == '\r';

        if (is_control(c) && (quoted || !space)) {
            return true;
        }

        if (c == '"' && !escaped) {
            quoted = !quoted;
        }

        escaped = c == '\\' && !escaped;
    }

    return false;
}


}

#endif /* WX_OPENID_JSON_H */

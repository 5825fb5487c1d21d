/*
 * Copyright (C) wx_openid authors
 *
 * The login code (js_code) of a mini program: where it stands in a request
 * body, and what may be sent to WeChat.  Knows nothing of nginx; JSON is
 * read by cJSON, whose lenient spots are closed here.
 */

#ifndef WX_OPENID_CODE_H
#define WX_OPENID_CODE_H

#include <cstddef>
#include <span>
#include <string_view>


namespace wx_openid {


/* WeCom documents 512 bytes for its codes; a mini program's has 32 */

inline constexpr std::size_t max_code_length = 512;


enum class CodeSearch {
    absent,     /* no such member or field, not a string, or empty */
    found,
    ambiguous,  /* found twice, or it contains U+0000: nobody can say which
                   code the application behind would have read */
    no_memory   /* nobody knows */
};

struct FoundCode {
    CodeSearch result = CodeSearch::absent;
    std::size_t size = 0;       /* bytes written to "out" when found */
};


/*
 * The string member at a dotted path ("code", "data.code") of a body that
 * is one JSON object; anything else is absent.  The text goes unescaped to
 * "out", which must hold body.size() bytes.
 */
FoundCode find_json_code(std::string_view body, std::string_view path,
    std::span<char> out) noexcept;

/*
 * The first non-empty field "name" of an urlencoded form, decoded to "out",
 * which must hold body.size() bytes.
 */
FoundCode find_form_code(std::string_view body, std::string_view name,
    std::span<char> out) noexcept;

/*
 * Whether a code may be sent to WeChat: 1 to max_code_length bytes, none of
 * them a control character.
 */
bool usable_code(std::string_view code) noexcept;

/* a path for find_json_code(): members of 1 byte or more between dots */
bool usable_json_path(std::string_view path) noexcept;


/*
 * What a body may be searched for, by its Content-Type (parameters and
 * letter case do not matter).
 */
enum class BodyKind { other, json, form };

BodyKind body_kind(std::string_view content_type) noexcept;


}

#endif /* WX_OPENID_CODE_H */

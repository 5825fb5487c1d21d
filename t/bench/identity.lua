-- What the module does, by OpenResty's Lua: for speed's comparison only.

local base64 = require "ngx.base64"
local cjson = require "cjson.safe"
local ffi = require "ffi"

ffi.cdef [[
typedef struct evp_md_st EVP_MD;
const EVP_MD *EVP_sha256(void);
unsigned char *HMAC(const EVP_MD *md, const void *key, int key_len,
                    const unsigned char *d, size_t n, unsigned char *out,
                    unsigned int *len);
int CRYPTO_memcmp(const void *a, const void *b, size_t n);
]]

local C = ffi.C
local sha256 = C.EVP_sha256()
local mac = ffi.new("unsigned char[32]")

local M = {}

function M.new(appid, secret, jwt_key)
    local codes = ngx.shared.codes
    local call = { args = { appid = appid, secret = secret,
                            grant_type = "authorization_code" } }

    local function open(token)
        local text, payload, sign =
            token:match("^([%w_-]+%.([%w_-]+))%.([%w_-]+)$")
        if not text then
            return nil
        end

        sign = base64.decode_base64url(sign)
        C.HMAC(sha256, jwt_key, #jwt_key, text, #text, mac, nil)

        if not sign or #sign ~= 32 or C.CRYPTO_memcmp(mac, sign, 32) ~= 0 then
            return nil
        end

        local claims = cjson.decode(base64.decode_base64url(payload))

        if not claims or claims.exp < ngx.time() or claims.aud ~= appid then
            return nil
        end

        return claims.sub
    end

    local function exchange(code)
        call.args.js_code = code

        local res = ngx.location.capture("/jscode2session", call)
        local reply = res.status == 200 and cjson.decode(res.body)

        return reply and reply.openid
    end

    return function()
        local token, code = ngx.var.http_x_wx_session, ngx.var.http_x_wx_code
        local openid

        if token then
            openid = open(token)

        elseif code then
            openid = codes:get(code)

            if not openid then
                openid = exchange(code)
                if openid then
                    codes:set(code, openid, 60)
                end
            end
        end

        if not openid then
            return ngx.exit(401)
        end

        ngx.req.clear_header("X-WX-Session")
        ngx.req.clear_header("X-WX-Code")
        ngx.req.set_header("X-WX-OPENID", openid)
        ngx.req.set_header("X-WX-APPID", appid)
        ngx.req.set_header("X-WX-SOURCE", "wx_client")
    end
end

return M

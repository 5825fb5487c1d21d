use lib 't/lib';
use WxOpenid;

# Where a code is looked for, in which order, and which codes are refused
# without asking WeChat.

repeat_each(2);

our $Refused =
    qr/^WWW-Authenticate: Bearer realm="wx_openid", error="invalid_token"\r$/m;

plan tests => wx_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: on: header, argument, JSON member and form field are searched
--- request eval
["GET /t", "GET /t?a=b&code=%CODE2%",
 qq(POST /t\n{"code":"%CODE3%"}), "POST /t\na=b&code=%CODE4%"]
--- more_headers eval
["X-WX-Code: %CODE%", "", "Content-Type: application/json; charset=utf-8",
 "Content-Type: application/x-www-form-urlencoded"]
--- response_body_like eval
[map { "(?m)^X-WX-OPENID: %OPENID$_%\$" } '', 2 .. 4]
--- wechat_count
%CODE%=1
%CODE2%=1
%CODE3%=1
%CODE4%=1
--- wechat_total: 4
--- backend_count: 4



=== TEST 2: on: a request without a code in any of them is refused
--- request eval
["GET /t", "GET /t?xcode=%CODE%&codes=%CODE%", qq(POST /t\n{"name":"x"}),
 "POST /t\na=b"]
--- more_headers eval
["Cookie: code=%CODE%\nX-Code: %CODE%", "", "Content-Type: application/json",
 "Content-Type: application/x-www-form-urlencoded"]
--- error_code eval
[401, 401, 401, 401]
--- response_body eval
[('{"error":"login_required"}') x 4]
--- raw_response_headers_like eval
[(qr{^Content-Type:\ application/json\r\n.*
      ^WWW-Authenticate:\ Bearer\ realm="wx_openid"\r\n.*
      ^Cache-Control:\ no-store\r\n}msx) x 4]
--- wechat_total: 0
--- backend_count: 0
--- error_log
wx_openid: login_required



=== TEST 3: optional: the header alone is searched
--- config
    location /t {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t", "GET /t?code=%CODE2%",
 qq(POST /t\n{"code":"%CODE3%"}), "POST /t\ncode=%CODE4%"]
--- more_headers eval
["X-WX-Code: %CODE%", "", "Content-Type: application/json",
 "Content-Type: application/x-www-form-urlencoded"]
--- response_body_like eval
["(?m)^X-WX-OPENID: %OPENID%\$",
 ('\A(?:(?!X-WX-)[^\n]+\n)+\n') x 3]
--- wechat_count: %CODE%=1
--- wechat_total: 1
--- backend_count: 4



=== TEST 4: optional: sources that are configured are searched
--- config
    location /t {
        wx_openid       optional;
        wx_openid_code  $arg_code json:code form:code;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t?code=%CODE%", qq(POST /t\n{"code":"%CODE2%"}),
 "POST /t\ncode=%CODE3%", "GET /t"]
--- more_headers eval
["", "Content-Type: application/json",
 "Content-Type: application/x-www-form-urlencoded", "X-WX-Code: %CODE4%"]
--- response_body_like eval
[(map { "(?m)^X-WX-OPENID: %OPENID$_%\$" } '', 2, 3),
 '\A(?:(?!X-WX-)[^\n]+\n)+\n']
--- wechat_count
%CODE%=1
%CODE2%=1
%CODE3%=1
--- wechat_total: 3



=== TEST 5: the default order is header, argument, body
--- request eval
[qq(POST /t?code=arg-%NEW%\n{"code":"json-%NEW%"}),
 qq(POST /t?code=%CODE2%\n{"code":"json-%NEW%"})]
--- more_headers eval
["Content-Type: application/json\nX-WX-Code: %CODE%",
 "Content-Type: application/json"]
--- response_body_like eval
[map { "(?m)^X-WX-OPENID: %OPENID$_%\$" } '', 2]
--- wechat_count
%CODE%=1
%CODE2%=1
--- wechat_total: 2



=== TEST 6: the configured order counts: a body before the header
--- config
    location /t {
        wx_openid       on;
        wx_openid_code  json:code form:code $http_x_wx_code;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[qq(POST /t\n{"code":"%CODE%"}), qq(POST /t\n{"other":1}), "GET /t"]
--- more_headers eval
["Content-Type: application/json\nX-WX-Code: header-%NEW%",
 "Content-Type: application/json\nX-WX-Code: %CODE2%",
 "X-WX-Code: %CODE3%"]
--- response_body_like eval
[map { "(?m)^X-WX-OPENID: %OPENID$_%\$" } '', 2, 3]
--- wechat_count
%CODE%=1
%CODE2%=1
%CODE3%=1
--- wechat_total: 3



=== TEST 7: empty values are passed over
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /json {
        wx_openid       on;
        wx_openid_code  json:a json:b json:c;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /form {
        wx_openid       on;
        wx_openid_code  form:a form:b;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[qq(POST /t?code=\n{"code":"%CODE%"}),
 qq(POST /json\n{"a":"","b":null,"c":"%CODE2%"}),
 "POST /form\na=&b&b=&b=%CODE3%"]
--- more_headers eval
["Content-Type: application/json\nX-WX-Code:",
 "Content-Type: application/json",
 "Content-Type: application/x-www-form-urlencoded"]
--- response_body_like eval
[map { "(?m)^X-WX-OPENID: %OPENID$_%\$" } '', 2, 3]
--- wechat_total: 3



=== TEST 8: of several X-WX-Code headers the first non-empty one is the code
--- request
GET /t
--- more_headers
X-WX-Code:
x-wx-code: %CODE%
X-WX-CODE: second-%NEW%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- wechat_count: %CODE%=1
--- wechat_total: 1
--- backend_never
second-
%CODE%



=== TEST 9: the first non-empty code decides: a later good one is not tried
--- request
GET /t?code=%CODE%
--- more_headers
X-WX-Code: err-40029-%NEW%
--- error_code: 401
--- response_body_like
^\{"error":"invalid_code","errcode":40029,"errmsg":"[^"]+"\}$
--- response_headers
WWW-Authenticate: Bearer realm="wx_openid", error="invalid_token"
--- wechat_count
err-40029-%NEW%=1
%CODE%=0
--- backend_count: 0
--- error_log
wx_openid: invalid_code



=== TEST 10: cookies, other headers, maps and composed values
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} . '
    map $http_x_login $mapped {
        "~^Token (?<token>.+)$"  $token;
    }
'
--- config
    wx_openid  on;
    location /cookie {
        wx_openid_code  $cookie_wxcode;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /header {
        wx_openid_code  $http_x_login;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /map {
        wx_openid_code  $mapped;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /composed {
        wx_openid_code  good-${arg_a}-$http_x_b;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /braces {
        wx_openid_code  ${arg_code};
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /cookie", "GET /header", "GET /map", "GET /composed?a=x",
 "GET /braces?code=%67ood-%NEW%-5"]
--- more_headers eval
["Cookie: a=b; wxcode=%CODE%; c=d", "X-Login: %CODE2%",
 "X-Login: Token %CODE3%", "X-B: %NEW%", ""]
--- response_body_like eval
[(map { "(?m)^X-WX-OPENID: %OPENID$_%\$" } '', 2, 3),
 '(?m)^X-WX-OPENID: %OPENID(good-x-%NEW%)%$',
 '(?m)^X-WX-OPENID: %OPENID5%$']
--- wechat_total: 5



=== TEST 11: an argument is percent-decoded, "+" is itself
--- request eval
["GET /t?code=a%2Bb%20c-%NEW%", "GET /t?code=a+b-%NEW%",
 "GET /t?code=%zz%4-%NEW%", "GET /t?code=%2541-%NEW%",
 "GET /t?code=%E4%b8%AD-%NEW%"]
--- error_code eval
[(401) x 5]
--- wechat_count eval
["a+b c-%NEW%=1", "a+b-%NEW%=1", "%zz%4-%NEW%=1", "%41-%NEW%=1",
 "\xe4\xb8\xad-%NEW%=1"]
--- wechat_total: 5



=== TEST 12: what is not an argument alone is taken as it is
--- config
    wx_openid  on;
    location /composed {
        wx_openid_code  x$arg_code;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /cookie {
        wx_openid_code  $cookie_code;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /header {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /composed?code=a%41-%NEW%", "GET /cookie", "GET /header"]
--- more_headers eval
["", "Cookie: code=b%41-%NEW%", "X-WX-Code: c%41-%NEW%"]
--- error_code eval
[401, 401, 401]
--- wechat_count
xa%41-%NEW%=1
b%41-%NEW%=1
c%41-%NEW%=1
--- wechat_total: 3



=== TEST 13: a code cannot add to WeChat's arguments
--- request
GET /t?code=%26appid%3Devil%26secret%3Dx%23%3F%25-%NEW%
--- error_code: 401
--- wechat_request_like
&js_code=%26appid%3Devil%26secret%3Dx%23%3F%25-%NEW%&grant_type=[a-z_]+ HTTP
--- wechat_count: &appid=evil&secret=x#?%-%NEW%=1



=== TEST 14: a member of a JSON body by its dotted path
--- config
    wx_openid  on;
    location /ab {
        wx_openid_code  json:a.b;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /deep {
        wx_openid_code  json:data.wx.login.code;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[qq(POST /ab\n{"b":"no","a":{"c":"no","b":"%CODE%"},"a.b":"no"}),
 qq(POST /deep\n{"data":{"wx":{"login":{"code":"%CODE2%"}}}}),
 qq(POST /ab\n { "a" :\t{"b"\n:"\\u0067ood-%NEW%-3"} }\n\n)]
--- more_headers
Content-Type: application/json
--- response_body_like eval
[map { "(?m)^X-WX-OPENID: %OPENID$_%\$" } '', 2, 3]
--- wechat_total: 3



=== TEST 15: content types of JSON and of forms
--- request eval
[(map { qq(POST /t\n{"code":"$_"}) } '%CODE%', '%CODE2%'),
 "POST /t\ncode=%CODE3%"]
--- more_headers eval
["Content-Type: APPLICATION/JSON", "Content-Type: application/vnd.x+json",
 "Content-Type: Application/X-WWW-Form-Urlencoded ; charset=utf-8"]
--- response_body_like eval
[map { "(?m)^X-WX-OPENID: %OPENID$_%\$" } '', 2, 3]
--- wechat_total: 3



=== TEST 16: what is not one string in one JSON object is no code
--- config
    location /t {
        wx_openid       on;
        wx_openid_code  json:a.b;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[map { "POST /t\n$_" }
 '{"a":{"b":1}}', '{"a":{"b":null}}', '{"a":{"b":true}}',
 '{"a":{"b":["%CODE%"]}}', '{"a":{"b":{"b":"%CODE%"}}}',
 '{"a":"%CODE%"}', '{"a":[{"b":"%CODE%"}]}', '{"b":"%CODE%"}',
 '{"A":{"B":"%CODE%"}}', '{"a.b":"%CODE%"}', '[{"a":{"b":"%CODE%"}}]',
 '"%CODE%"', '{"a":{"b":"%CODE%"}', '{"a":{"b":"%CODE%"}} x',
 '{"a":{"b":"%CODE%"}}{}', '{a:{b:"%CODE%"}}', 'a.b=%CODE%',
 '{"a":{"b":""}}', ('[' x 2000), ('{"a":' x 2000)]
--- more_headers
Content-Type: application/json
--- error_code eval
[(401) x 20]
--- response_body eval
[('{"error":"login_required"}') x 20]
--- wechat_total: 0
--- backend_count: 0
--- no_error_log
[crit]



=== TEST 17: an ambiguous JSON body is refused and WeChat is not asked
--- config
    location /t {
        wx_openid       on;
        wx_openid_code  json:a.b $http_x_wx_code;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
[map { "POST /t\n$_" }
 '{"a":{"b":"%CODE%","b":"%CODE2%"}}', '{"a":{"b":"%CODE%","b":"%CODE%"}}',
 '{"a":{"b":"%CODE%"},"a":{"b":"%CODE2%"}}',
 '{"a":{"b":"%CODE%"},"a":1}', '{"a":{"b":"%CODE%\u0000"}}',
 '{"a":{"b":"\u0000"}}', '{"a":{"b":"%CODE%","\u0062":"x"}}']
--- more_headers
Content-Type: application/json
X-WX-Code: %CODE3%
--- error_code eval
[(401) x 7]
--- response_body eval
[('{"error":"invalid_code"}') x 7]
--- raw_response_headers_like eval
[($main::Refused) x 7]
--- wechat_total: 0
--- backend_count: 0
--- error_log
wx_openid: invalid_code



=== TEST 18: a form field is percent-decoded, "+" is a space
--- config
    location /t {
        wx_openid       on;
        wx_openid_code  form:wx[code] form:b;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["POST /t\nwx%5Bcode%5d=%67ood-%NEW%", "POST /t\nwx[code]=a+b%2Bc-%NEW%",
 "POST /t\nwxcode=x&b=%CODE2%", "POST /t\nwx[code]=%CODE3%&wx[code]=no",
 "POST /t\nxb=1&b2=2&&=&b"]
--- more_headers
Content-Type: application/x-www-form-urlencoded
--- error_code eval
[200, 401, 200, 200, 401]
--- response_body_like eval
['(?m)^X-WX-OPENID: %OPENID%$', '"errcode":40029',
 '(?m)^X-WX-OPENID: %OPENID2%$', '(?m)^X-WX-OPENID: %OPENID3%$',
 '^\{"error":"login_required"\}$']
--- wechat_count
a b+c-%NEW%=1
--- wechat_total: 4



=== TEST 19: 512 bytes are asked for
--- request eval
["GET /t", "GET /t?code=" . '%78' x 512,
 qq(POST /t\n{"code":") . '\u0078' x 512 . '"}',
 "POST /t\ncode=" . '%78' x 512]
--- more_headers eval
["X-WX-Code: " . 'x' x 512, "", "Content-Type: application/json",
 "Content-Type: application/x-www-form-urlencoded"]
--- error_code eval
[401, 401, 401, 401]
--- response_body_like eval
[(qr/"errcode":40029/) x 4]
--- wechat_total: 4
--- wechat_request_like eval
'&js_code=' . 'x' x 512 . '&'



=== TEST 20: 513 bytes are refused and WeChat is not asked
--- request eval
["GET /t", "GET /t?code=" . '%78' x 513,
 qq(POST /t\n{"code":") . '\u0078' x 513 . '"}',
 "POST /t\ncode=" . '%78' x 513]
--- more_headers eval
["X-WX-Code: " . 'x' x 513, "", "Content-Type: application/json",
 "Content-Type: application/x-www-form-urlencoded"]
--- error_code eval
[401, 401, 401, 401]
--- response_body eval
[('{"error":"invalid_code"}') x 4]
--- raw_response_headers_like eval
[($main::Refused) x 4]
--- wechat_total: 0
--- backend_count: 0



=== TEST 21: optional: a code that is unusable is refused, not anonymous
--- config
    location /t {
        wx_openid   optional;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /t", "GET /t"]
--- more_headers eval
["X-WX-Code: " . 'x' x 513, "X-WX-Code: err-40029-%NEW%"]
--- error_code eval
[401, 401]
--- response_body_like eval
['^\{"error":"invalid_code"\}$', '^\{"error":"invalid_code","errcode":40029,']
--- wechat_total: 1
--- backend_count: 0



=== TEST 22: control characters are refused and WeChat is not asked
--- request eval
["GET /t?code=a%00b", "GET /t?code=%0d%0aHost:+x", "GET /t?code=a%7f",
 "GET /t?code=%00", "GET /t", qq(POST /t\n{"code":"a\\nb"}),
 qq(POST /t\n{"code":"a\\u001fb"}), "POST /t\ncode=a%01",
 "POST /t\ncode=%00"]
--- more_headers eval
["", "", "", "", "X-WX-Code: a\tb", "Content-Type: application/json",
 "Content-Type: application/json",
 "Content-Type: application/x-www-form-urlencoded",
 "Content-Type: application/x-www-form-urlencoded"]
--- error_code eval
[(401) x 9]
--- response_body eval
[('{"error":"invalid_code"}') x 9]
--- wechat_total: 0
--- backend_count: 0



=== TEST 23: X-WX-Code reaches no upstream, under no name, in no mode
--- config
    underscores_in_headers  on;
    ignore_invalid_headers  off;
    location /off {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /on {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /optional {
        wx_openid       optional;
        wx_openid_code  $arg_code;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /off", "GET /on", "GET /optional", "GET /off"]
--- more_headers eval
[("X-WX-Code: %CODE%\nX_WX_CODE: alias\nx.wx-code: alias\nX-Kept: kept") x 3,
 "x~wx~code: alias\nX-WX-Code:\nX-Kept: kept"]
--- response_body_like eval
[(qr/^X-Kept: kept$/m) x 4]
--- backend_never eval
['%CODE%', 'alias', qr/wx.code/i]
--- backend_count: 4



=== TEST 24: X-WX-Code can be the code under an alias
--- config
    underscores_in_headers  on;
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /t
--- more_headers
X_WX_CODE: %CODE%
--- response_body_like
(?m)^X-WX-OPENID: %OPENID%$
--- backend_never
%CODE%
--- wechat_count: %CODE%=1



=== TEST 25: a code in the path
--- config
    location ~ ^/login/(?<wx_code>[^/]+)/(.*)$ {
        wx_openid       on;
        wx_openid_code  $wx_code;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/$2;
    }
    location ~ ^/number/([^/]+)(.*)$ {
        wx_openid       on;
        wx_openid_code  $1;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/n$2;
    }
--- request eval
["GET /login/%CODE%/cart", "GET /number/%CODE2%",
 "GET /login/%65rr-40029-%NEW%/cart"]
--- error_code eval
[200, 200, 401]
--- response_body_like eval
['(?m)\AGET /cart HTTP.*^X-WX-OPENID: %OPENID%$',
 '(?m)\AGET /n HTTP.*^X-WX-OPENID: %OPENID2%$',
 '"errcode":40029']
--- wechat_count
%CODE%=1
%CODE2%=1
err-40029-%NEW%=1
--- our_log_never
%CODE%
%CODE2%
rr-40029-%NEW%



=== TEST 26: the list of sources is inherited whole or replaced
--- config
    wx_openid       on;
    wx_openid_code  $arg_a $http_x_a;
    location /inherits {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /replaces {
        wx_openid_code  $arg_b;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["GET /inherits?a=%CODE%", "GET /inherits?b=no", "GET /replaces?b=%CODE2%",
 "GET /replaces?a=no", "GET /inherits?code=no"]
--- more_headers eval
["X-A: no", "X-A: %CODE3%", "X-A: no", "X-A: no", "X-WX-Code: no"]
--- error_code eval
[200, 200, 200, 401, 401]
--- wechat_count
%CODE%=1
%CODE2%=1
%CODE3%=1
--- wechat_total: 3



=== TEST 27: other methods with a code in a header or an argument
--- request eval
["HEAD /t", "OPTIONS /t?code=%CODE2%", "DELETE /t", "PATCH /t\nx"]
--- more_headers eval
["X-WX-Code: %CODE%", "", "X-WX-Code: %CODE3%", "X-WX-Code: %CODE4%"]
--- error_code eval
[200, 200, 200, 200]
--- wechat_count
%CODE%=1
%CODE2%=1
%CODE3%=1
%CODE4%=1
--- backend_count: 4

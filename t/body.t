use lib 't/lib';
use WxOpenid;
use Digest::SHA qw(sha256_hex);

# The client's body: searched where it must be, waited for only then, and
# passed on byte for byte.

repeat_each(2);

# a code of the stand-in that can be asked for again and again, since the
# text of a raw request is not made anew for each run

our $Code = 'split-70-body';
our $Json = qq({"code":"$Code","text":"1234567890"});

sub raw {
    my ($line, $headers, $body) = @_;
    return "$line HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
           . join('', map { "$_\r\n" } @$headers) . "\r\n$body";
}

sub with_length {
    my ($line, $headers, $body) = @_;
    return raw($line, [@$headers, 'Content-Length: ' . length $body], $body);
}

sub chunks {
    my ($body, $size) = @_;
    return join('', map { sprintf "%x\r\n%s\r\n", length $_, $_ }
                    unpack "(a$size)*", $body) . "0\r\n\r\n";
}

sub chunked {
    my ($line, $headers, $body, $size) = @_;
    return raw($line, [@$headers, 'Transfer-Encoding: chunked'],
               chunks($body, $size));
}

sub sum_of {
    my ($body) = @_;
    return length($body) . ' ' . sha256_hex($body) . "\n";
}

# all bytes there are, in no simple order
sub binary {
    my ($size) = @_;
    return substr pack('C*', map { ($_ * 7 + ($_ >> 8)) & 0xff } 0 .. 65535)
                  x (1 + $size / 65536), 0, $size;
}

# JSON of a given size
sub padded {
    my ($size) = @_;
    my $head = qq({"code":"$Code","pad":");
    return $head . 'x' x ($size - length($head) - 2) . '"}';
}

plan tests => wx_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: Content-Length
--- raw_request eval
main::with_length('POST /t', ['Content-Type: application/json'], $main::Json)
--- response_body_like eval
'(?m)^Content-Length: ' . length($main::Json) . '$.*^X-WX-OPENID: '
. "%OPENID($main::Code)%\$.*^\$\n" . quotemeta($main::Json) . '\z'
--- wechat_total: 1



=== TEST 2: chunked
--- raw_request eval
main::chunked('POST /t', ['Content-Type: application/json'], $main::Json, 1000)
--- response_body_like eval
'(?m)^Content-Length: ' . length($main::Json) . '$.*^X-WX-OPENID: '
. "%OPENID($main::Code)%\$.*^\$\n" . quotemeta($main::Json) . '\z'
--- wechat_total: 1



=== TEST 3: chunks of one byte
--- raw_request eval
main::chunked('PUT /t', ['Content-Type: application/x-www-form-urlencoded'],
              "a=b&code=$main::Code&c=d", 1)
--- response_body_like eval
"(?m)^X-WX-OPENID: %OPENID($main::Code)%\$.*^\$\n"
. quotemeta("a=b&code=$main::Code&c=d") . '\z'
--- wechat_total: 1



=== TEST 4: a body that comes byte by byte
--- raw_request eval
[main::raw('POST /t', ['Content-Type: application/json',
                       'Content-Length: ' . length $main::Json], ''),
 split //, $main::Json]
--- raw_request_middle_delay: 0.002
--- response_body_like eval
"(?m)^X-WX-OPENID: %OPENID($main::Code)%\$.*^\$\n"
. quotemeta($main::Json) . '\z'
--- wechat_total: 1



=== TEST 5: a chunked request that comes byte by byte
--- raw_request eval
[split //, main::chunked('POST /t', ['Content-Type: application/json'],
                         $main::Json, 7)]
--- raw_request_middle_delay: 0.002
--- response_body_like eval
"(?m)^X-WX-OPENID: %OPENID($main::Code)%\$.*^\$\n"
. quotemeta($main::Json) . '\z'
--- wechat_total: 1



=== TEST 6: Expect: 100-continue: the body is asked for when it is searched
--- raw_request eval
[main::raw('POST /t', ['Content-Type: application/json',
                       'Expect: 100-continue',
                       'Content-Length: ' . length $main::Json], ''),
 $main::Json]
--- raw_request_middle_delay: 0.05
--- error_code: 100
--- response_body_like eval
"(?m)\\AHTTP/1.1 200 OK.*^X-WX-OPENID: %OPENID($main::Code)%\$.*^\$\n"
. quotemeta($main::Json) . '\z'
--- wechat_total: 1



=== TEST 7: Expect: 100-continue: a refused request is not invited to send
--- config
    location /t {
        wx_openid   on;
        lingering_timeout  100ms;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- raw_request eval
main::raw('POST /t', ['Content-Type: application/json',
                      'X-WX-Code: err-40029-x', 'Expect: 100-continue',
                      'Content-Length: 1000'], '')
--- error_code: 401
--- response_body_like: "errcode":40029
--- wechat_total: 1
--- backend_count: 0



=== TEST 8: a body in several buffers, in a file, always in a file
--- config
    wx_openid             on;
    wx_openid_body_limit  100k;
    location /several {
        client_body_buffer_size  64k;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
        add_header  X-Openid $wx_openid;
    }
    location /single {
        client_body_in_single_buffer  on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
        add_header  X-Openid $wx_openid;
    }
    location /file {
        client_body_buffer_size  64;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
        add_header  X-Openid $wx_openid;
    }
    location /always {
        client_body_in_file_only  clean;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
        add_header  X-Openid $wx_openid;
    }
--- request eval
[map { "POST $_\n" . main::padded(50000) }
 qw(/several /single /file /always)]
--- more_headers
Content-Type: application/json
--- response_headers eval
[("X-Openid: %OPENID($main::Code)%") x 4]
--- response_body eval
[(main::sum_of(main::padded(50000))) x 4]
--- wechat_total: 4



=== TEST 9: chunked, in several buffers and in a file
--- config
    wx_openid             on;
    wx_openid_body_limit  100k;
    location /several {
        client_body_buffer_size  64k;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
        add_header  X-Openid $wx_openid;
    }
    location /file {
        client_body_buffer_size  64;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
        add_header  X-Openid $wx_openid;
    }
--- pipelined_requests eval
["POST /several\n" . main::chunks(main::padded(20000), 999),
 "POST /file\n" . main::chunks(main::padded(20000), 999)]
--- more_headers
Content-Type: application/json
Transfer-Encoding: chunked
--- response_headers eval
[("X-Openid: %OPENID($main::Code)%") x 2]
--- response_body eval
[(main::sum_of(main::padded(20000))) x 2]
--- wechat_total: 2



=== TEST 10: pipelined requests, with and without a body
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /free {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- pipelined_requests eval
[qq(POST /t?1\n{"code":"%CODE%"}), "GET /t?2&code=%CODE2%",
 qq(POST /t?3\n{"code":"err-40029-%NEW%"}), "POST /free\nbody",
 qq(POST /t?5\n{"code":"%CODE5%"})]
--- more_headers
Content-Type: application/json
--- error_code eval
[200, 200, 401, 200, 200]
--- response_body_like eval
['(?m)\APOST /t\?1 .*^X-WX-OPENID: %OPENID%$.*^\{"code":"%CODE%"\}\z',
 '(?m)\AGET /t\?2&.*^X-WX-OPENID: %OPENID2%$',
 '^\{"error":"invalid_code","errcode":40029,',
 '(?m)\APOST /free (?!.*X-WX-).*^body\z',
 '(?m)\APOST /t\?5 .*^X-WX-OPENID: %OPENID5%$.*^\{"code":"%CODE5%"\}\z']
--- wechat_total: 4



=== TEST 11: what stands in a refused request's body is no request
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location ~ ^/(next|last|smuggled) {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- pipelined_requests eval
["POST /t\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\nend", "GET /next",
 "PUT /t\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\nend", "GET /last"]
--- more_headers eval
["X-WX-Code: err-40029-%NEW%", "", "", ""]
--- error_code eval
[401, 200, 401, 200]
--- response_body_like eval
['"errcode":40029', '\AGET /next', 'login_required', '\AGET /last']
--- backend_never
smuggled
--- backend_count: 2



=== TEST 12: proxy_request_buffering off: a searched body passes whole
--- config
    location /t {
        wx_openid   on;
        proxy_request_buffering  off;
        proxy_http_version       1.1;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
        add_header  X-Openid $wx_openid;
    }
--- request eval
["POST /t\n" . main::padded(15000), "POST /t\n" . main::padded(100)]
--- more_headers
Content-Type: application/json
--- response_headers eval
[("X-Openid: %OPENID($main::Code)%") x 2]
--- response_body eval
[main::sum_of(main::padded(15000)), main::sum_of(main::padded(100))]
--- wechat_total: 2



=== TEST 13: proxy_request_buffering off: chunked, searched or not
--- config
    wx_openid   on;
    proxy_request_buffering  off;
    proxy_http_version       1.1;
    location /t {
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
        add_header  X-Openid $wx_openid;
    }
--- pipelined_requests eval
["POST /t\n" . main::chunks(main::padded(9000), 999),
 "POST /t?code=$main::Code\n" . main::chunks(main::binary(90000), 7000)]
--- more_headers eval
["Content-Type: application/json\nTransfer-Encoding: chunked",
 "Content-Type: application/octet-stream\nTransfer-Encoding: chunked"]
--- response_headers eval
[("X-Openid: %OPENID($main::Code)%") x 2]
--- response_body eval
[main::sum_of(main::padded(9000)), main::sum_of(main::binary(90000))]
--- wechat_total: 2



=== TEST 14: a body of body_limit is searched, a longer one is not
--- config
    location /t {
        wx_openid             on;
        wx_openid_body_limit  1000;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /default {
        wx_openid             on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- pipelined_requests eval
["POST /t\n" . main::padded(1000), "POST /t\n" . main::padded(1001),
 "POST /t\n" . main::chunks(main::padded(1000), 77),
 "POST /t\n" . main::chunks(main::padded(1001), 77),
 "POST /default\n" . main::padded(16384),
 "POST /default\n" . main::padded(16385),
 "POST /default\n" . main::chunks(main::padded(16384), 7777),
 "POST /default\n" . main::chunks(main::padded(16385), 7777)]
--- more_headers eval
[("Content-Type: application/json",
  "Content-Type: application/json",
  "Content-Type: application/json\nTransfer-Encoding: chunked",
  "Content-Type: application/json\nTransfer-Encoding: chunked") x 2]
--- error_code eval
[(200, 401) x 4]
--- response_body_like eval
[("(?m)^X-WX-OPENID: %OPENID($main::Code)%\$", '"login_required"') x 4]
--- wechat_total: 4
--- backend_count: 4



=== TEST 15: a body that is not searched passes whole
--- config
    location /t {
        wx_openid             optional;
        wx_openid_code        json:code form:code;
        wx_openid_body_limit  1000;
        client_body_buffer_size  512;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
        add_header  X-Status $wx_openid_status;
    }
--- pipelined_requests eval
["POST /t\n" . main::padded(90000),
 "POST /t\n" . main::chunks(main::padded(90000), 9999),
 "POST /t\n" . main::binary(500)]
--- more_headers eval
["Content-Type: application/json",
 "Content-Type: application/json\nTransfer-Encoding: chunked",
 "Content-Type: text/plain\nContent-Length: 500"]
--- response_headers eval
[("X-Status: NONE") x 3]
--- response_body eval
[(main::sum_of(main::padded(90000))) x 2, main::sum_of(main::binary(500))]
--- wechat_total: 0
--- backend_count: 3



=== TEST 16: other types of content are not searched, nor waited for
--- config
    location /t {
        wx_openid        on;
        lingering_timeout  100ms;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- raw_request eval
main::raw('POST /t', ['Content-Type: text/plain', 'Content-Length: 1000'],
          $main::Json)
--- error_code: 401
--- response_body_like: login_required
--- wechat_total: 0
--- backend_count: 0



=== TEST 17: content types that are almost those searched
--- no_http2: curl drops an answer that does not wait for the body
--- request eval
[("POST /t\n$main::Json") x 6, "POST /t\ncode=$main::Code",
 "POST /t\ncode=$main::Code", "POST /t\n$main::Json"]
--- more_headers eval
["", map { "Content-Type: $_" }
 'application/jsonx', 'text/json', 'application/grpc', 'x/json+json',
 'application/x-www-form-urlencoded', 'application/json',
 'multipart/form-data; boundary=b', 'application/+json']
--- error_code eval
[(401) x 9]
--- response_body_like eval
[('login_required') x 9]
--- wechat_total: 0



=== TEST 18: GET with a body: it is not searched, and passes whole
--- no_http2: curl drops an answer that does not wait for the body
--- request eval
["GET /t\n$main::Json", "GET /t?code=%CODE%\n$main::Json"]
--- more_headers
Content-Type: application/json
--- error_code eval
[401, 200]
--- response_body_like eval
['login_required',
 '(?m)^X-WX-OPENID: %OPENID%$.*' . quotemeta($main::Json) . '\z']
--- wechat_total: 1



=== TEST 19: no body
--- config
    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /optional {
        wx_openid       optional;
        wx_openid_code  json:code form:code;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["POST /t", "POST /t", "POST /t\n0\r\n\r\n", "POST /optional",
 "POST /optional\n0\r\n\r\n"]
--- more_headers eval
["Content-Type: application/json\nContent-Length: 0",
 "Content-Type: application/json",
 "Content-Type: application/json\nTransfer-Encoding: chunked",
 "Content-Type: application/x-www-form-urlencoded",
 "Content-Type: application/json\nTransfer-Encoding: chunked"]
--- error_code eval
[401, 401, 401, 200, 200]
--- wechat_total: 0
--- backend_count: 2



=== TEST 20: WeChat is asked before the body's end: the code is refused
--- config
    location /t {
        wx_openid        on;
        lingering_timeout  100ms;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- raw_request eval
main::raw('POST /t', ['Content-Type: application/json',
                      'X-WX-Code: err-40029-x', 'Content-Length: 100000'],
          '{"code":"')
--- error_code: 401
--- response_body_like: "errcode":40029
--- wechat_total: 1
--- backend_count: 0



=== TEST 21: WeChat is asked before the body's end: the code is good
--- config
    location /t {
        wx_openid        on;
        lingering_timeout  100ms;
        add_header       X-Openid $wx_openid always;
        try_files        /none =404;
    }
--- raw_request eval
[main::raw('POST /t', ['Content-Type: application/json',
                       "X-WX-Code: $main::Code", 'Content-Length: 100000'],
           '{"code":"')]
--- error_code: 404
--- response_headers eval
"X-Openid: %OPENID($main::Code)%"
--- wechat_total: 1



=== TEST 22: a body that began to come while WeChat was asked passes whole
--- config
    location /t {
        wx_openid        on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
        add_header  X-Openid $wx_openid;
    }
--- raw_request eval
[main::raw('POST /t', ['X-WX-Code: delay-150-body', 'Content-Length: 90000'],
           substr(main::binary(90000), 0, 100)),
 substr(main::binary(90000), 100, 40000), substr(main::binary(90000), 40100)]
--- raw_request_middle_delay: 0.05
--- response_body eval
main::sum_of(main::binary(90000))
--- response_headers
X-Openid: %OPENID(delay-150-body)%
--- wechat_total: 1



=== TEST 23: client_max_body_size: 413, whatever the framing
--- config
    location /t {
        client_max_body_size  1000;
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- no_http2: curl drops an answer that does not wait for the body
--- request eval
["POST /t\n" . main::padded(1001),
 "POST /t\n" . main::chunks(main::padded(1001), 100),
 "POST /t\n" . main::padded(1000)]
--- more_headers eval
["Content-Type: application/json",
 "Content-Type: application/json\nTransfer-Encoding: chunked",
 "Content-Type: application/json"]
--- error_code eval
[413, 413, 200]
--- wechat_total: 1
--- backend_count: 1



=== TEST 24: a body too large, with an error_page that needs an identity
--- config
    error_page  413 /large;
    location /t {
        client_max_body_size  1000;
        wx_openid       on;
        wx_openid_code  form:code;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location /large {
        wx_openid   on;
        add_header  X-Openid $wx_openid always;
        empty_gif;
    }
    location /named {
        client_max_body_size  1000;
        wx_openid   on;
        error_page  413 @large;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
    location @large {
        client_max_body_size  1000;
        wx_openid       on;
        wx_openid_code  form:code $http_x_wx_code;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
["POST /t\n" . main::chunks("code=$main::Code" . '&' x 1000, 500),
 "POST /t\n" . main::chunks("code=$main::Code" . '&' x 1000, 500),
 "POST /named\n" . main::chunks("code=$main::Code" . '&' x 1000, 500),
 "POST /named\n" . main::chunks("code=" . 'x' x 1000, 500)]
--- more_headers eval
["Content-Type: application/x-www-form-urlencoded\nTransfer-Encoding: chunked",
 "Content-Type: application/x-www-form-urlencoded\n"
 . "Transfer-Encoding: chunked\n"
 . 'X-WX-Code: %CODE%',
 ("Content-Type: application/x-www-form-urlencoded\n"
 . 'Transfer-Encoding: chunked') x 2]
--- error_code eval
[401, 413, 401, 401]
--- response_body_like eval
['login_required', '\AGIF', 'login_required',
 'login_required']
--- response_headers eval
['X-Openid:', 'X-Openid: %OPENID%', 'X-Openid:', 'X-Openid:']
--- wechat_count: %CODE%=1
--- wechat_total: 1



=== TEST 25: a large binary body passes whole beside a code in a header
--- config
    location /t {
        client_max_body_size  2m;
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
    }
    location /unbuffered {
        client_max_body_size  2m;
        wx_openid   on;
        proxy_http_version       1.1;
        proxy_request_buffering  off;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
    }
--- raw_request eval
main::with_length('POST /t', ["X-WX-Code: $main::Code"],
                  main::binary(1000000))
--- response_body eval
main::sum_of(main::binary(1000000))
--- wechat_total: 1



=== TEST 26: the same without buffering
--- config
    location /t {
        client_max_body_size  2m;
        wx_openid   on;
        proxy_http_version       1.1;
        proxy_request_buffering  off;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
    }
--- raw_request eval
main::chunked('POST /t', ["X-WX-Code: $main::Code"],
              main::binary(1000000), 60000)
--- response_body eval
main::sum_of(main::binary(1000000))
--- wechat_total: 1



=== TEST 27: a client that leaves amid its body: WeChat is not asked
--- raw_request eval
main::raw('POST /t', ['Content-Type: application/json',
                      'Content-Length: 1000'], $main::Json)
--- shutdown: 1
--- ignore_response
--- wechat_total: 0
--- backend_count: 0
--- error_log
client prematurely closed connection



=== TEST 28: the same with chunks
--- raw_request eval
main::raw('POST /t', ['Content-Type: application/json',
                      'Transfer-Encoding: chunked'],
          sprintf "%x\r\n%s\r\n", length $main::Json, $main::Json)
--- shutdown: 1
--- ignore_response
--- wechat_total: 0
--- backend_count: 0
--- error_log
client prematurely closed connection



=== TEST 29: a body that is not valid chunks: 400, WeChat is not asked
--- raw_request eval
main::raw('POST /t', ['Content-Type: application/json',
                      'Transfer-Encoding: chunked'], "nonsense\r\n")
--- error_code: 400
--- wechat_total: 0
--- backend_count: 0



=== TEST 30: the body read in one location is searched in the next as well
--- config
    location /t {
        wx_openid       optional;
        wx_openid_code  json:other;
        try_files       /none /next;
    }
    location /next {
        wx_openid       on;
        wx_openid_code  json:code;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
POST /t
{"code":"%CODE%"}
--- more_headers
Content-Type: application/json
--- response_body_like
(?m)\APOST /next .*^X-WX-OPENID: %OPENID%$.*^\{"code":"%CODE%"\}$
--- wechat_count: %CODE%=1



=== TEST 31: HTTP/2: JSON, form, and a code elsewhere
--- h2
--- request eval
[qq(POST /t\n{"code":"%CODE%"}), "PUT /t\na=b&code=%CODE2%",
 "POST /t?code=%CODE3%\nbody", "POST /t\nbody"]
--- more_headers eval
["Content-Type: application/json",
 "Content-Type: application/x-www-form-urlencoded", "",
 "Content-Type: application/json"]
--- error_code eval
[200, 200, 200, 401]
--- response_body_like eval
['(?m)^X-WX-OPENID: %OPENID%$.*^\{"code":"%CODE%"\}\z',
 '(?m)^X-WX-OPENID: %OPENID2%$.*^a=b&code=%CODE2%\z',
 '(?m)^X-WX-OPENID: %OPENID3%$.*^body\z',
 '^\{"error":"login_required"\}$']
--- wechat_total: 3



=== TEST 32: HTTP/2: large bodies, searched or not, buffered or not
--- h2
--- config
    client_body_buffer_size  512;
    wx_openid                on;
    wx_openid_body_limit     200k;
    location /t {
        client_max_body_size  2m;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
        add_header  X-Openid $wx_openid;
    }
    location /unbuffered {
        client_max_body_size  2m;
        proxy_http_version       1.1;
        proxy_request_buffering  off;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
        add_header  X-Openid $wx_openid;
    }
--- request eval
[map { ("POST $_\n" . main::padded(190000),
        "POST $_?code=$main::Code\n" . main::padded(290000)) }
 qw(/t /unbuffered)]
--- more_headers
Content-Type: application/json
--- response_headers eval
[("X-Openid: %OPENID($main::Code)%") x 4]
--- response_body eval
[(main::sum_of(main::padded(190000)), main::sum_of(main::padded(290000))) x 2]
--- wechat_total: 4



=== TEST 33: HTTP/2: nginx refuses a body too large, WeChat is not asked
--- h2
--- config
    location /t {
        client_max_body_size  1000;
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request eval
"POST /t\n" . main::padded(1001)
--- more_headers
Content-Type: application/json
--- ignore_response
--- error_log
client intended to send too large body
--- wechat_total: 0
--- backend_count: 0



=== TEST 34: a mirror gets the searched body as well
--- config
    location /t {
        wx_openid  on;
        mirror     /mirror;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
    }
    location /mirror {
        internal;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT/sum;
    }
--- request eval
["POST /t\n" . main::padded(1000), "POST /t\n" . main::padded(15000)]
--- more_headers
Content-Type: application/json
--- response_body eval
[main::sum_of(main::padded(1000)), main::sum_of(main::padded(15000))]
--- backend_count: 4
--- backend_never
Content-Length: 0
--- wechat_total: 2

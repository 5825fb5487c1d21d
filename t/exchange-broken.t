# Every way in which a reply of WeChat can be wrong: each is sent once by the
# stand-in (t/tools/wechat --faults), over every kind of line.

use lib 't/lib';
use WxOpenid;
use WxOpenid::Steps;

use List::Util qw(shuffle);

# what the log line of ours names

my $Line = 'unusable reply of "[\w.:]+" at 127\.0\.0\.1:\d+: ';

my %Cause = (
    status_line => $Line . 'invalid status line',
    header      => $Line . 'invalid header',
    length      => $Line . 'invalid length',
    encoding    => $Line . 'unsupported encoding',
    switched    => $Line . 'switched protocols',
    chunk       => $Line . 'invalid chunk',
    too_large   => $Line . 'too large',
    json        => $Line . 'not a JSON object',
    repeated    => $Line . 'repeated member',
    errcode     => $Line . 'invalid errcode',
    openid      => $Line . 'no usable openid',
    unionid     => $Line . 'invalid unionid',
    session_key => $Line . 'invalid session_key',
    closed      => 'connection closed before a reply, ',
    cut         => 'connection closed in the middle of the reply, ',
    unknown     => 'WeChat\'s errcode 99999 "something new, rid: ',
);

# faults that end in 502 bad_gateway, by their cause

my %Broken = (
    status_line => [qw(bad_status garbage http09 http2 long_status)],
    header      => [qw(folded header_no_colon header_nul)],
    length      => [qw(cl_empty cl_list cl_negative cl_plus cl_te cl_text
                       two_cl two_cl_same)],
    encoding    => [qw(gzip te_gzip te_unknown two_te)],
    switched    => [qw(switching)],
    chunk       => [qw(chunk_bad_size chunk_huge chunk_negative
                       chunk_no_crlf chunk_overflow)],
    too_large   => [qw(cl_huge cl_overflow early_endless endless_body
                       endless_chunks endless_header huge_body huge_header
                       many_headers)],
    json        => [qw(array bad_escape chunk_empty deep_6000 deep_open
                       empty errmsg_nul html json_comma json_comment
                       json_cut json_open json_single leading_nul
                       nul_between null number openid_key_nul openid_nul
                       openid_raw_crlf openid_raw_nul raw_newline string
                       surrogate trailing trailing_nul trailing_object
                       unionid_nul utf16)],
    repeated    => [qw(dup_errcode dup_escaped dup_openid dup_session_key
                       dup_unionid)],
    errcode     => [qw(errcode_false errcode_float errcode_huge errcode_null
                       errcode_object errcode_small errcode_string
                       errcode_string_zero)],
    openid      => [qw(errcode_alone object_empty openid_129 openid_array
                       openid_crlf openid_empty openid_missing openid_null
                       openid_number openid_object openid_slash openid_space
                       openid_true openid_upper openid_utf8)],
    unionid     => [qw(unionid_129 unionid_crlf unionid_number)],
    session_key => [qw(session_key_65 session_key_charset session_key_crlf
                       session_key_number)],
    closed      => [qw(close reset)],
    cut         => [qw(chunk_cut chunk_short half_header half_line
                       half_record no_body reset_body reset_header short
                       short_by_one tls_notify)],
    unknown     => [qw(errcode_unknown)],
);

# no end in sight: 504 wechat_timeout

my %Stalled = (
    'no reply in time'           => [qw(stall)],
    'reply not finished in time' => [qw(stall_body stall_chunk stall_header
                                        stall_line)],
);

# refused as invalid_code, with this for the client

my $Rid = ', rid: [0-9a-f-]+';

my %Refused = (
    errcode_exponent    => '"x"',
    errcode_with_openid => '"invalid code"',
    errmsg_crlf         => "\"a\\?\\?2026/01/01 \\[alert\\] b$Rid\"",
    errmsg_html         => "\"<script>alert\\(1\\)</script>$Rid\"",
    errmsg_long         => '"a{256}"',
    errmsg_missing      => undef,
    errmsg_number       => undef,
    errmsg_old          => '"invalid code, view more at http:.*"',
    errmsg_quotes       => "\"a \\\\\"b\\\\\" \\\\\\\\ c / d$Rid\"",
    errmsg_utf8         => '"\?{6} code"',
);

# odd, and yet a reply with one usable openid: the code's own where no other

my %Good = map { $_ => undef } qw(
    bad_utf8 bom chunked chunked_after chunked_extras chunked_one conn_close
    conn_close_kept deep_64 early_100 early_103 early_many early_split
    errcode_zero extra extra_buffer extra_bytes extra_members extra_record
    headers http10
    http10_length identity idle_close idle_reset late leading_space lf_only
    many_members no_length no_reason number_huge openid_escaped records
    records_late
    session_key_64 session_key_empty session_key_null slow_all slow_body
    slow_header split_header stale_close stale_partial stale_reset
    stale_stall trailing_space unionid_128 unionid_empty unionid_null
);

$Good{openid_1} = 'a';
$Good{openid_128} = 'a' x 128;
$Good{openid_charset} = 'aZ09_-.';


my (%Expected, %Status);

sub expect {
    my ($fault, %what) = @_;
    die "$fault is expected twice\n" if $Expected{$fault};
    $Expected{$fault} = \%what;
}

for my $cause (keys %Broken) {
    expect($_, status => 502, body => '\{"error":"bad_gateway"\}',
           line => "\\[error\\] .* wx_openid: bad_gateway: $Cause{$cause}")
        for @{ $Broken{$cause} };
}

for my $cause (keys %Stalled) {
    expect($_, status => 504, body => '\{"error":"wechat_timeout"\}',
           path => '/stalled',
           line => "\\[error\\] .* wx_openid: wechat_timeout: $cause, ")
        for @{ $Stalled{$cause} };
}

for my $fault (keys %Refused) {
    my $errmsg = $Refused{$fault};
    my $told = defined $errmsg ? ",\"errmsg\":$errmsg" : '';
    expect($fault, status => 401,
           body => "\\{\"error\":\"invalid_code\",\"errcode\":40029$told\\}",
           line => '\[info\] .* wx_openid: invalid_code: '
                   . 'WeChat\'s errcode 40029 ');
}

for my $fault (keys %Good) {
    expect($fault, status => 200, openid => $Good{$fault});
}


sub check {
    my ($name, $fault) = @_;
    my $wanted = $Expected{$fault};
    my $code = new_code("fault-$fault");
    my $asked = backend('total');

    my $answer = ask_with_code($code, $wanted->{path});
    my @lines = grep { /wx_openid: / } new_log_lines();
    my $openid = $wanted->{openid} // wx_openid_of($code);
    my $body = $wanted->{body} // "(?m:^X-WX-OPENID: \Q$openid\E\$)(?s:.*)";

    $name = "$name - $fault";

    is(status_of($answer), $wanted->{status}, "$name - status");
    like(body_of($answer), qr/(?:^|\n)$body$/, "$name - body");
    is(wechat("count?code=$code"), 1, "$name - WeChat was asked once");
    is(backend('total') - $asked, $wanted->{line} ? 0 : 1,
       "$name - the upstream was asked for an identity only");

    if ($wanted->{line}) {
        is(scalar @lines, 1, "$name - one log line");
        like($lines[0] // '', qr/$wanted->{line}/, "$name - log line");
    } else {
        is("@lines", '', "$name - no log line");
    }
}

# in another order every time

sub check_all {
    my ($name, @but) = @_;
    my %but = map { $_ => 1 } @but;
    my @faults = split /\n/, `t/tools/wechat --faults`;

    is_deeply([sort keys %Expected], \@faults,
              "$name - every fault of the stand-in is here");

    check($name, $_) for grep { !$but{$_} } shuffle(@faults);
}

sub number_of_checks {
    my %but = map { $_ => 1 } @_;
    my $n = 1;

    for my $fault (grep { !$but{$_} } keys %Expected) {
        $n += $Expected{$fault}{line} ? 6 : 5;
    }

    return $n;
}

# On a connection that is kept these are no matter of one reply: the first is
# the answer to what was not yet asked, the others are in at-most-once.t.

our @Later = qw(
    late close reset stale_close stale_partial stale_reset stale_stall
);

repeat_each(2);
log_level('info');

$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();

plan tests => wx_tests() + steps_tests();

no_long_string();
run_tests();

__DATA__

=== TEST 1: plain, a connection for each
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://127.0.0.1:$TEST_NGINX_WECHAT_PORT;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /stalled {
        wx_openid               on;
        wx_openid_read_timeout  100ms;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
check_all($name);
--- checks eval
main::number_of_checks()
--- no_error_log eval
qr/^\S+ \S+ \[(?:alert|crit|emerg)\]/



=== TEST 2: TLS
--- http_config
    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /stalled {
        wx_openid               on;
        wx_openid_read_timeout  100ms;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- request
GET /ready
--- error_code: 204
--- steps
check_all($name);
--- checks eval
main::number_of_checks()
--- no_error_log eval
qr/^\S+ \S+ \[(?:alert|crit|emerg)\]/



=== TEST 3: TLS, a group's kept connection carries no reply over to the next
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_TLS_PORT;
        keepalive  1;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  https://wechat;
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $TEST_NGINX_CERTS/ca.pem;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /stalled {
        wx_openid               on;
        wx_openid_read_timeout  100ms;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- one_worker: connections are kept by each worker
--- request
GET /ready
--- error_code: 204
--- steps
check_all($name, our @Later);
--- checks eval
main::number_of_checks(@main::Later)
--- no_error_log eval
qr/^\S+ \S+ \[(?:alert|crit|emerg)\]/



=== TEST 4: plain, a group's kept connection
--- http_config
    upstream wechat {
        server     127.0.0.1:$TEST_NGINX_WECHAT_PORT;
        keepalive  1;
    }

    wx_openid_app   wxtest $TEST_NGINX_SECRET;
    wx_openid_pass  http://wechat;
--- config
    location = /ready {
        return  204;
    }

    location /t {
        wx_openid   on;
        proxy_pass  http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }

    location /stalled {
        wx_openid               on;
        wx_openid_read_timeout  100ms;
        proxy_pass              http://127.0.0.1:$TEST_NGINX_BACKEND_PORT;
    }
--- one_worker: connections are kept by each worker
--- request
GET /ready
--- error_code: 204
--- steps
check_all($name, our @Later);
--- checks eval
main::number_of_checks(@main::Later)
--- no_error_log eval
qr/^\S+ \S+ \[(?:alert|crit|emerg)\]/



=== TEST 5: what WeChat said first is not what its next reply failed by
--- http_config eval
$ENV{TEST_NGINX_WX_CONFIG} =~ s/wx_openid_pass.*?;//sr . '
    wx_openid_pass          http://unix:$TEST_NGINX_HTML_DIR/wechat.sock;
    wx_openid_keepalive     4;
    wx_openid_busy_retries  1;

    server {
        listen  unix:$TEST_NGINX_HTML_DIR/wechat.sock;

        location / {
            if ($connection_requests ~ [02468]$) {
                return  500;
            }
            return  200  "{\"errcode\":-1,\"errmsg\":\"system error\"}";
        }
    }
'
--- config
    location /t {
        wx_openid   on;
        add_header  X-Errcode "[$wx_openid_errcode]" always;
        empty_gif;
    }
--- request
GET /t
--- more_headers
X-WX-Code: %CODE%
--- error_code: 502
--- response_headers
X-Errcode: []
--- error_log eval
qr/ wx_openid: bad_gateway: (?!WeChat's errcode)/

package WxOpenid::Requests;

# A request of every kind that the module serves, and what a good answer to
# it is, for suites that care for what happens meanwhile: no memory, leaks.
#
#     my $nginx = start_all_kinds({ env => ... }, $pass, $more_in_http);
#     my $ask = ask_for($kind);        { text, good, before }
#     ask($nginx, $ask->{before}) if $ask->{before};
#     $ask->{good}->(ask($nginx, $ask->{text})) or ...
#
# WxOpenid::Servers has to be started, and WxOpenid::Token loaded, before.

use strict;
use warnings;

use Exporter 'import';
use IO::Select ();
use IO::Socket::INET ();
use WxOpenid::Nginx ();
use WxOpenid::Servers qw(wx_openid_of wx_unionid_of);
use WxOpenid::Token;

our @EXPORT = qw(
    start_all_kinds all_kinds ask_for code_in_header
    new_code request send_request answer ask good_echo
);

# a request that is not answered for so long never will be
my $Patience = 15;

my $Codes = 0;

sub new_code {
    my ($kind) = @_;
    return "$kind-$$-" . ++$Codes;
}

sub start_all_kinds {
    my ($conf, $pass, $more) = @_;

    # one worker: memory that fails or is counted is one's
    return WxOpenid::Nginx->start(workers => 1, %$conf, http => <<"END");
    wx_openid_app           wxtest $ENV{TEST_NGINX_SECRET};
    wx_openid_pass          $pass;
    wx_openid_session_keys  $ENV{TEST_NGINX_KEYS};
    $more

    server {
        listen  127.0.0.1:%PORT%;

        location / {
            wx_openid   on;
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }

        location /file {
            wx_openid                 on;
            client_body_in_file_only  clean;
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }

        location /optional {
            wx_openid       optional;
            wx_openid_code  \$http_x_wx_code json:code form:code;
            proxy_pass      http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }

        location = /login {
            wx_openid_login;
        }

        location /all {
            wx_openid                 on;
            wx_openid_appid           \$arg_appid\$arg_appid2;
            wx_openid_require         \$wx_openid "1\$arg_a";
            wx_openid_set_header      X-WX-OPENID "\$wx_openid";
            wx_openid_set_header      X-WX-APPID \$wx_openid_appid;
            wx_openid_set_header      X-WX-UNIONID \$wx_openid_unionid;
            wx_openid_set_header      X-WX-SOURCE wx_client;
            wx_openid_set_header      X-Time "t\$wx_openid_exchange_time";
            wx_openid_session_source  \$cookie_wx;
            wx_openid_session_cookie  wx domain=example.com;
            add_header                X-Status "\$wx_openid_status";
            expires                   1h;
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }

        location = /status {
            wx_openid_status;
        }

        location = /json {
            wx_openid_status  json;
        }

        location = /ping {
            return 204;
        }
    }

    server {
        listen       127.0.0.1:%PORT%;
        server_name  pages.test;

        wx_openid    on;
        error_page   500 502 503 504 /50x.html;

        location / {
            proxy_pass  http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }
    }
END
}


# Sending

sub request {
    my ($line, $headers, $body) = @_;
    my %headers = (Host => 'localhost', Connection => 'close', %$headers);

    $headers{'Content-Length'} = length $body if defined $body;
    return join("\r\n", "$line HTTP/1.1",
                (map { "$_: $headers{$_}" } sort keys %headers), '', '')
           . ($body // '');
}

sub send_request {
    my ($nginx, $text) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $nginx->port)
        or die "nginx: $!\n";
    local $SIG{PIPE} = 'IGNORE';
    print $s $text;
    $s->flush;
    return $s;
}

# all until the end, or "hangs"

sub answer {
    my ($s) = @_;
    my $select = IO::Select->new($s);
    my $got = '';

    while (1) {
        return 'hangs' if !$select->can_read($Patience);
        return $got if !sysread $s, $got, 65536, length $got;
    }
}

sub ask {
    my ($nginx, $text) = @_;
    return answer(send_request($nginx, $text));
}


# Answers

# 200, and whole
sub good {
    my ($answer) = @_;
    my ($head, $body) = split /\r\n\r\n/, $answer, 2;

    return $answer =~ /\AHTTP\/1\.1 200 / && defined $body
           && $head =~ /^Content-Length: (\d+)/m && length $body == $1;
}

# and the upstream got all of the identity
sub good_echo {
    my ($answer, $openid, $unionid) = @_;

    return good($answer) && $answer =~ /^X-WX-OPENID: \Q$openid\E$/m
           && $answer =~ /^X-WX-APPID: wxtest$/m
           && $answer =~ /^X-WX-SOURCE: wx_client$/m
           && (!defined $unionid
               || $answer =~ /^X-WX-UNIONID: \Q$unionid\E$/m);
}


# The kinds

sub with_code {
    my ($code, $line, $headers, $body) = @_;

    return { text => request($line, $headers, $body), good => sub {
        good_echo($_[0], wx_openid_of($code), wx_unionid_of($code));
    } };
}

sub with_token {
    my ($line, $headers, $more, $unionid) = @_;

    return { text => request($line, $headers), good => sub {
        good_echo($_[0], 'oTOKEN', $unionid) && $_[0] =~ $more;
    } };
}

sub code_in_header {
    my $code = new_code('union');
    return with_code($code, 'GET /t', { 'X-WX-Code' => $code });
}

sub code_in_json {
    my ($path, $code) = @_;
    return with_code($code, "POST $path",
                     { 'Content-Type' => 'application/json' },
                     qq({"a":[1,{"b":"c"}],"code":"$code"}));
}

sub code_in_form {
    my ($path) = @_;
    my $code = new_code('union');
    return with_code($code, "POST $path",
                     { 'Content-Type' => 'application/x-www-form-urlencoded',
                     }, "a=b&code=$code");
}

# a request that is refused is answered in full

sub refused {
    my ($status, $error, $line, $headers) = @_;

    return { text => request($line, $headers // {}), good => sub {
        $_[0] =~ /\AHTTP\/1\.1 $status .*\r\n\r\n\{"error":"$error".*\}\z/s;
    } };
}

sub refused_code {
    my ($status, $error, $code) = @_;
    return refused($status, $error, 'GET /t',
                   { 'X-WX-Code' => new_code($code) });
}

sub plain_request {
    my ($line, $last) = @_;
    return { text => request($line, {}),
             good => sub { good($_[0]) && $_[0] =~ $last } };
}

# "before" is to be asked first

my %Kind = (
    'a code in the header' => \&code_in_header,
    'a code in the query' => sub {
        my $code = new_code('union');
        return with_code($code, "GET /t?code=$code", {});
    },
    'a code in a JSON body' => sub {
        return code_in_json('/t', new_code('union'));
    },
    'a code in a JSON body, in a file' => sub {
        return code_in_json('/file', new_code('union'));
    },
    'a code in a form' => sub {
        return code_in_form('/t');
    },
    'a code in a JSON body, optional' => sub {
        return code_in_json('/optional', new_code('union'));
    },
    'a code in a form, optional' => sub {
        return code_in_form('/optional');
    },
    'a token of another library' => sub {
        my $token = token(unionid => 'oUNION');
        return with_token('GET /t', { 'X-WX-Session' => $token }, qr//,
                          'oUNION');
    },
    'a token, optional' => sub {
        my $token = token();
        return with_token('GET /optional',
                          { Authorization => "Bearer $token" }, qr//);
    },
    'a token that is renewed' => sub {
        my $token = token(iat => time - 5000);
        return with_token('GET /t', { 'X-WX-Session' => $token },
                          qr/^X-WX-Session: eyJ/m);
    },
    'a login' => sub {
        my $code = new_code('union');
        my $ask = code_in_json('/login', $code);
        my $openid = wx_openid_of($code);

        $ask->{good} = sub {
            good($_[0]) && $_[0] =~ /"openid":"\Q$openid\E"/
                && $_[0] =~ /"session":"eyJ/;
        };
        return $ask;
    },
    'all that a location may ask' => sub {
        my $code = new_code('union');
        return with_code($code, 'GET /all?appid=wx&appid2=test',
                         { 'X-WX-Code' => $code });
    },
    'a cookie that is renewed' => sub {
        my $token = token(iat => time - 5000);
        return with_token('GET /all?appid=wxtest',
                          { Cookie => "a=b; wx=$token; c=d" },
                          qr/^Set-Cookie: wx=eyJ/m);
    },
    'no code' => sub {
        return refused(401, 'login_required', 'GET /t');
    },
    'a used code' => sub {
        return refused_code(401, 'invalid_code', 'err-40163');
    },
    'too many requests' => sub {
        return refused_code(429, 'rate_limited', 'err-45011');
    },
    'a wrong secret' => sub {
        return refused_code(500, 'misconfigured', 'err-40125');
    },
    'an unknown app' => sub {
        my $code = new_code('good');
        return refused(403, 'unknown_app', 'GET /all?appid=other',
                       { 'X-WX-Code' => $code });
    },
    'a damaged token' => sub {
        return refused(401, 'invalid_session', 'GET /t',
                       { 'X-WX-Session' => token() . 'A' });
    },
    'a code where errors have a page that wants one' => sub {
        my $code = new_code('union');
        return with_code($code, 'GET /t', { 'X-WX-Code' => $code,
                                            Host => 'pages.test' });
    },
    'a result of the zone' => sub {
        my $ask = code_in_header();
        return { %$ask, before => $ask->{text} };
    },
    'counters for Prometheus' => sub {
        return plain_request('GET /status',
                             qr/^wx_openid_cache_evictions_total \d+$/m);
    },
    'counters as JSON' => sub {
        return plain_request('GET /json', qr/\}\s*\z/);
    },
);

sub all_kinds {
    return sort keys %Kind;
}

sub ask_for {
    my ($kind) = @_;
    return $Kind{$kind}->();
}

1;

# No memory: each allocation that a request makes fails once, and each from
# there on.  Nobody gets in by that, nobody waits for ever, nothing leaks,
# and the next request is served.
#
# An nginx built with NGX_DEBUG_PALLOC makes many more of them than one whose
# pools are whole pages; both are worth a run.

use strict;
use warnings;

use lib 't/lib';
use IO::Select ();
use IO::Socket::INET ();
use Test::More;
use WxOpenid::Memory;
use WxOpenid::Nginx;
use WxOpenid::Servers qw(
    wechat backend wx_openid_of wx_unionid_of wx_session_key_of
);
use WxOpenid::Token;

# a failure that leaves somebody waiting is one of its own
my $Patience = 15;

my $Codes = 0;
my $Memory = WxOpenid::Memory->new
    or plan skip_all => 'this nginx has an allocator of its own';

WxOpenid::Servers::start_all();

sub new_code {
    my ($kind) = @_;
    return "$kind-$$-" . ++$Codes;
}

sub start {
    my ($pass, $more) = @_;

    return WxOpenid::Nginx->start(env => $Memory->env, http => <<"END");
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

        location /optional {
            wx_openid       optional;
            wx_openid_code  \$http_x_wx_code json:code form:code;
            proxy_pass      http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT};
        }

        location = /login {
            wx_openid_login;
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
END
}


# Requests

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


# What an answer may be.  An upstream that got a request got all of the
# identity; a client may have lost any part of it.

my $Lost = qr/\A(?:HTTP\/1\.1 50\d |\z)/;

# 200, and whole

sub good {
    my ($answer) = @_;
    my ($head, $body) = split /\r\n\r\n/, $answer, 2;

    return $answer =~ /\AHTTP\/1\.1 200 / && defined $body
           && $head =~ /^Content-Length: (\d+)/m && length $body == $1;
}

sub echo_has {
    my ($answer, $openid, $unionid) = @_;

    return good($answer) && $answer =~ /^X-WX-OPENID: \Q$openid\E$/m
           && $answer =~ /^X-WX-APPID: wxtest$/m
           && $answer =~ /^X-WX-SOURCE: wx_client$/m
           && (!defined $unionid
               || $answer =~ /^X-WX-UNIONID: \Q$unionid\E$/m);
}

# a request with a code, and what its answer has to be

sub with_code {
    my ($code, $line, $headers, $body) = @_;

    return { text => request($line, $headers, $body), good => sub {
        echo_has($_[0], wx_openid_of($code), wx_unionid_of($code));
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
    my ($path, $code) = @_;
    return with_code($code, "POST $path",
                     { 'Content-Type' => 'application/x-www-form-urlencoded',
                     }, "a=b&code=$code");
}

sub plain_request {
    my ($line, $good) = @_;
    return { text => request($line, {}), good => $good };
}

# what is to be asked, anew each time; "before" is asked without failures

my %Request = (
    'a code in the header' => \&code_in_header,
    'a code in the query' => sub {
        my $code = new_code('union');
        return with_code($code, "GET /t?code=$code", {});
    },
    'a code in a JSON body' => sub {
        return code_in_json('/t', new_code('union'));
    },
    'a code in a form' => sub {
        return code_in_form('/t', new_code('union'));
    },
    'a code in a JSON body, optional' => sub {
        return code_in_json('/optional', new_code('union'));
    },
    'a code in a form, optional' => sub {
        return code_in_form('/optional', new_code('union'));
    },
    'a token' => sub {
        my $token = token(unionid => 'oUNION');
        return { text => request('GET /t', { 'X-WX-Session' => $token }),
                 good => sub { echo_has($_[0], 'oTOKEN', 'oUNION') } };
    },
    'a token, optional' => sub {
        my $token = token();
        return { text => request('GET /optional',
                                 { Authorization => "Bearer $token" }),
                 good => sub { echo_has($_[0], 'oTOKEN') } };
    },
    'a token that is renewed' => sub {
        my $token = token(iat => time - 5000);
        return { text => request('GET /t', { 'X-WX-Session' => $token }),
                 good => sub {
                     echo_has($_[0], 'oTOKEN')
                         && $_[0] =~ /^X-WX-Session: eyJ/m;
                 } };
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
    'a result of the zone' => sub {
        my $code = new_code('union');
        my $ask = with_code($code, 'GET /t', { 'X-WX-Code' => $code });
        return { %$ask, before => $ask->{text} };
    },
    'counters for Prometheus' => sub {
        return plain_request('GET /status', sub {
            good($_[0]) && $_[0] =~ /^wx_openid_cache_evictions_total \d+$/m;
        });
    },
    'counters as JSON' => sub {
        return plain_request('GET /json', sub {
            good($_[0]) && $_[0] =~ /\}\s*\z/;
        });
    },
);


# Runs

my @Reports;

# once more when it is over: nothing must have stayed behind

sub serves {
    my ($nginx) = @_;
    my $ask = code_in_header();
    return $ask->{good}->(ask($nginx, $ask->{text}));
}

sub report {
    my ($kind, $n, $answer) = @_;

    $answer =~ s/\r\n\r\n.*//s;
    push @Reports, "$kind, allocation $n: \"$answer\"\n" . $Memory->trace
        if @Reports < 5;
    return 0;
}

# the answers to a request whose N-th allocation fails are as they may be

sub survives {
    my ($nginx, $kind, $ask, $n, $on) = @_;

    ask($nginx, $ask->{before}) if $ask->{before};

    $Memory->fail($n, $on);
    my $answer = ask($nginx, $ask->{text});
    my $failed = $Memory->left == 0;
    $Memory->clear;

    my $ok = $ask->{good}->($answer) || $failed && $answer =~ $Lost;

    return ($failed, $ok || report($kind, $n, $answer));
}

# one request leads, this one follows it, and the worker runs out of memory

sub survives_together {
    my ($nginx, $kind, $n, $on) = @_;
    my $code = new_code('hold');
    my $text = request('GET /t', { 'X-WX-Code' => $code });
    my $openid = wx_openid_of($code);

    my $leader = send_request($nginx, $text);
    wechat("wait?code=$code");

    # the worker takes connections in turn, so it waits once this is answered
    $Memory->fail($n, $on);
    my $follower = send_request($nginx, $text);
    ask($nginx, request('GET /ping', {}));
    wechat("release?code=$code");

    my @answers = (answer($leader), answer($follower));
    my $failed = $Memory->left == 0;
    $Memory->clear;

    my $ok = 1;

    for my $answer (@answers) {
        $ok = 0 if !echo_has($answer, $openid)
                   && !($failed && $answer =~ $Lost);
    }

    return ($failed, $ok || report($kind, $n, join ' + ', @answers));
}

# "steps" gives how far it is to the next that fails

sub run_kind {
    my ($nginx, $kind, $on, $run, $steps) = @_;
    my ($bad, $dead, $n) = (0, 0, 0);
    my $name = $on ? "$kind, all from there on" : $kind;

    serves($nginx) for 1 .. 3;
    my ($live) = $Memory->live;

    while (1) {
        $n += $steps ? $steps->() : 1;
        my ($failed, $ok) = $run->($n, $on);

        $bad++ if !$ok;
        $dead++ if !serves($nginx);
        last if !$failed || $bad > 20;
    }


    is($bad, 0, "$name: each answer is one that may be")
        or diag(splice @Reports);
    is($dead, 0, "$name: the next request is served");
    cmp_ok($n, '>', 3, "$name: $n allocations");

    # connections that are kept have some, and OpenSSL more
    my ($now) = $Memory->live;
    cmp_ok(abs $now - $live, '<', $steps ? 100 : 30, "$name: none is lost");
}

sub run_all {
    my ($nginx, $what, $steps, @kinds) = @_;
    my ($worker) = $nginx->workers;
    my $seen = backend('total');

    for my $on (0, 1) {
        for my $kind (@kinds) {
            run_kind($nginx, "$what, $kind", $on, sub {
                survives($nginx, $kind, $Request{$kind}->(), @_);
            }, $steps);
        }
    }

    my @log = @{ backend('log') };

    is((grep { "@{ $_->{lines} }" !~ /X-WX-OPENID: o.*X-WX-APPID: wx/ }
        @log[$seen .. $#log]), 0,
       "$what: no request passed without an identity");

    is_deeply([$nginx->workers], [$worker], "$what: the worker lives");
}

sub ends_well {
    my ($nginx, $what) = @_;

    is($nginx->counters->{exchanges}{in_flight}, 0,
       "$what: no exchange is left");

    $nginx->signal('QUIT');
    ok(WxOpenid::Nginx::until_true(sub { $nginx->ended }), "$what: it ends");

    # nginx's own words for no memory are of level emerg and crit
    is(join('', grep { !/malloc failure|stale global SSL error/ }
                $nginx->log_lines(qr/\[alert\]|Sanitizer/)), '',
       "$what: no alert in the log");
}


my $plain = "http://127.0.0.1:$ENV{TEST_NGINX_WECHAT_PORT}";
my $tls = "https://127.0.0.1:$ENV{TEST_NGINX_WECHAT_TLS_PORT}";

my $nginx = start($plain, '');

run_all($nginx, 'kept', undef, sort keys %Request);

for my $on (0, 1) {
    my $kind = 'one who waits for another';
    run_kind($nginx, $kind, $on, sub {
        survives_together($nginx, $kind, @_);
    });
}

ends_well($nginx, 'kept');

$nginx = start($plain, 'wx_openid_keepalive 0; wx_openid_cache off;');
run_all($nginx, 'fresh', undef, 'a code in the header', 'a login');
ends_well($nginx, 'fresh');

# a handshake makes thousands

$nginx = start($tls, <<"END");
    wx_openid_keepalive                0;
    wx_openid_host                     api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $ENV{TEST_NGINX_CERTS}/ca.pem;
END
run_all($nginx, 'TLS', sub { 1 + int rand 40 }, 'a code in the header');
ends_well($nginx, 'TLS');

done_testing();

#!/usr/bin/perl

# The operator's command, build/wx-openid (or WX_OPENID), against the
# stand-in for WeChat and against servers that answer one thing each.

use strict;
use warnings;

use lib 't/lib';

use Fcntl qw(:mode);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use IPC::Open3 qw(open3);
use JSON::PP qw(decode_json encode_json);
use MIME::Base64 qw(decode_base64url);
use POSIX ();
use Symbol qw(gensym);
use Test::More;

use WxOpenid::Servers;

my $Tool = $ENV{WX_OPENID} // "$WxOpenid::Servers::Root/build/wx-openid";
my $Appid = $WxOpenid::Servers::Appid;
my $Secret = $WxOpenid::Servers::Secret;

-x $Tool or BAIL_OUT("$Tool is not built: ./build.sh");

WxOpenid::Servers::start_all();

my $Dir = tempdir('wx_openid_XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $Certs = $ENV{TEST_NGINX_CERTS};
my $Plain = "http://127.0.0.1:$ENV{TEST_NGINX_WECHAT_PORT}";
# another trust store than of the system is for one test alone

delete $ENV{SSL_CERT_FILE};

my @Ca = ('--ca', "$Certs/ca.pem");

$ENV{WX_TEST_SECRET} = $Secret;


sub spew {
    my ($name, $text) = @_;
    open my $fh, '>', "$Dir/$name" or die "$Dir/$name: $!";
    print {$fh} $text;
    close $fh or die "$Dir/$name: $!";
    return "$Dir/$name";
}

sub slurp {
    my ($path) = @_;
    open my $fh, '<', $path or die "$path: $!";
    local $/;
    return scalar <$fh>;
}

# A hash of out, err and exit; nothing that ran may show the secret.

sub run_tool {
    my ($stdin, @args) = @_;

    # files, so that no side waits for the other
    my $in = spew('stdin', $stdin);

    my $pid = fork() // die "fork: $!";
    if ($pid == 0) {
        open STDIN, '<', $in or POSIX::_exit(126);
        open STDOUT, '>', "$Dir/out" or POSIX::_exit(126);
        open STDERR, '>', "$Dir/err" or POSIX::_exit(126);
        exec $Tool, @args or POSIX::_exit(127);
    }
    waitpid $pid, 0;

    my $run = {
        exit => $? & 127 ? "signal $?" : $? >> 8,
        out => slurp("$Dir/out"), err => slurp("$Dir/err"),
    };

    fail("the secret is in the output of @args")
        if index("$run->{out}$run->{err}", $Secret) >= 0;

    return $run;
}

my $Secret_file = spew('secret', "$Secret\n");

sub check {
    return run_tool('', 'check', '--appid', $Appid,
                    '--secret', "file:$Secret_file", @_);
}

# a port at which one connection gets these bytes, once it sent a request

sub canned {
    my ($reply) = @_;

    my $listener = IO::Socket::INET->new(Listen => 1,
                                         LocalAddr => '127.0.0.1')
        or die "listen: $!";

    my $pid = fork() // die "fork: $!";
    if ($pid == 0) {
        my $conn = $listener->accept;
        my $request = '';
        while ($request !~ /\r\n\r\n/) {
            sysread $conn, $request, 4096, length $request or last;
        }
        $request =~ m{secret=([^& ]*)};
        my $secret = $1 // '';
        $reply =~ s/%SECRET%/$secret/g;
        local $SIG{PIPE} = 'IGNORE';
        print {$conn} $reply;
        close $conn;
        POSIX::_exit(0);
    }

    return ($pid, $listener->sockport);
}

sub http {
    my ($status, $body, $headers) = @_;
    return "HTTP/1.1 $status\r\nContent-Length: " . length($body) . "\r\n"
        . ($headers // '') . "\r\n$body";
}

sub check_canned {
    my ($reply, @args) = @_;
    my ($pid, $port) = canned($reply);
    my $run = check('--url', "http://127.0.0.1:$port", @args);
    waitpid $pid, 0;
    return $run;
}

sub keys_of {
    my ($path) = @_;
    return map { $_->{kid} } @{ decode_json(slurp($path))->{keys} };
}


subtest 'check: all is well' => sub {
    my $run = check('--url', $Plain);

    is $run->{exit}, 0, 'exit status';
    is $run->{err}, '', 'no complaint';
    like $run->{out}, qr/^asking \Q$Plain\E as \Q$Appid\E$/m, 'who is asked';

    for my $step (qw(DNS TCP HTTP JSON)) {
        like $run->{out}, qr/^  \Q$step\E +ok +\d+\.\d ms  \S/m, $step;
    }
    unlike $run->{out}, qr/^  TLS/m, 'no TLS without https';
    like $run->{out}, qr/errcode 40029/, 'errcode';
    like $run->{out}, qr/^All is well/m, 'words';
};

subtest 'check: the question is WeChat\'s' => sub {
    check('--url', "$Plain/prefix/");

    my ($last) = reverse @{ WxOpenid::Servers::wechat('log') };

    is $last->{appid}, $Appid, 'appid';
    unlike $last->{code}, qr/^\w{32}$/, 'the code is made up';

    my $text = WxOpenid::Servers::wechat('last');

    like $text, qr{^GET /prefix/sns/jscode2session\?appid=}, 'prefix';
    like $text, qr/&grant_type=authorization_code HTTP/, 'grant type';
};

subtest 'check: where the secret is read from' => sub {
    my @to = ('check', '--appid', $Appid, '--url', $Plain, '--secret');

    is run_tool('', @to, 'env:WX_TEST_SECRET')->{exit}, 0, 'environment';
    is run_tool("$Secret\n", @to, '-')->{exit}, 0, 'standard input';
    is run_tool('', @to, 'file:' . spew('crlf', "$Secret\r\n"))->{exit}, 0,
        'a file with CRLF';
    is run_tool('', @to, 'file:' . spew('bare', $Secret))->{exit}, 0,
        'a file without a line end';

    my $run = run_tool('', @to, 'env:WX_TEST_NO_SUCH');
    is $run->{exit}, 1, 'not in the environment';
    like $run->{err}, qr/environment has no "WX_TEST_NO_SUCH"/, 'words';

    $run = run_tool('', @to, "file:$Dir/none");
    is $run->{exit}, 1, 'no file';
    like $run->{err}, qr/cannot open ".*none": No such file/, 'words';

    is run_tool('', @to, 'file:' . spew('empty', "\n"))->{exit}, 1, 'empty';
    is run_tool('', @to, 'file:' . spew('long', 'x' x 600))->{exit}, 1,
        'too long';
    is run_tool('', @to, 'file:' . spew('two', "a\nb\n"))->{exit}, 1,
        'two lines';
};

subtest 'check: a secret on the command line is refused' => sub {
    my $before = WxOpenid::Servers::wechat('total');

    for my $secret ($Secret, "text:$Secret", '') {
        my $run = run_tool('', 'check', '--appid', $Appid, '--url', $Plain,
                           '--secret', $secret);
        is $run->{exit}, 2, 'exit status';
        is $run->{out}, '', 'no output';
    }

    is run_tool('', 'check', '--appid', $Appid, $Secret)->{exit}, 2,
        'nor beside an option';
    is(WxOpenid::Servers::wechat('total'), $before, 'WeChat was not asked');
};

subtest 'check: the secret is not in the process list' => sub {
    my ($in, $out);
    my $err = gensym;
    my $pid = open3($in, $out, $err, $Tool, 'check', '--appid', $Appid,
                    '--secret', "file:$Secret_file", '--url',
                    "http://127.0.0.1:$ENV{TEST_NGINX_WECHAT_MUTE_PORT}");

    # it has read the secret when it has connected
    my $until = time + 8;
    while (time < $until) {
        my $seen = WxOpenid::Servers::wechat(
            'connections?listener=MUTE_PORT');
        last if $seen->{accepts};
        select undef, undef, undef, 0.02;
    }

    for my $what (qw(cmdline comm)) {
        is index(slurp("/proc/$pid/$what"), $Secret), -1, $what;
    }
    like slurp("/proc/$pid/cmdline"), qr/check/, 'it ran';

    kill TERM => $pid;
    waitpid $pid, 0;
};

subtest 'check: appid or secret is wrong' => sub {
    my @to = ('check', '--url', $Plain, '--secret');

    my $run = run_tool('', @to, "file:$Secret_file", '--appid', 'wxnosuch');
    is $run->{exit}, 1, 'exit status';
    like $run->{out}, qr/^  JSON  FAILED .*40013/m, 'errcode';
    like $run->{out}, qr/^WeChat knows no app wxnosuch\./m, 'words';

    $run = run_tool('', @to, 'file:' . spew('wrong', 'NOTTHESECRET'),
                    '--appid', $Appid);
    is $run->{exit}, 1, 'exit status';
    like $run->{out}, qr/^  JSON  FAILED .*40125/m, 'errcode';
    like $run->{out}, qr/^The secret is not the one of \Q$Appid\E\./m,
        'words';
    unlike $run->{out}, qr/NOTTHESECRET/, 'nor is a wrong one shown';

    $run = run_tool('', @to, "file:$Secret_file", '--appid', 'wx nosuch');
    is $run->{exit}, 2, 'no appid at all';
};

subtest 'check: what else WeChat may say' => sub {
    my %problem = (
        40164 => 'address', 40243 => 'secret', -1 => 'busy',
        45009 => 'quota', 45011 => 'rate', 41002 => 'request',
        48001 => 'errcode', 0 => 'not_wechat',
    );

    for my $errcode (sort keys %problem) {
        my $body = encode_json({ errcode => $errcode + 0, openid => 'o1',
                                 errmsg => 'some words' });
        my $run = check_canned(http('200 OK', $body), '--json');

        is $run->{exit}, 1, "$errcode: exit status";
        is decode_json($run->{out})->{problem}, $problem{$errcode},
            "$errcode: problem";
    }

    like check_canned(http('200 OK',
        '{"errcode":40164,"errmsg":"invalid ip 192.0.2.7"}'))->{out},
        qr/invalid ip 192\.0\.2\.7/, 'its own words are shown';
};

subtest 'check: what is not WeChat\'s answer' => sub {
    my $good = '{"errcode":40029,"errmsg":"x"}';
    my %reply = (
        'a page' => [ http('200 OK', '<html>'), 'json' ],
        'a status' => [ http('500 Oops', $good), 'http' ],
        'a redirect' => [
            http('302 Found', $good, "Location: $Plain/\r\n"), 'http' ],
        'nothing' => [ '', 'http' ],
        'no HTTP' => [ "hello\r\n\r\n", 'http' ],
        'half a body' => [
            "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n$good", 'http' ],
        'too much' => [ http('200 OK', $good . ' ' x 20000), 'http' ],
        'two objects' => [ http('200 OK', "$good$good"), 'json' ],
    );

    for my $name (sort keys %reply) {
        my ($reply, $problem) = @{ $reply{$name} };
        my $run = check_canned($reply, '--json');

        is $run->{exit}, 1, "$name: exit status";
        is decode_json($run->{out})->{problem}, $problem, "$name: problem";
    }
};

subtest 'check: a secret that is sent back is not shown' => sub {
    my $head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    my $run = check_canned(
        $head . '{"errcode":40125,"errmsg":"bad %SECRET%"}');

    is $run->{exit}, 1, 'exit status';
    like $run->{out}, qr/errcode 40125, with an errmsg that repeats/, 'told';

    $run = check_canned(
        $head . '{"errcode":40125,"errmsg":"bad \u001b[2J"}');
    like $run->{out}, qr/errcode 40125: bad \?\[2J/, 'and another shown';

    my $odd = spew('odd', 'a+b/c=&d');

    for my $text ('a+b/c=&d', '%SECRET%', 'a+b\/c=\u0026d',
                  'x' x 252 . 'a+b/c=&d')
    {
        my ($pid, $port) = canned(
            $head . '{"errcode":40125,"errmsg":"bad ' . $text . '"}');
        $run = run_tool('', 'check', '--appid', $Appid, '--secret',
                        "file:$odd", '--url', "http://127.0.0.1:$port");
        waitpid $pid, 0;
        like $run->{out}, qr/errcode 40125, with an errmsg that repeats/,
            "told: $text";
        unlike $run->{out}, qr/xa/, "and not shown: $text";
    }
};

subtest 'check: names and ports' => sub {
    my $run = check('--url', 'https://no-such-name.invalid');

    is $run->{exit}, 1, 'no such name: exit status';
    like $run->{out}, qr/^  DNS   FAILED/m, 'step';
    like $run->{out}, qr/^The name no-such-name\.invalid cannot be resolved/m,
        'words';

    my $port = $ENV{TEST_NGINX_WECHAT_DEAD_PORT};

    $run = check('--url', "https://127.0.0.1:$port");
    is $run->{exit}, 1, 'closed port: exit status';
    like $run->{out}, qr/^  DNS   ok.*\n  TCP   FAILED/m, 'step';
    like $run->{out}, qr/^Nothing listens at 127\.0\.0\.1, port $port,/m,
        'words';

    $port = $ENV{TEST_NGINX_WECHAT_FULL_PORT};

    $run = check('--url', "https://127.0.0.1:$port");
    is $run->{exit}, 1, 'no answer: exit status';
    like $run->{out}, qr/^  TCP   FAILED/m, 'step';
    like $run->{out}, qr/^No connection to 127\.0\.0\.1, port $port\./m,
        'words';
};

subtest 'check: TLS' => sub {
    my $url = sub {
        return "https://localhost:$ENV{\"TEST_NGINX_WECHAT_$_[0]_PORT\"}";
    };

    my $run = check('--url', $url->('TLS'), @Ca);
    is $run->{exit}, 0, 'trusted: exit status';
    like $run->{out}, qr/^  TLS   ok .*TLSv1\.3.*CN = good$/m, 'which';

    $run = check('--url', $url->('TLS12'), @Ca);
    is $run->{exit}, 0, 'TLS 1.2: exit status';
    like $run->{out}, qr/TLSv1\.2,/, 'version';

    $run = check('--url', $url->('TLS'));
    is $run->{exit}, 1, 'another authority: exit status';
    like $run->{out}, qr/^  TLS   FAILED/m, 'step';
    like $run->{out},
        qr/^The certificate of CN = good, signed by CN = Throw-away test CA,/m,
        'which';
    like $run->{out}, qr/Is ca-certificates installed/, 'what to do';

    $run = check('--url', $url->('UNTRUSTED'), @Ca);
    is $run->{exit}, 1, 'untrusted: exit status';
    like $run->{out}, qr/signed by CN = Another test CA, is not trusted: /,
        'which';

    $run = check('--url', $url->('EXPIRED'), @Ca);
    is $run->{exit}, 1, 'expired: exit status';
    like $run->{out}, qr/until Jan  1 00:00:00 2020 GMT, and the clock of /,
        'dates';
    like $run->{out}, qr/Set the clock if it is wrong/, 'what to do';

    $run = check('--url', $url->('WRONG'), @Ca);
    is $run->{exit}, 1, 'another name: exit status';
    like $run->{out}, qr/is for CN = wrong, .* not for the name localhost/,
        'names';

    $run = check('--url', $url->('OLD'), @Ca);
    is $run->{exit}, 1, 'TLS 1.1: exit status';
    like $run->{out}, qr/^  TLS   FAILED/m, 'step';

    $run = check('--url', "https://127.0.0.1:$ENV{TEST_NGINX_WECHAT_PORT}",
                 @Ca);
    is $run->{exit}, 1, 'no TLS: exit status';
    like $run->{out}, qr/^No TLS with 127\.0\.0\.1/m, 'words';

    $run = check('--url', $url->('TLS'), '--ca', "$Dir/none");
    is $run->{exit}, 1, 'no such authorities: exit status';
    like $run->{out}, qr{^No authorities .* from \Q$Dir\E/none\.  It must}m,
        'words';

    {
        local $ENV{SSL_CERT_FILE} = "$Certs/ca.pem";
        is check('--url', $url->('TLS'))->{exit}, 0,
            'the trust store of the environment, as nginx has it';
    }
};

subtest 'check: what nginx has otherwise than libcurl' => sub {
    my $run = check('--url', "https://127.0.0.1:"
                             . $ENV{TEST_NGINX_WECHAT_TLS_PORT}, @Ca);
    is $run->{exit}, 0, 'an address in the certificate: exit status';
    like $run->{out}, qr/^Mind the name: .*"wx_openid_host"/m, 'a warning';

    $run = check('--url', "https://localhost:$ENV{TEST_NGINX_WECHAT_TLS_PORT}",
                 @Ca);
    unlike $run->{out}, qr/^Mind the name/m, 'none for a name';

    $run = check('--url', 'http://unix:/tmp/wechat.sock');
    is $run->{exit}, 2, 'a UNIX socket: exit status';
    like $run->{err}, qr/not at a UNIX socket/, 'words';
};

subtest 'what cannot be written' => sub {
    plan skip_all => 'no /dev/full' if !-c '/dev/full';

    for my $command ("'$Tool' keygen", "'$Tool' --help",
                     "'$Tool' check --appid $Appid --secret file:$Secret_file"
                     . " --url '$Plain'")
    {
        system("$command > /dev/full 2> $Dir/err");
        is $? >> 8, 1, "exit status of $command";
        like slurp("$Dir/err"), qr/^wx-openid: cannot write: No space/, 'why';
    }
};

subtest 'the command line' => sub {
    my $run = run_tool('', 'check', '--help');
    is $run->{exit}, 0, 'help of a command: exit status';
    like $run->{out}, qr/^usage: wx-openid/, 'help';

    $run = check('--sekret', 'x');
    is $run->{exit}, 2, 'an unknown option: exit status';
    like $run->{err}, qr/"--sekret" is unknown/, 'is named';

    $run = check('S3CRET');
    like $run->{err}, qr/argument 5 is unknown/, 'what may be a secret is not';
};

subtest 'check: no proxy of the environment is asked' => sub {
    local $ENV{http_proxy} = 'http://127.0.0.1:1/';
    local $ENV{all_proxy} = 'http://127.0.0.1:1/';
    is check('--url', $Plain)->{exit}, 0, 'exit status';
};

subtest 'check: --json' => sub {
    my $run = check('--url', $Plain, '--json');
    my $json = decode_json($run->{out});

    is $run->{exit}, 0, 'exit status';
    ok $json->{ok}, 'ok';
    is $json->{errcode}, 40029, 'errcode';
    is $json->{appid}, $Appid, 'appid';
    is $json->{problem}, undef, 'no problem';
    is_deeply [ map { $_->{step} } @{ $json->{steps} } ],
        [qw(DNS TCP HTTP JSON)], 'steps';
    is scalar(grep { $_->{ok} && $_->{seconds} >= 0 && $_->{seconds} < 10 }
              @{ $json->{steps} }), 4, 'each with its time';

    $run = check('--url', 'https://no-such-name.invalid', '--json');
    $json = decode_json($run->{out});

    is $run->{exit}, 1, 'a failure: exit status';
    ok !$json->{ok}, 'not ok';
    is $json->{problem}, 'dns', 'problem';
    is scalar @{ $json->{steps} }, 1, 'no step after the one that failed';
};

subtest 'check: the clock is compared with the answer\'s' => sub {
    my $body = '{"errcode":40029}';
    my $run = check_canned(http('200 OK', $body,
                                'Date: ' . gmt(time + 3600) . "\r\n"));

    is $run->{exit}, 0, 'exit status';
    like $run->{out}, qr/^Mind the clock: .* \d{4} seconds behind/m, 'behind';

    $run = check_canned(http('200 OK', $body,
                             'Date: ' . gmt(time) . "\r\n"));
    unlike $run->{out}, qr/clock/, 'right';

    sub gmt {
        return POSIX::strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime $_[0]);
    }
};

subtest 'check: what the command line may not have' => sub {
    my @args = ('check', '--appid', $Appid, '--secret',
                "file:$Secret_file");

    for my $url ('ftp://127.0.0.1/', 'nonsense url', 'file:///etc/passwd',
                 'https://user:pass@127.0.0.1/', 'http://127.0.0.1/?a=b',
                 'http://127.0.0.1/#x', '')
    {
        is run_tool('', @args, '--url', $url)->{exit}, 2, "--url '$url'";
    }

    is run_tool('', 'check')->{exit}, 2, 'nothing';
    is run_tool('', @args, '--url')->{exit}, 2, 'no value';
    is run_tool('', @args, '--nonsense')->{exit}, 2, 'unknown option';
    is run_tool('')->{exit}, 2, 'no command';
    is run_tool('', 'nonsense')->{exit}, 2, 'unknown command';
    is run_tool('', '--help')->{exit}, 0, '--help';
    like run_tool('', '--version')->{out}, qr/\Awx-openid [\d.]+\n\z/,
        '--version';
};

subtest 'check: options with "="' => sub {
    my $good = '{"errcode":40029,"errmsg":"invalid code"}';
    my ($pid, $port) = canned("HTTP/1.1 200 OK\r\nContent-Length: "
                              . length($good) . "\r\n\r\n$good");
    my $run = run_tool('', 'check', "--appid=$Appid",
                       "--secret=file:$Secret_file",
                       "--url=http://127.0.0.1:$port", '--json');
    waitpid $pid, 0;

    is $run->{exit}, 0, 'exit status';
    is run_tool('', 'check', '--appid=')->{exit}, 2, 'no value';
};

subtest 'check: a secret with a blank' => sub {
    my ($pid, $port) = canned("HTTP/1.1 200 OK\r\n\r\n{}");
    my $run = run_tool("a blank \n", 'check', '--appid', $Appid, '--secret',
                       '-', '--url', "http://127.0.0.1:$port");
    waitpid $pid, 0;

    like $run->{err}, qr/the secret has a blank/, 'told';
};

subtest 'keygen: makes a JWK Set' => sub {
    my $run = run_tool('', 'keygen');
    my @keys = @{ decode_json($run->{out})->{keys} };

    is $run->{exit}, 0, 'exit status';
    is scalar @keys, 1, 'of one key';
    is $keys[0]{kty}, 'oct', 'kty';
    like $keys[0]{kid}, qr/^[A-Za-z0-9._-]{1,64}$/, 'kid';
    like $keys[0]{k}, qr/^[A-Za-z0-9_-]{43}$/, 'k';
    is length decode_base64url($keys[0]{k}), 32, '256 bits';

    my $other = decode_json(run_tool('', 'keygen')->{out})->{keys}[0];

    isnt $other->{k}, $keys[0]{k}, 'never the same key';
    isnt $other->{kid}, $keys[0]{kid}, 'nor the same kid';
};

subtest 'keygen: says so when others can read the file' => sub {
    umask 022;
    like run_tool('', 'keygen')->{err}, qr/others can read this file/, 'yes';

    umask 077;
    unlink "$Dir/out";
    is run_tool('', 'keygen')->{err}, '', 'no';
    umask 022;
};

subtest 'keygen: rotates' => sub {
    my $file = spew('rotate', run_tool('', 'keygen')->{out});
    chmod 0640, $file;

    my ($old) = keys_of($file);
    my $run = run_tool('', 'keygen', '--append', $file);

    is $run->{exit}, 0, 'append: exit status';

    my ($first, $new, @rest) = keys_of($file);

    is $first, $old, 'the first stays';
    isnt $new, $old, 'a new one is last';
    is scalar @rest, 0, 'there are two';
    like $run->{out}, qr/added key \Q$new\E, which opens only/, 'words';
    unlike $run->{out}, qr/[A-Za-z0-9_-]{43}/, 'no key is shown';
    is S_IMODE((stat $file)[2]), 0640, 'the mode stays';

    $run = run_tool('', 'keygen', '--promote', $new, $file);

    is $run->{exit}, 0, 'promote: exit status';
    is_deeply [ keys_of($file) ], [ $new, $old ], 'now it is first';
    is S_IMODE((stat $file)[2]), 0640, 'the mode stays';

    is run_tool('', 'keygen', '--promote', $new, $file)->{exit}, 0,
        'again: exit status';
    is_deeply [ keys_of($file) ], [ $new, $old ], 'again: nothing changes';

    is_deeply [ glob "$file.*" ], [], 'nothing is left beside it';
};

subtest 'keygen: keeps what it does not know, and links' => sub {
    my $set = decode_json(run_tool('', 'keygen')->{out});
    $set->{keys}[0]{note} = 'mine';
    $set->{owner} = { a => [1, 2] };

    my $file = spew('known', encode_json($set));
    symlink 'known', "$Dir/link";

    is run_tool('', 'keygen', '--append', "$Dir/link")->{exit}, 0,
        'exit status';
    ok -l "$Dir/link", 'the link stays';

    my $after = decode_json(slurp($file));

    is scalar @{ $after->{keys} }, 2, 'two keys';
    is_deeply $after->{keys}[0], $set->{keys}[0], 'the key';
    is_deeply $after->{owner}, $set->{owner}, 'the set';
};

subtest 'keygen: leaves a file alone that it cannot use' => sub {
    for my $text ('', '{}', '{"keys":[]}', 'x',
                  '{"keys":[{"kty":"oct","kid":"a","k":"AAAA"}]}')
    {
        my $file = spew('bad', $text);
        my $run = run_tool('', 'keygen', '--append', $file);

        is $run->{exit}, 1, 'append: exit status';
        like $run->{err}, qr/no usable keys in ".*bad": \S/, 'words';
        is run_tool('', 'keygen', '--promote', 'a', $file)->{exit}, 1,
            'promote: exit status';
        is slurp($file), $text, 'unchanged';
    }

    is run_tool('', 'keygen', '--append', "$Dir/none")->{exit}, 1,
        'no such file';
    ok !-e "$Dir/none", 'and it is not made';

    my $file = spew('full', encode_json({ keys => [
        map { { kty => 'oct', kid => "k$_", k => 'A' x 43 } } 1 .. 64 ] }));
    my $before = slurp($file);
    my $run = run_tool('', 'keygen', '--append', $file);

    is $run->{exit}, 1, 'a 65th key';
    like $run->{err}, qr/more than 64 keys/, 'words';
    is slurp($file), $before, 'unchanged';

    $run = run_tool('', 'keygen', '--promote', 'k65', $file);
    is $run->{exit}, 1, 'an unknown kid';
    like $run->{err}, qr/no key "k65" in .*full", which has k1, k2, /, 'words';

    for my $args ([qw(--append)], [qw(--promote a)], [qw(--what)],
                  [qw(--append a b)])
    {
        is run_tool('', 'keygen', @$args)->{exit}, 2, "keygen @$args";
    }
};


# made by jose for Node.js; it is over in 2100

my $Token = join '', qw(
    eyJhbGciOiJBMjU2S1ciLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoicmZjMzM5NCJ9._U66_
    Yrr1YeYHV6IMI1qfRYIo0_2_aX7YeKJZxZBDiEIhKy4XP2J9A.BfX0gbvbWozrduKn.9Bd
    fUpQYIBr1Fcx_e1ftn0OYpoUIp2b9opwNJI-6tknQ7up37t9nVMNTmkvFQsXCXLj0F17Fj
    pYzAyT0QTpHok6sEdtH9PBZXuf55sv1Pm1wFL3Jdzm8N1fAUzNN-NDx0sjQErjH7plNlU5
    RSkdr0V5ox3-Um55r85LWo_rbFFaXte1AvQ8CCKKMxQBHcncC_9AHrC_Uo5fsTi2e6hfPg
    kjnwtj_9GiLyizuBfQ79myZ6cJYOiqDQ49aGNow1kwRyFPGAA.Cah3tkbAH73EMmznctUk
    2g
);

my $Keys = spew('keys', encode_json({ keys => [
    { kty => 'oct', kid => 'first', k => 'B' x 42 . 'A' },
    { kty => 'oct', kid => 'rfc3394',
      k => 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8' } ] }));

subtest 'token: opens, and masks the session key' => sub {
    for my $input ($Token, "$Token\n", "$Token \r\n") {
        my $run = run_tool($input, 'token', $Keys);

        is $run->{exit}, 0, 'exit status';
        is_deeply decode_json($run->{out}), {
            kid => 'rfc3394', sub => 'oVBkZ0aYgDMDIywRdgPW8-joxXc4',
            aud => 'wx0123456789abcdef', iat => 1700000000,
            exp => 4102444800, auth_time => 1699990000,
            unionid => 'o6_bmasdasdsad6_2sgVt7hMZOPfL', sk => '***',
        }, 'claims';
        like $run->{err}, qr/until 2100-01-01 00:00:00 UTC/, 'in words';
        unlike "$run->{out}$run->{err}", qr/nzoqhc3Onw/, 'no session key';
    }
};

subtest 'token: says why it is refused' => sub {
    my $run = run_tool(substr($Token, 0, -1), 'token', $Keys);
    is $run->{exit}, 1, 'cut: exit status';
    like $run->{err}, qr/refused: not a session token/, 'words';

    my $damaged = $Token;
    substr($damaged, -22, 1) =~ tr/A-Za-z/B-ZAb-za/;
    $run = run_tool($damaged, 'token', $Keys);
    is $run->{exit}, 1, 'damaged: exit status';
    like $run->{err}, qr/refused: damaged/, 'words';
    is $run->{out}, '', 'no claims';

    my $other = spew('other', run_tool('', 'keygen')->{out});
    $run = run_tool($Token, 'token', $other);
    is $run->{exit}, 1, 'another key: exit status';
    like $run->{err}, qr/unknown key: it was sealed with "rfc3394"/, 'words';

    is run_tool('', 'token', $Keys)->{exit}, 1, 'nothing';
    is run_tool('x' x 100000, 'token', $Keys)->{exit}, 1, 'too much';
    is run_tool($Token, 'token', "$Dir/none")->{exit}, 1, 'no key file';
    is run_tool($Token, 'token')->{exit}, 2, 'no key file named';
};

subtest 'token: shows one that is over, and says so' => sub {
    my $over = join '', qw(
        eyJhbGciOiJBMjU2S1ciLCJlbmMiOiJBMjU2R0NNIiwia2lkIjoicmZjMzM5NCJ9.9xIO9
        zn9CiHqLaWaShsukCkFm3qsx6fSeMeywcqjC6xTazUY06G5dg.Qc2qwmbzY4x_OfaN.qtj
        Sy-FzsUWk_D0lB2sA7gQq0zt03CNP0lipKPuUaLcGrsuN7aNwp_VjKvcRDTl4KDB9Yat3H
        ebY5f_IOc-5xC-hbVpjzCH_9ctTblPbggxp99o6kSrRjCZreMfppvkJfy5IIlY6H2pXZW4
        gkeRGFyGzHuFr11rYhCAoKJcZeiElaTiIkiNsaB1ypjl4Xgu-BHoUunY1tFPZXMZJYsWzJ
        swNafZzoEHQgYERH91A3R30rRKmAgy8KyyIJFshKnX28orwHg.qrV9fBFjmRNLTnQtWvTw
        8Q
    );
    my $run = run_tool($over, 'token', $Keys);

    is $run->{exit}, 1, 'exit status';
    is decode_json($run->{out})->{exp}, 1700007200, 'claims';
    like $run->{err}, qr/refused: expired, by this machine's clock/, 'words';
};

done_testing();

# The session directives: where they may stand, what they are refused or
# warned for, in which words, and that no key is among them.

use strict;
use warnings;

use lib 't/lib';
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes ();
use WxOpenid::Conf qw(check_conf write_file);
use WxOpenid::Token;

use constant FIONREAD => 0x541b;       # of Linux

my $Base = 'wx_openid_app wxtest LITERAL; wx_openid_pass http://127.0.0.1;';
my $Key = key_text('k1');
my $Keys = keys_file('good', [key('k1'), key('k2')]);

sub key {
    my ($kid, %more) = @_;
    my %key = (kty => 'oct', kid => $kid, k => key_text($kid), %more);
    delete @key{ grep { !defined $key{$_} } keys %key };
    return \%key;
}

sub json {
    return JSON::PP->new->canonical->encode($_[0]);
}

sub file {
    my ($name, $text, $mode) = @_;
    my $path = write_file($name, $text);
    chmod $mode // 0600, $path or die "$path: $!";
    return $path;
}

sub keys_file {
    my ($name, $keys, $mode) = @_;
    return file($name, json({ keys => $keys }), $mode);
}

# in http{}, with a location that uses the module

sub conf {
    my ($text, $location) = @_;
    $location //= 'wx_openid on;';

    return check_conf({ http => <<"END" });
    $Base
    $text
    server {
        listen unix:t.sock;
        location / { $location }
    }
END
}

# any eight bytes of a key in the text of a file are one too many

sub tells_no_key {
    my ($said, $name) = @_;
    my $found = 0;

    for my $kid ('k1', 'k2', 'k1=other') {
        my $k = key_text($kid);
        $found += index($said, substr $k, $_, 8) >= 0
            for 0 .. length($k) - 8;
    }

    is($found, 0, "$name: no key is told");
    unlike($said, qr/LITERAL/, "$name: nor the secret");
}

sub refused {
    my ($name, $message, @text) = @_;
    my ($ok, $said) = conf(@text);

    ok(!$ok, "$name: refused") or diag($said);
    like($said, qr/\[emerg\].*$message/, "$name: says why");
    tells_no_key($said, $name);
}

sub warned {
    my ($name, $message, @text) = @_;
    my ($ok, $said) = conf(@text);

    ok($ok, "$name: taken") or diag($said);
    like($said, qr/\[warn\].*$message/, "$name: warns");
    tells_no_key($said, $name);
}

sub taken {
    my ($name, @text) = @_;
    my ($ok, $said) = conf(@text);

    ok($ok, "$name: taken") or diag($said);
    unlike($said, qr/\[(?!notice)/, "$name: nothing to say");
    tells_no_key($said, $name);
}


# where each may stand, how often, with how many arguments

my %Value = (
    wx_openid_session_keys => $Keys,
    wx_openid_session_ttl => '1h',
    wx_openid_session_renew => '10m',
    wx_openid_session_max => '1d',
    wx_openid_session_source => '$http_x_mine bearer $cookie_mine',
    wx_openid_session_cookie => 'wxs path=/ only',
);

my %Most = (wx_openid_session_source => 0, wx_openid_session_cookie => 0);

sub placed {
    my ($where, $line) = @_;
    my %at = (main => '', http => '', server => '', server_if => '',
              location => '', location_if => '', limit_except => '',
              nested => '', upstream => '', $where => $line);

    return check_conf({ main => $at{main}, http => <<"END" });
    $Base
    $at{http}
    upstream group { server 127.0.0.1:1; $at{upstream} }
    server {
        listen unix:t.sock;
        $at{server}
        if (\$arg_x) { set \$x 1; $at{server_if} }
        location / {
            wx_openid on;
            $at{location}
            if (\$arg_x) { set \$x 1; $at{location_if} }
            limit_except GET { deny all; $at{limit_except} }
            location /nested { $at{nested} }
        }
    }
END
}

for my $name (sort keys %Value) {
    my $line = "$name $Value{$name};";

    for my $where (qw(http server location nested)) {
        my ($ok, $said) = placed($where, $line);
        ok($ok, "$name in $where") or diag($said);

        ($ok, $said) = placed($where, "$line $line");
        ok(!$ok, "$name twice in $where: refused");
        like($said, qr/\[emerg\] .*"$name\b.* is duplicate/,
             "$name twice in $where: says why");
    }

    for my $where (qw(main upstream server_if location_if limit_except)) {
        my ($ok, $said) = placed($where, $line);
        ok(!$ok, "$name in $where: refused");
        like($said, qr/"$name" directive is not allowed here/,
             "$name in $where: says why");
    }

    my $wrong = qr/invalid number of arguments in "$name" directive/;
    refused("$name without a value", $wrong, "$name;");
    refused("$name with two values", $wrong, "$name 1 2;")
        if !exists $Most{$name};
}

taken('all of them at once', join ' ', map { "$_ $Value{$_};" } keys %Value);
taken('off at every level', 'wx_openid_session_keys off;
                             wx_openid_session_cookie off;',
      'wx_openid on; wx_openid_session_keys off;
       wx_openid_session_cookie off;');
taken('keys in one location, off in another',
      "wx_openid_session_keys $Keys;",
      'wx_openid on; wx_openid_session_keys off;');
taken('keys that nothing uses', "wx_openid_session_keys $Keys;", '');


# times

for my $name (qw(ttl renew max)) {
    for my $value ('abc', '-1', '1x', '""', '1.5h', '$arg_x', '1h1h') {
        (my $text = $value) =~ s/"//g;
        refused("session_$name $value",
                qr/"wx_openid_session_$name \Q$text\E": invalid value/,
                "wx_openid_session_$name $value;");
    }

    taken("session_$name $_", "wx_openid_session_$name $_;")
        for '1', '1s', '90m', '1d', '1h 30m' =~ s/ //r, '365d';
}

for my $name (qw(ttl max)) {
    refused("session_$name 0",
            qr/"wx_openid_session_$name 0": must be greater than 0/,
            "wx_openid_session_$name 0;");
}

taken('session_renew 0', 'wx_openid_session_renew 0;');


# sources

for my $value ('""', 'cookie', 'Bearer', 'bearer2', '$http_', '$cookie_',
               '$arg_token', '$http_a$http_b', 'x$http_a', '$wx_openid',
               'json:session', '$uri', '"$cookie_a;b"', '"$http_a b"')
{
    my $text = quotemeta($value =~ s/"//gr =~ s/\\//gr);
    refused("source $value",
            qr/invalid source "$text" in "wx_openid_session_source"/,
            "wx_openid_session_keys $Keys; "
            . "wx_openid_session_source bearer $value;");
}

taken("source $_", "wx_openid_session_source $_;")
    for 'bearer', '$http_x_mine', '$cookie_mine', '$cookie_Mine-2',
        'bearer bearer', '$http_x_wx_session $cookie_a $cookie_b';

# what is removed from requests cannot be looked for, nor the reverse

my $LookedFor = qr/"x.mine" in "wx_openid_set_header" is .* token is looked/i;
my $Removed = qr/source "\$http_\w+" is a header that is removed/;

for my $name (qw(x_wx_openid x_wx_unionid X_WX_Env x_wx_from_openid)) {
    refused("source \$http_$name", $Removed,
            "wx_openid_session_source \$http_$name;");
}

refused('source that wx_openid_set_header removes', $Removed,
        'wx_openid_set_header X-Mine $wx_openid;
         wx_openid_session_source $http_x_mine;');
refused('wx_openid_set_header of a source', $LookedFor,
        'wx_openid_session_source $http_x_mine;
         wx_openid_set_header X-Mine $wx_openid;');
refused('wx_openid_set_header of a source of another location', $LookedFor,
        'server { location /a { wx_openid_session_source $http_x_mine; } }
         server { location /b { wx_openid_set_header x.MINE $wx_openid; } }');
refused('wx_openid_set_header X-WX-Session', $Removed,
        "wx_openid_session_keys $Keys;
         wx_openid_set_header X-WX-Session \$wx_openid;");
refused('wx_openid_set_header X-WX-Skey', $Removed,
        "wx_openid_session_keys $Keys;
         wx_openid_set_header X-WX-Skey \$wx_openid;");

for my $name (qw(host cookie authorization content_length connection
                 transfer_encoding x_wx_code))
{
    refused("source \$http_$name",
            qr/"wx_openid_session_source" source "\$http_$name" is .* use/,
            "wx_openid_session_source \$http_$name;");
}


# the cookie

for my $value ('""', 'a=b', 'a\;b', '"a b"', 'a,b', '$arg_x', "\xc3\xa4",
               'a.b', 'off path=/')
{
    refused("cookie $value", qr/invalid name ".*" in "wx_openid_session_cook/,
            "wx_openid_session_cookie $value;");
}

for my $value ('""', 'path', 'path=', '"path=/a b"', '"path=/;x"', 'Path=/',
               'domain=', '"domain=a,b"', 'samesite=', 'samesite=yes',
               'max_age=', 'max_age=x', 'max_age=-1', 'secure', 'secure=on',
               'secure=no', 'httponly', 'httponly=on', 'only=on', 'ONLY',
               'expires=1h')
{
    my $text = quotemeta($value =~ s/"//gr);
    refused("cookie parameter $value",
            qr/invalid parameter "$text" in "wx_openid_session_cookie"/,
            "wx_openid_session_cookie wxs $value;");
}

# what browsers would drop: RFC 6265bis, 5.7

my $path = 'its path does not begin';
my %dropped = (
    'wxs path=a' => $path, 'wxs path=./' => $path,
    '__Host-wxs domain=a.test' => '"__Host-" allows no',
    '__Host-wxs path=/a' => '"__Host-" allows no',
    '__Host-wxs secure=off' => 'its name says',
    '__Secure-wxs secure=off' => 'its name says',
    'wxs samesite=none secure=off' => '"samesite=none" allows no',
    'wxs secure=off samesite=None' => '"samesite=none" allows no',
);

for my $value (sort keys %dropped) {
    refused("cookie $value",
            qr/refuse the cookie ".*" in .*_session_cookie": $dropped{$value}/,
            "wx_openid_session_cookie $value;");
}

taken("cookie $_", "wx_openid_session_cookie $_;")
    for 'wxs', 'WX_s-1', '__Host-wx', 'wxs samesite=Strict',
        'wxs samesite=LAX', 'wxs samesite=none max_age=1d only',
        'wxs path=/a domain=.example.com secure=off httponly=off',
        '__Host-wx path=/ samesite=none', '__Secure-wx path=/a domain=a.test';


# key files

sub refused_keys {
    my ($what, $message, $path) = @_;

    refused("keys: $what",
            qr/"\Q$path\E" in "wx_openid_session_keys": $message/,
            "wx_openid_session_keys $path;");
}

my @Bad = (
    ['empty', '', qr/.*JSON/],
    ['text', $Key, qr/.*JSON/],
    ['cut', substr(json({ keys => [key('k1')] }), 0, -1), qr/.*JSON/],
    ['text behind', json({ keys => [key('k1')] }) . 'x', qr/.*JSON/],
    ['list', json([key('k1')]), qr/.*JSON/],
    ['no keys', '{}', qr/.*"keys"/],
    ['keys twice', '{"keys":[],"keys":[]}', qr/.*"keys"/],
    ['keys no list', json({ keys => key('k1') }), qr/.*"keys"/],
    ['empty set', json({ keys => [] }), qr/.*"keys"/],
    ['text as key', json({ keys => [key('k1'), $Key] }), qr/key 2.*object/],
    ['no kty', json({ keys => [key('k1', kty => undef)] }), qr/key 1.*"kty"/],
    ['RSA', json({ keys => [key('k1', kty => 'RSA')] }), qr/key 1.*"kty"/],
    ['no kid', json({ keys => [key('k1'), key('k2', kid => undef)] }),
     qr/key 2.*"kid"/],
    ['kid a number', json({ keys => [key('k1', kid => 1)] }),
     qr/key 1.*"kid"/],
    ['empty kid', json({ keys => [key('k1', kid => '')] }), qr/key 1.*"kid"/],
    ['odd kid', json({ keys => [key('k1', kid => 'a b')] }),
     qr/key 1.*"kid"/],
    ['long kid', json({ keys => [key('k1', kid => 'a' x 65)] }),
     qr/key 1.*"kid"/],
    ['duplicate kid', json({ keys => [key('k1'), key('k2'), key('k1')] }),
     qr/key 3 "k1".*/],
    ['no k', json({ keys => [key('k1', k => undef)] }), qr/key 1 "k1".*"k"/],
    ['k a list', json({ keys => [key('k1', k => [$Key])] }),
     qr/key 1 "k1".*"k"/],
    ['short k', json({ keys => [key('k1', k => substr $Key, 0, 42)] }),
     qr/key 1 "k1".*less than 256 bits/],
    ['128 bits', json({ keys => [key('k1', k => substr $Key, 0, 22)] }),
     qr/key 1 "k1".*less than 256 bits/],
    ['long k', json({ keys => [key('k1', k => $Key . 'AAAA')] }),
     qr/key 1 "k1".*more than 256 bits/],
    ['k no base64url', json({ keys => [key('k1', k => "+$Key" =~ s/.$//r)] }),
     qr/key 1 "k1".*base64url/],
    ['use sig', json({ keys => [key('k1', use => 'sig')] }),
     qr/key 1 "k1".*"use"/],
    ['alg dir', json({ keys => [key('k1', alg => 'dir')] }),
     qr/key 1 "k1".*"alg"/],
    ['65 keys', json({ keys => [map { key("k$_") } 1 .. 65] }), qr/.*64/],
    ['too large', json({ keys => [key('k1')], x => 'x' x 65536 }),
     qr/.*(?:large|long)/],
);

for my $bad (@Bad) {
    my ($what, $text, $message) = @$bad;
    refused_keys($what, $message, file("keys-$what" =~ s/ /-/gr, $text));
}

refused_keys('missing', qr/cannot be opened \(2: No such file/,
             '/nonexistent/keys');
refused_keys('a folder', qr/cannot be read \(21: Is a directory/, '/etc');
refused_keys('an empty file behind a good one', qr/.*JSON/,
             file('second', ''));

taken('the longest kid',
      'wx_openid_session_keys ' . keys_file('longest', [key('a' x 64)]) . ';');
taken('every character of a kid',
      'wx_openid_session_keys '
      . keys_file('kid', [key('AZaz09._-')]) . ';');
taken('64 keys', 'wx_openid_session_keys '
      . keys_file('most', [map { key("k$_") } 1 .. 64]) . ';');
taken('use, alg and members that are nobody\'s',
      'wx_openid_session_keys '
      . file('more', json({ keys => [key('k1', use => 'enc', alg => 'A256KW',
                                         x => [1])], y => { z => 1 } }))
      . ';');
taken('white space and a newline at the end',
      'wx_openid_session_keys '
      . file('pretty', JSON::PP->new->pretty->encode({ keys => [key('k1')] }))
      . ';');

# a pipe, the second half of which comes when the first has been read

{
    my $path = file('pipe', '');
    unlink $path;
    POSIX::mkfifo($path, 0600) or die "$path: $!";

    my $text = json({ keys => [key('k1')] });
    my $writer = fork // die "fork: $!";

    if ($writer == 0) {
        open my $pipe, '>', $path or POSIX::_exit(1);
        syswrite $pipe, substr $text, 0, 30;
        my $left = pack 'i', 1;

        while (unpack 'i', $left) {
            Time::HiRes::sleep(0.01);
            ioctl $pipe, FIONREAD, $left or POSIX::_exit(1);
        }

        syswrite $pipe, substr $text, 30;
        POSIX::_exit(0);
    }

    taken('a pipe', "wx_openid_session_keys $path;");
    kill TERM => $writer;
    waitpid $writer, 0;
}

# a path is relative to the configuration
taken('a relative path', 'wx_openid_session_keys good;');

for my $mode (0604, 0644, 0666) {
    my $path = keys_file(sprintf('mode-%o', $mode), [key('k1')], $mode);
    warned(sprintf('mode %o', $mode),
           qr/"\Q$path\E" in "wx_openid_session_keys" .*everybody/,
           "wx_openid_session_keys $path;");
}

for my $mode (0400, 0600, 0640) {
    my $path = keys_file(sprintf('mode-%o', $mode), [key('k1')], $mode);
    taken(sprintf('mode %o', $mode), "wx_openid_session_keys $path;");
}


# the login

for my $mode ('off', 'optional') {
    refused("wx_openid_login beside $mode",
            qr/"wx_openid_login" and "wx_openid $mode" contradict/, '',
            "wx_openid_login; wx_openid $mode;");
}

{
    my ($ok, $said) = check_conf({ http => <<'END' });
    wx_openid_pass http://127.0.0.1;
    server { listen unix:t.sock; location / { wx_openid_login; } }
END
    ok(!$ok, 'wx_openid_login without an app: refused');
    like($said, qr/\[emerg\].*"wx_openid_login" needs a "wx_openid_app"/,
         'wx_openid_login without an app: says why');
}

refused('wx_openid_login twice', qr/"wx_openid_login" directive is duplicate/,
        '', 'wx_openid_login; wx_openid_login;');
refused('wx_openid_login with a value', qr/invalid number of arguments/, '',
        'wx_openid_login on;');

for my $where (qw(main http server server_if location_if limit_except
                  upstream))
{
    my ($ok, $said) = placed($where, 'wx_openid_login;');
    ok(!$ok, "wx_openid_login in $where: refused");
    like($said, qr/"wx_openid_login" directive is not allowed here/,
         "wx_openid_login in $where: says why");
}

for my $where (qw(location nested)) {
    my ($ok, $said) = placed($where, 'wx_openid_login;');
    ok($ok, "wx_openid_login in $where") or diag($said);
}

done_testing();

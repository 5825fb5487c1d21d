# What a configuration is refused or warned for, in which words, and that no
# secret is among them.

use strict;
use warnings;

use lib 't/lib';
use Test::More tests => 702;
use WxOpenid::Conf qw(certificates check_conf write_file);

my $Certs = certificates();
my $Secret = 'LITERAL0123456789abcdef01234567';
my $App = "wx_openid_app wxtest $Secret;";
my $Loopback = 'wx_openid_pass http://127.0.0.1;';
my $Trusted = "wx_openid_ssl_trusted_certificate $Certs/ca.pem;";

# the test's own environment must not matter
delete $ENV{SSL_CERT_FILE};

# in http{}, with a location that uses the module

sub conf {
    my ($text, $location) = @_;
    $location //= 'wx_openid on;';

    return check_conf({ http => <<"END" });
    $text
    server {
        listen unix:t.sock;
        location / { $location }
    }
END
}

sub keeps_secret {
    my ($said, $name) = @_;
    unlike($said, qr/LITERAL/, "$name: the secret is not told");
}

sub refused {
    my ($name, $message, @text) = @_;
    my ($ok, $said) = conf(@text);

    ok(!$ok, "$name: refused") or diag($said);
    like($said, qr/\[emerg\].*$message/, "$name: says why");
    keeps_secret($said, $name);
}

sub warned {
    my ($name, $message, @text) = @_;
    my ($ok, $said) = conf(@text);

    ok($ok, "$name: taken") or diag($said);
    like($said, qr/\[warn\].*$message/, "$name: warns");
    keeps_secret($said, $name);
}

sub taken {
    my ($name, @text) = @_;
    my ($ok, $said) = conf(@text);

    ok($ok, "$name: taken") or diag($said);
    unlike($said, qr/\[(?!notice)/, "$name: nothing to say");
    keeps_secret($said, $name);
}


# wx_openid

for my $value ('maybe', 'ON', 'yes', '1', '""', '$arg_x') {
    (my $text = $value) =~ s/"//g;
    refused("wx_openid $value",
            qr/invalid value "\Q$text\E" in "wx_openid" directive/,
            "$App $Loopback", "wx_openid $value;");
}

for my $mode (qw(on optional)) {
    my $needs = qr/"wx_openid $mode" needs a "wx_openid_app"/;

    refused("$mode without an app", qr/$needs for location "/, $Loopback,
            "wx_openid $mode;");
    refused("$mode with an app in another location alone", $needs,
            "$Loopback server { location /other { $App } }",
            "wx_openid $mode;");
    refused("$mode at http without an app", $needs,
            "$Loopback wx_openid $mode;", '');
}

refused('on in limit_except without an app',
        qr/"wx_openid on" needs a "wx_openid_app"/,
        $Loopback, 'limit_except GET { wx_openid on; }');
taken('off without an app', $Loopback, 'wx_openid off;');


# wx_openid_app

for my $appid ('""', 'wx/1', 'wx\\ 1', 'wx:1', 'wx&1', "w\x{e4}", 'a' x 65) {
    refused("appid $appid", qr/invalid appid ".*" in "wx_openid_app"/,
            "wx_openid_app $appid $Secret; $Loopback");
}

taken('the longest appid', "wx_openid_app ${\('a' x 64)} $Secret; $Loopback");

refused('an appid behind its secret',
        qr/appid "wxtest" comes after its secret in "wx_openid_app"/,
        "wx_openid_app $Secret wxtest; $Loopback");

for my $where (0, 1) {
    my @text = ("$App $App $Loopback");
    @text = ($Loopback, "wx_openid on; $App $App") if $where;

    refused('an appid twice, in ' . ($where ? 'a location' : 'http'),
            qr/duplicate app "wxtest" in "wx_openid_app"/, @text);
}

taken('the same appid in two levels', "$App $Loopback", "wx_openid on; $App");

{
    local $ENV{WX_EMPTY} = '';
    local $ENV{WX_LONG} = 'LITERAL' . 'x' x 506;
    local $ENV{WX_CONTROL} = "LITERAL\t";
    local $ENV{WX_LONGEST} = 'LITERAL' . 'x' x 505;
    delete local $ENV{WX_MISSING};

    my %file = (
        empty => '', newline => "\n", long => 'LITERAL' . 'x' x 506,
        longer => 'LITERAL' . 'x' x 9000, lines => "LITERAL\n\n",
        control => "LITERAL\x01", nul => "LITERAL\0LITERAL",
        del => "LITERAL\x7f", two => "LITERAL\nLITERAL\n",
        plain => 'LITERAL', unix => "LITERAL\n", dos => "LITERAL\r\n",
        longest => 'LITERAL' . 'x' x 505 . "\r\n",
    );

    my %path = map { $_ => 'file:' . write_file("secret-$_", $file{$_}) }
               keys %file;

    chmod 0600, map { s/^file://r } values %path;

    $path{folder} = "file:$Certs";
    $path{missing} = 'file:/nonexistent/secret';
    $path{nameless} = 'file:';

    my %why = (
        $path{missing} => qr/cannot be opened .*No such file/,
        $path{folder} => qr/cannot be read .*directory/,
        $path{nameless} => qr/names no file/,
        $path{empty} => qr/is empty/,
        $path{newline} => qr/is empty/,
        $path{long} => qr/is longer than 512 bytes/,
        $path{longer} => qr/is longer than 512 bytes/,
        $path{lines} => qr/has control characters/,
        $path{two} => qr/has control characters/,
        $path{control} => qr/has control characters/,
        $path{nul} => qr/has control characters/,
        $path{del} => qr/has control characters/,
        'env:WX_MISSING' => qr/is not in the environment/,
        'env:' => qr/is not in the environment/,
        'env:WX_EMPTY' => qr/is empty/,
        'env:WX_LONG' => qr/is longer than 512 bytes/,
        'env:WX_CONTROL' => qr/has control characters/,
    );

    for my $spec (sort keys %why) {
        refused("secret $spec",
                qr/secret "\Q$spec\E" in "wx_openid_app" $why{$spec}/,
                "wx_openid_app wxtest $spec; $Loopback");
    }

    taken("secret $_", "wx_openid_app wxtest $_; $Loopback")
        for @path{qw(plain unix dos longest)}, 'env:WX_LONGEST',
            'file:secret-plain';

    my $in_text = qr/secret "\.\.\." in "wx_openid_app"/;

    for my $text ('/etc/LITERAL', 'FILE:LITERAL', 'Env:LITERAL',
                  '$LITERAL') {
        warned("a forgotten prefix, $text", qr/$in_text is taken as it stands/,
               "wx_openid_app wxtest $text; $Loopback");
    }

    my %odd = (blank => 'LITERAL ', bom => "\xef\xbb\xbfLITERAL");

    for my $what (sort keys %odd) {
        my $file = write_file("secret-$what", $odd{$what});
        chmod 0600, $file;
        warned("$what in a secret", qr/secret ".*" in .* has a blank or a/,
               "wx_openid_app wxtest file:$file; $Loopback");
    }

    my $open = write_file('secret-open', 'LITERAL');
    chmod 0644, $open;
    warned('a secret for everybody', qr/"file:$open" in .* by everybody/,
           "wx_openid_app wxtest file:$open; $Loopback");

    refused('secret "" as text', qr/$in_text is empty/,
            "wx_openid_app wxtest ''; $Loopback");
    refused('a long secret as text', qr/$in_text is longer than 512 bytes/,
            "wx_openid_app wxtest $ENV{WX_LONG}; $Loopback");
    refused('control characters in a secret as text',
            qr/$in_text has control characters/,
            qq{wx_openid_app wxtest "LITERAL\x01"; $Loopback});
}

# a ";" forgotten, a name mistyped: what nginx says then

refused('a secret and no ";"', qr/invalid number of arguments/,
        "wx_openid_app wxtest $Secret\n$Loopback");
refused('a secret in three parts', qr/invalid number of arguments/,
        "wx_openid_app wxtest $Secret LITERAL; $Loopback");


# wx_openid_appid, wx_openid_require

refused('a bad variable in wx_openid_appid', qr/invalid variable name/,
        "$App $Loopback wx_openid_appid \$;");
refused('a variable that nobody has', qr/unknown "nosuch" variable/,
        "$App $Loopback wx_openid_appid \$nosuch;");
for my $value (qw(not_banned 1 0 ""), "'a b'") {
    (my $text = $value) =~ s/["']//g;
    warned("no variable in wx_openid_require $value",
           qr/"\Q$text\E" in "wx_openid_require" has no variable/,
           "$App $Loopback wx_openid_require \$wx_openid $value;");
}

warned('an appid that is not declared',
       qr/"wxtypo" in "wx_openid_appid" is no "wx_openid_app": .* for loc/,
       "$App $Loopback", 'wx_openid on; wx_openid_appid wxtypo;');
taken('an appid that is declared', "$App $Loopback wx_openid_appid wxtest;");
taken('an appid that is not declared, where nothing uses it',
      "$App $Loopback wx_openid_appid wxtypo;", 'wx_openid off;');

refused('a bad variable in wx_openid_require', qr/invalid variable name/,
        "$App $Loopback wx_openid_require ok \$;");


# wx_openid_code

for my $source ('code', '""', 'json:', 'json:.', 'json:a.', 'json:.a',
                'json:a..b', 'json:$.code', 'form:', 'header:X-A')
{
    (my $text = $source) =~ s/"//g;
    refused("source $source",
            qr/invalid source "\Q$text\E" in "wx_openid_code"/,
            "$App $Loopback wx_openid_code \$http_x_a $source;");
}

for my $source ('$http_x-wx-code', 'a$arg_code', '${arg_code}b',
                '$arg_a:$arg_b')
{
    warned("source $source",
           qr/source "\Q$source\E" in "wx_openid_code" has text beside its/,
           "$App $Loopback wx_openid_code $source;");
}

taken('sources of variables alone',
      "$App $Loopback wx_openid_code \$arg_a\${arg_b}\$http_x_c \${arg_d};");

# headers that are removed cannot be looked at, in either order

for my $source ('$http_x_wx_openid', '${http_x_wx_env}', 'a$http_x_wx_source',
                '$arg_a$http_x_wx_from_openid')
{
    refused("source $source",
            qr/"wx_openid_code" source "\Q$source\E" is a header that is/,
            "$App $Loopback wx_openid_code $source;");
}

{
    my $code = 'wx_openid_code $http_x_own_code;';

    for my $name ('X-Own-Code', 'x_own_code', 'X.Own-CODE') {
        my $header = "wx_openid_set_header $name v;";

        refused("a source, then set_header $name",
                qr/"\Q$name\E" in "wx_openid_set_header" is a header that a/,
                "$App $Loopback $code $header");
        refused("set_header $name, then a source",
                qr/source "\$http_x_own_code" is a header that is removed/,
                "$App $Loopback $header $code");
        refused("a source, set_header $name in another location",
                qr/"\Q$name\E" in "wx_openid_set_header" is a header that a/,
                "$App $Loopback $code", "wx_openid on; $header");
        refused("set_header $name, a source in another location",
                qr/source "\$http_x_own_code" is a header that is removed/,
                "$App $Loopback $header", "wx_openid on; $code");
    }

    taken('another header', "$App $Loopback $code",
          'wx_openid on; wx_openid_set_header X-Own v;');
}


# wx_openid_set_header

refused('a line end in a value of set_header',
        qr/value of "X-Own" in "wx_openid_set_header" has control char/,
        qq($App $Loopback wx_openid_set_header X-Own "a\nb";));

for my $name (qw(Host Cookie Authorization Content-Length Content-Type
                 Connection Transfer-Encoding X-Forwarded-For User-Agent
                 X_Forwarded_For x.forwarded.for CONTENT_LENGTH host))
{
    refused("set_header $name",
            qr/"\Q$name\E" in "wx_openid_set_header" is a header that nginx/,
            "$App $Loopback wx_openid_set_header $name v;");
}

for my $name ('""', 'X:Y', '"X Y"', '"X\r\nY"', 'X/Y', '"X(Y)"') {
    refused("set_header $name",
            qr/"[^"]*" in "wx_openid_set_header" is not a header name/s,
            "$App $Loopback wx_openid_set_header $name v;");
}

for my $name (qw(X-WX-Code x_wx_code)) {
    refused("set_header $name",
            qr/"$name" in "wx_openid_set_header" is a header that a code/,
            "$App $Loopback wx_openid_set_header $name v;");
}

refused('a source in capitals',
        qr/"X-Login" in "wx_openid_set_header" is a header that a code/,
        "$App $Loopback wx_openid_code \$HTTP_X_LOGIN;"
        . 'wx_openid_set_header X-Login v;');
refused('set_header of one name twice',
        qr/"x_user" in "wx_openid_set_header" is duplicate/,
        "$App $Loopback wx_openid_set_header X-User a;"
        . 'wx_openid_set_header x_user b;');
refused('a bad variable in wx_openid_set_header', qr/invalid variable name/,
        "$App $Loopback wx_openid_set_header X-User \$;");


# numbers, times, flags

my @times = map { "wx_openid_$_" } qw(connect_timeout send_timeout
                                      read_timeout timeout);

for my $directive (@times, 'wx_openid_next_upstream_timeout') {
    for my $value (qw(soon -1 1x "")) {
        (my $text = $value) =~ s/"//g;
        refused("$directive $value",
                qr/"$directive \Q$text\E": invalid value|"$directive" .*/,
                "$App $Loopback $directive $value;");
    }
}

for my $directive (@times) {
    refused("$directive 0", qr/"$directive 0": must be greater than 0/,
            "$App $Loopback $directive 0;");
}

taken('wx_openid_next_upstream_timeout 0',
      "$App $Loopback wx_openid_next_upstream_timeout 0;");

for my $directive (qw(wx_openid_next_upstream_tries wx_openid_busy_retries
                      wx_openid_ssl_verify_depth wx_openid_body_limit))
{
    for my $value (qw(many -1 1.5)) {
        refused("$directive $value",
                qr/"$directive \Q$value\E": invalid/,
                "$App $Loopback $directive $value;");
    }
}

for my $directive (qw(wx_openid_ssl_verify wx_openid_ssl_session_reuse)) {
    refused("$directive maybe",
            qr/invalid value "maybe" in "$directive" directive/,
            "$App $Loopback $directive maybe;");
}


# wx_openid_pass, wx_openid_host

for my $url ('api.weixin.qq.com', '""', 'ftp://127.0.0.1', 'https:/127.0.0.1',
             'https://', 'http:///path', 'http://127.0.0.1:0',
             'http://127.0.0.1:65536', 'http://127.0.0.1:port',
             'http://user@127.0.0.1', 'http://127.0.0.1/?a=b',
             'http://127.0.0.1/#a', 'http://$host', 'http://127.0.0.1/$uri',
             '"http://127.0.0.1/a b"', "http://127.0.0.1/\x{e4}",
             'http://[::1', 'http://unix:', 'http://a,b', 'http://a*b/c')
{
    (my $text = $url) =~ s/"//g;
    refused("pass $url", qr/"\Q$text\E" in "wx_openid_pass" /,
            "$App wx_openid_pass $url;");
}

taken("pass $_", "$App wx_openid_pass $_;")
    for 'http://127.0.0.1:8080', 'HTTP://127.1.2.3/prefix/', 'http://[::1]',
        'http://unix:/tmp/wechat.sock:/prefix';

{
    local $ENV{OPENSSL_CONF} = write_file('openssl.cnf', <<'END');
openssl_conf = init
[init]
providers = all
[all]
null = null
[null]
activate = 1
END
    refused('OpenSSL without SHA-256', qr/"wx_openid" needs SHA-256/,
            "$App $Loopback");
}

for my $host ('""', '"a b"', 'a/b', '"a\r\nb"', 'a@b', '$host', 'a' x 300) {
    refused("host $host", qr/invalid name ".*" in "wx_openid_host"/s,
            "$App $Loopback wx_openid_host $host;");
}

{
    my $group = 'upstream group { server 127.0.0.1:1; }';

    refused('a group over https without a name',
            qr/"https:\/\/group" in "wx_openid_pass".*needs "wx_openid_host"/,
            "$App $Trusted $group wx_openid_pass https://group;");
    taken('a group over https with a name',
          "$App $Trusted $group wx_openid_pass https://group;"
          . 'wx_openid_host api.weixin.qq.com;');
    taken('a group over http without a name',
          "$App $group wx_openid_pass http://group;");
    taken('a group that is declared later',
          "$App wx_openid_pass http://group; $group");
    refused('a group with a port',
            qr/"http:\/\/group:80" in "wx_openid_pass".*may not have port 80/,
            "$App $group wx_openid_pass http://group:80;");
}

for my $url ('http://192.0.2.1', 'http://[2001:db8::1]:8080/a') {
    my $warning = qr/"\Q$url\E" in "wx_openid_pass" is not loopback/;

    warned("pass $url", $warning, "$App wx_openid_pass $url;");
    taken("pass $url where nothing uses it",
          "$App wx_openid_pass $url;", 'wx_openid off;');
}

warned('a group with a server elsewhere', qr/"http:\/\/group" in .* loopback/,
       "$App wx_openid_pass http://group; upstream group"
       . '{ server 127.0.0.1; server 192.0.2.1 backup; }');
taken('https to elsewhere', "$App $Trusted wx_openid_host wechat.test;"
                            . ' wx_openid_pass https://192.0.2.1;');

for my $host ('192.0.2.1', '127.0.0.1:8443', '[::1]', '[2001:db8::1]:8443') {
    warned("https to $host, and no name",
           qr/"https:\/\/\Q$host\E" in .* an address, .*"wx_openid_host"/,
           "$App $Trusted wx_openid_pass https://$host;");
}

taken('https to an address, not verified where nothing uses it',
      "$App $Trusted wx_openid_pass https://192.0.2.1;", 'wx_openid off;');

for my $end ('', '/') {
    refused("the whole URL of the call, $end",
            qr/"http:.*" in "wx_openid_pass" must end before "\/sns\/jscode/,
            "$App wx_openid_pass http://127.0.0.1/a/sns/jscode2session$end;");
}

warned('a host that cannot be resolved',
       qr/"wx_openid_pass": .*"nosuch\.invalid"/,
       "$App $Trusted wx_openid_pass https://nosuch.invalid;");
warned('a host that cannot be resolved, by http',
       qr/"nosuch\.invalid", .*\n.*"http:\/\/nosuch\.invalid" in .* loopback/,
       "$App wx_openid_pass http://nosuch.invalid;");


# wx_openid_ssl_*

{
    my $tls = "$App wx_openid_pass https://127.0.0.1;"
              . ' wx_openid_host wechat.test;';
    my $off = 'wx_openid_ssl_verify off;';
    my $no_store = qr/no trust store .*"wx_openid_ssl_trusted_certificate"/;

    warned('verification off', qr/"wx_openid_ssl_verify off": whoever answers/,
           "$tls $off");
    taken('verification off without TLS', "$App $Loopback $off");

    {
        local $ENV{SSL_CERT_FILE} = "$Certs/nosuch.pem";

        refused('no trust store', $no_store, $tls);
        refused('no trust store, and whose fault it is',
                qr/, not where SSL_CERT_FILE says, /, $tls);
        taken('no trust store, a file given', "$tls $Trusted");
        taken('no trust store, no TLS', "$App $Loopback");
        warned('no trust store, verification off', qr/ssl_verify off/,
               "$tls $off");
    }

    {
        local $ENV{SSL_CERT_FILE} = "$Certs/ca.pem";
        taken('a trust store in the environment', $tls);
    }

    SKIP: {
        skip 'this system has no trust store', 3
            if !-r '/etc/ssl/certs/ca-certificates.crt';
        taken('the trust store of the system', $tls);
    }

    refused('protocols', qr/"SSLv9".*\[emerg\].*"wx_openid_ssl_protocols"/s,
            "$tls $Trusted wx_openid_ssl_protocols TLSv1.2 SSLv9;");

    my %bad = (
        wx_openid_ssl_ciphers => 'NO-SUCH',
        wx_openid_ssl_trusted_certificate => "$Certs/nosuch.pem",
        wx_openid_ssl_crl => "$Certs/nosuch.pem",
    );

    for my $directive (sort keys %bad) {
        my $rest = $directive =~ /trusted/ ? '' : $Trusted;

        refused($directive, qr/"$directive \Q$bad{$directive}\E"/,
                "$tls $rest $directive $bad{$directive};");
    }

    refused('a key as trusted certificate',
            qr/"wx_openid_ssl_trusted_certificate \Q$Certs\E\/ca.key"/,
            "$tls wx_openid_ssl_trusted_certificate $Certs/ca.key;");
}

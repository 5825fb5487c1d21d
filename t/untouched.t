# The module is loaded and nothing uses it: nginx does what it does without
# it, to the byte and to the step.  Two of them, with and without, get the
# same requests; compared are their answers, what the upstream got, both logs
# (at the level "debug", which names each handler of each phase and each
# subrequest), shared memory and descriptors.

use strict;
use warnings;

use lib 't/lib';
use File::Path ();
use IO::Select ();
use IO::Socket::INET ();
use Test::More;
use WxOpenid::HTTP2 qw(h2_request);
use WxOpenid::Nginx qw(until_true);
use WxOpenid::Servers qw(backend wechat);
use WxOpenid::Token qw(token);

plan skip_all => 'needs an nginx that can be without the module'
    if !WxOpenid::Nginx::modules();

WxOpenid::Servers::start_all();

my $Upstream = "http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT}";


# Of the module's directives all that does not make it used

my %Unused = (
    'no directive' => ['', ''],
    'apps and lists alone' => [<<"END", <<'END'],
    $ENV{TEST_NGINX_WX_CONFIG}
    wx_openid_cache           size=8m ttl=60s;
    wx_openid_session_keys    $ENV{TEST_NGINX_KEYS};
    wx_openid_session_cookie  wxs;
    wx_openid_set_header      X-User \$wx_openid;
    wx_openid_require         \$wx_openid;
END
        wx_openid            off;
        wx_openid_code       $http_x_wx_code $arg_code json:code form:code;
        wx_openid_body_limit 1m;
END
);

sub http_of {
    my ($http, $server) = @_;
    return <<"END";
$http
    limit_req_zone  \$uri  zone=limited:1m  rate=1r/m;
    log_format      all  '\$remote_addr "\$request" \$status \$bytes_sent '
                         '\$request_length \$request_completion '
                         '\$upstream_status \$http_x_wx_openid '
                         '\$sent_http_etag';
    access_log      access.log  all;
    root            %DIR%/html;

    server {
        listen  127.0.0.1:%PORT%;
        listen  127.0.0.1:%PORT2% http2;
        large_client_header_buffers  2 1k;
        add_header  X-Server  yes;
$server
        location /here        { return 200 "here \$http_x_wx_openid\\n"; }
        location /file        { }
        location /upstream    { proxy_pass $Upstream; }
        location /accel       { proxy_pass $Upstream; }
        location /status      { proxy_pass $Upstream; }
        location /streamed    { proxy_request_buffering off;
                                proxy_http_version 1.1;
                                proxy_pass $Upstream; }
        location /try         { try_files /none \@named; }
        location \@named       { proxy_pass $Upstream; }
        location /rewritten   { rewrite ^ /upstream/rewritten last; }
        location /page        { error_page 404 =200 /here; return 404; }
        location /intercepted { proxy_intercept_errors on;
                                error_page 401 403 502 /here;
                                proxy_pass $Upstream/status/403; }
        location /basic       { auth_basic closed;
                                auth_basic_user_file %DIR%/none;
                                proxy_pass $Upstream; }
        location /denied      { deny all; proxy_pass $Upstream; }
        location /any         { satisfy any; deny all; auth_request /here;
                                proxy_pass $Upstream; }
        location /asked       { auth_request /upstream/asked;
                                proxy_pass $Upstream; }
        location /mirrored    { mirror /upstream/mirror;
                                proxy_pass $Upstream; }
        location /limited     { limit_req zone=limited; return 204; }
        location /small       { client_max_body_size 5;
                                proxy_pass $Upstream; }
        location /excepted    { limit_except GET { deny all; }
                                proxy_pass $Upstream; }
    }
END
}


# Requests, each list on a connection of its own

my $Token = token();

my $Forged = join '', map { "$_\r\n" }
    'X-WX-OPENID: forged', 'x-wx-source: forged', 'X-WX-Code: a-code',
    "X-WX-Session: $Token", "Authorization: Bearer $Token",
    "Cookie: a=1; wxs=$Token; b=2", 'X-User: kept';

sub request_of {
    my ($line, $body, @headers) = @_;
    my $head = "$line HTTP/1.1\r\nHost: a\r\n$Forged";

    $head .= "$_\r\n" for @headers;
    $head .= 'Content-Length: ' . length($body) . "\r\n" if defined $body;
    return "$head\r\n" . ($body // '');
}

my @Paths = qw(/here /file /upstream?code=a-code /try /rewritten /page
               /intercepted /denied /any /asked /limited /limited /none
               /accel?to=/upstream/a /accel?to=/here /accel?to=/denied
               /accel?to=/file /basic /mirrored);

my $Json = '{"code":"a-code"}';
my $Form = 'x=1&code=a-code';
my @JsonType = ('Content-Type: application/json');
my @FormType = ('Content-Type: application/x-www-form-urlencoded');

my @Requests = (
    (map { request_of("GET $_", undef, 'Connection: close') } @Paths),
    (map { request_of("HEAD $_", undef, 'Connection: close') } @Paths[0 .. 3]),
    (map { my $path = $_;
           (request_of("POST $path", $Json, @JsonType, 'Connection: close'),
            request_of("POST $path", $Form, @FormType, 'Connection: close')) }
         qw(/here /upstream /streamed /try /rewritten /small /excepted)),
    request_of('GET /file', undef, 'Range: bytes=1-3', 'Connection: close'),
    request_of('OPTIONS /upstream', undef, 'Connection: close'),
    request_of('POST /upstream', undef, @JsonType, 'Connection: close',
               'Transfer-Encoding: chunked') . "11\r\n$Json\r\n0\r\n\r\n",
    join('', map({ request_of("GET $_") } qw(/here /upstream /file)),
         request_of('GET /here', undef, 'Connection: close')),

    # that nginx answers before it has a location
    "GET /here HTTP/1.0\r\n\r\n",
    "GET /here HTTP/1.1\r\n$Forged\r\n",
    "GET /here HTTP/9.1\r\nHost: a\r\n$Forged\r\n",
    "NONSENSE\r\n\r\n",
    "GET /here HTTP/1.1\r\nHost: a\r\n${Forged}X: " . 'x' x 2000 . "\r\n\r\n",
    'GET /' . 'x' x 2000 . " HTTP/1.1\r\n\r\n",
);

sub answer_to {
    my ($port, $text) = @_;
    my $s = IO::Socket::INET->new("127.0.0.1:$port") or die "nginx: $!\n";
    my $answer = '';

    print $s $text;
    $s->flush;

    while (IO::Select->new($s)->can_read(10)) {
        sysread $s, $answer, 65536, length $answer or return $answer;
    }

    die "no end of the answer to $text\n";
}


# What differs from run to run by itself

sub masked {
    my ($nginx, $text) = @_;
    my %name = ($nginx->port => 'PORT', $nginx->port2 => 'PORT2');

    $text =~ s/^Date: .*/Date/gmi;
    $text =~ s/\b(\d+)\b/$name{$1} \/\/ $1/ge;
    $text =~ s/\Q$nginx->{dir}\E/DIR/g;
    $text =~ s/(nginx\.conf):\d+/$1/g;
    return $text;
}

sub file {
    my ($nginx, $name) = @_;
    open my $in, '<', "$nginx->{dir}/$name" or die "$name: $!\n";
    return do { local $/; <$in> } // '';
}

# of the debug log what is of requests, not of events and memory

sub steps {
    my ($nginx) = @_;
    my $text = masked($nginx, file($nginx, 'debug.log'));
    my @lines;

    for (split /\n/, $text) {
        s/^\S+ \S+ (\[\w+\]) \d+#\d+: /$1 /;
        s/\b[0-9A-F]{16}\b/ADDRESS/g;
        push @lines, $_
            if /\[(?!debug|notice)|phase|subrequest|redirect|location
                |configuration|http (?:header|script|map|finalize|output)
                |wx_openid/xi;
    }

    return join "\n", @lines, '';
}

# all of the ordinary log, its beginning and its end too

sub error_log {
    my ($nginx) = @_;
    my $text = masked($nginx, file($nginx, 'error.log'));

    $text =~ s/^\S+ \S+ (\[\w+\]) \d+#\d+: /$1 /gm;
    $text =~ s/^(\[notice\].*)/$1 =~ s{\d+}{N}gr/gme;

    # the master says so while the worker may be at its first request
    my $started = $text =~ s/^\[notice\] start worker process N\n//gm;

    return "$started\n$text";
}

sub shared_memory {
    my ($nginx) = @_;
    my $text = '';

    for my $pid ($nginx->workers) {
        open my $in, '<', "/proc/$pid/maps" or die "/proc/$pid/maps: $!\n";
        while (<$in>) {
            no warnings 'portable';
            $text .= hex($2) - hex($1) . "\n"
                if m{^(\w+)-(\w+) rw-s .*/dev/zero};
        }
    }

    return $text;
}

sub descriptors {
    my ($nginx) = @_;
    my @files = map { readlink($_) // '' }
                map { glob "/proc/$_/fd/*" } $nginx->workers;

    return join "\n", sort map { masked($nginx, $_) =~ s/\[\d+\]//r } @files;
}


# One of the two: all that it shows

sub observed {
    my ($load, $unused) = @_;
    my $before = backend('total');
    my $nginx = WxOpenid::Nginx->start(
        load => $load, workers => 1,
        main => 'error_log debug.log debug;',
        http => http_of(@$unused));

    my $at_rest = descriptors($nginx);

    File::Path::make_path("$nginx->{dir}/html");
    open my $out, '>', "$nginx->{dir}/html/file" or die "html/file: $!\n";
    print $out "a file\n";
    close $out;
    utime 1e9, 1e9, "$nginx->{dir}/html/file";      # for its ETag

    my @answers = map { masked($nginx, answer_to($nginx->port, $_)) }
                  @Requests;

    for my $path ('/here', '/upstream', '/try') {
        push @answers, masked($nginx, h2_request(
            $nginx->port2, request_of("GET $path") =~ s/Host: a\r\n//r));
    }

    # a client is gone before nginx has closed its end
    until_true(sub { descriptors($nginx) eq $at_rest });

    my $log = backend('log');
    my %seen = (
        answers => join("\n", @answers),
        'the upstream\'s requests' => join("\n", map {
            masked($nginx, join "\n", $_->{line}, @{ $_->{lines} },
                   $_->{body}) } @$log[$before .. $#$log]),
        'shared memory' => shared_memory($nginx),
        descriptors => descriptors($nginx),
    );

    $nginx->stop;
    $seen{'steps of the requests'} = steps($nginx);
    $seen{'lines of the error log'} = error_log($nginx);
    $seen{'lines of the access log'} = masked($nginx,
                                              file($nginx, 'access.log'));
    return \%seen;
}

my $Without = observed('', ['', '']);

# what is compared has all that can differ

like($Without->{answers}, qr/^HTTP\/1\.1 200 OK\r$/m, 'there are answers');
like($Without->{"the upstream's requests"}, qr/^X-WX-OPENID: forged$/m,
     'and an upstream');
like($Without->{'steps of the requests'}, qr/^\[debug\] .*http subrequest/m,
     'subrequests are seen');
like($Without->{'steps of the requests'}, qr/access phase: \d/,
     'so are the phases');
like($Without->{'shared memory'}, qr/^1048576$/m, 'and a zone');

for my $name (sort keys %Unused) {
    my $with = observed(WxOpenid::Nginx::modules(), $Unused{$name});

    is($with->{$_}, $Without->{$_}, "$name: the same $_")
        for sort keys %$Without;
}

is(wechat('total'), 0, 'WeChat was never asked');

done_testing();

# Reload and stop: requests in flight end as they began, new ones follow the
# new configuration, and what is refused changes nothing.

use strict;
use warnings;

use lib 't/lib';
use IO::Socket::UNIX;
use POSIX ();
use Test::More tests => 29;
use Time::HiRes ();
use WxOpenid::Conf qw(write_file);
use WxOpenid::Nginx ();
use WxOpenid::Servers qw(wx_openid_of wechat backend);

WxOpenid::Servers::start_all();

my $Secret = $WxOpenid::Servers::Secret;
my $Backend = "http://127.0.0.1:$ENV{TEST_NGINX_BACKEND_PORT}";
my $SecretFile = write_file('secret', "$Secret\n");
(my $Dir = $SecretFile) =~ s{/secret$}{};
my $Generation = 0;
my $Workers = 2;
my $Reloads = 0;
my $Nginx;

my $App = "wx_openid_app wxtest file:$SecretFile;
           wx_openid_pass http://127.0.0.1:$ENV{TEST_NGINX_WECHAT_PORT};";

# every configuration tells its number, so that a test knows which is there

sub configure {
    my ($http) = @_;
    my $load = join '', map { "load_module $_;\n" }
               split ' ', $ENV{TEST_NGINX_LOAD_MODULES}
                          // "$WxOpenid::Servers::Root/build/"
                             . 'ngx_http_wx_openid_module.so';
    my $user = $> == 0 ? 'user root;' : '';
    $Generation++;

    return write_file('nginx.conf', <<"END");
$load
$user
daemon off;
pid nginx.pid;
error_log error.log info;
worker_processes $Workers;
events { @{[ WxOpenid::Nginx::event_type() ]} }
http {
    access_log             off;
    client_body_temp_path  body;
    proxy_temp_path        proxy;
    fastcgi_temp_path      fastcgi;
    uwsgi_temp_path        uwsgi;
    scgi_temp_path         scgi;
    $http
    server {
        listen unix:$Dir/nginx.sock;
        location = /generation { return 200 "$Generation"; }
        location /t { wx_openid on; proxy_pass $Backend; }
        location / { proxy_pass $Backend; }
    }
}
END
}

sub error_log {
    open my $in, '<', "$Dir/error.log" or return '';
    local $/;
    return <$in>;
}

sub begin {
    my ($uri, $code) = @_;
    my $sock = IO::Socket::UNIX->new("$Dir/nginx.sock") or return;
    print $sock "GET $uri HTTP/1.1\r\nHost: test\r\n"
                . ($code ? "X-WX-Code: $code\r\n" : '')
                . "Connection: close\r\n\r\n";
    return $sock;
}

sub finish {
    my ($sock) = @_;
    local $/;
    local $SIG{ALRM} = sub { die "no answer\n" };
    alarm 20;
    my $answer = <$sock> // '';
    alarm 0;
    return $answer;
}

sub get {
    my $sock = begin(@_) or return '';
    return finish($sock);
}

sub until_true {
    my ($what, $condition) = @_;

    for (1 .. 400) {
        return 1 if $condition->();
        Time::HiRes::sleep(0.05);
    }

    BAIL_OUT("$what did not happen: " . error_log());
}

sub until_served {
    until_true("generation $Generation", sub {
        get('/generation') =~ /\r\n\r\n$Generation$/;
    });
}

sub until_told {
    my ($what, $times) = @_;

    until_true("$times times $what", sub {
        return $times <= (() = error_log() =~ /$what/g);
    });
}

sub start {
    my $conf = configure(@_);
    local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";

    $Nginx = fork() // die "fork: $!";

    if ($Nginx == 0) {
        exec $ENV{TEST_NGINX_BINARY} // 'nginx', '-e', "$Dir/error.log",
             '-p', "$Dir/", '-c', $conf or POSIX::_exit(127);
    }

    until_served();
}

# old workers accept until they say that they stop

sub reload {
    configure(@_);
    kill HUP => $Nginx;
    until_served();
    $Reloads++;
    until_told(qr/gracefully shutting down/, $Workers * $Reloads);
}

END {
    if ($Nginx) {
        kill TERM => $Nginx;
        waitpid $Nginx, 0;
    }
}

# a code whose exchange waits until it is released

my $Codes = 0;

sub hold {
    my $code = "hold-$$-" . ++$Codes;
    my $sock = begin('/t', $code);
    wechat("wait?code=$code&n=1");
    return ($code, $sock);
}

sub release {
    my ($code, $sock) = @_;
    wechat("release?code=$code");
    return finish($sock);
}

sub granted {
    my ($answer, $code, $name) = @_;
    my $openid = wx_openid_of($code);
    like($answer, qr/^HTTP\S+ 200 .*^X-WX-OPENID: \Q$openid\E\r?$/ms, $name);
}


start($App);

{
    my @held = map { [hold()] } 1 .. 3;

    reload($App);
    my $code = "good-$$-during";
    granted(get('/t', $code), $code, 'a new request while others wait');

    for my $held (@held) {
        granted(release(@$held), $held->[0], 'in flight during a reload');
        is(wechat("count?code=$held->[0]"), 1, 'exchanged once');
    }
}

{
    my ($code, $sock) = hold();

    reload($App) for 1 .. 5;
    granted(release($code, $sock), $code, 'in flight during five reloads');
}

# what nginx would not start with leaves the old configuration in force

{
    my ($code, $sock) = hold();
    my $before = $Generation;

    configure('');
    kill HUP => $Nginx;
    until_told(qr/"wx_openid on" needs a "wx_openid_app"/, 1);

    like(get('/generation'), qr/\r\n\r\n$before$/, 'a bad reload is none');
    granted(release($code, $sock), $code, 'in flight during a bad reload');

    my $new = "good-$$-after-bad";
    granted(get('/t', $new), $new, 'a new request after a bad reload');
}

# a secret that changes takes effect at reload, and not before

{
    my $new = 'NEWSECRET0123456789abcdef0123456';
    my ($code, $sock) = hold();

    # WeChat takes one after the other, so it has looked at the one that
    # waits when this is answered
    my $before = "good-$$-before";
    granted(get('/t', $before), $before, 'the first secret');

    wechat("app?id=wxtest&secret=$new");
    write_file('secret', $new);
    like(get('/t', "good-$$-old-secret"), qr/^HTTP\S+ 500 .*misconfigured/s,
         'a changed secret file is not read before a reload');

    reload($App);
    my $after = "good-$$-new-secret";
    granted(get('/t', $after), $after, 'it is read at a reload');
    granted(release($code, $sock), $code, 'in flight with the old secret');
    like(wechat('last'), qr/secret=$new/, 'WeChat got the new secret');

    write_file('secret', '');
    my $in_force = $Generation;
    configure($App);
    kill HUP => $Nginx;
    until_told(qr/secret "file:.*" in "wx_openid_app" is empty/, 1);
    like(get('/generation'), qr/\r\n\r\n$in_force$/,
         'an empty one is refused');

    my $still = "good-$$-still";
    granted(get('/t', $still), $still, 'and the secret before stays');

    wechat("app?id=wxtest&secret=$Secret");
    write_file('secret', $Secret);
    reload($App);
    unlike(error_log(), qr/\Q$Secret\E|\Q$new\E/, 'neither is in the log');
}

# other lists, apps and lines

{
    reload("$App wx_openid_set_header X-User \$wx_openid;");
    my $code = "good-$$-list";
    my $openid = wx_openid_of($code);
    like(get('/t', $code), qr/^X-User: \Q$openid\E\r?$/m,
         'a list of headers given at reload');

    reload("$App wx_openid_code \$arg_c;");
    like(get('/t', "good-$$-header"), qr/^HTTP\S+ 401 .*login_required/s,
         'a list of sources given at reload');

    reload($App);
    my ($held, $sock) = hold();
    reload("wx_openid_app wxtest x; wx_openid_pass http://127.0.0.1:"
           . "$ENV{TEST_NGINX_WECHAT_DEAD_PORT};");
    like(get('/t', "good-$$-dead"), qr/^HTTP\S+ 502 /,
         'another line given at reload');
    granted(release($held, $sock), $held, 'in flight over the old one');
}

# a timeout of an old worker, and its end

{
    reload("$App wx_openid_timeout 300ms;");
    my ($code, $sock) = hold();
    reload($App);
    like(finish($sock), qr/^HTTP\S+ 504 .*wechat_timeout/s,
         'an old worker still times out');
    wechat("release?code=$code");
}

# old workers end once nothing is in flight

until_told(qr/worker process \d+ exited with code 0/, $Workers * $Reloads);
pass('old workers end');

# a graceful stop waits for what is in flight

{
    my ($code, $sock) = hold();

    kill QUIT => $Nginx;
    until_true('a stop', sub { !get('/generation') });
    granted(release($code, $sock), $code, 'in flight during a stop');
    is(wechat("count?code=$code"), 1, 'exchanged once');

    waitpid $Nginx, 0;
    is($?, 0, 'nginx ends well');
    undef $Nginx;
}

unlike(error_log(), qr/\[(?:alert|crit)\]|exited on signal|open socket/,
       'nothing alarming in the log');

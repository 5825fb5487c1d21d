package WxOpenid::Line;

# For suites on the line to WeChat, whose parts come, go and change while
# nginx runs: a DNS server, a stand-in for WeChat on each of several
# addresses with one port, nginx with a master and workers, and a client
# that keeps asking.  Plain Test::More: knows nothing of Test::Nginx.  What
# is of the line is of a worker, so there is one unless a suite says more.

use strict;
use warnings;

use Cwd ();
use Exporter 'import';
use File::Temp ();
use HTTP::Tiny;
use IO::Select ();
use IO::Socket::INET ();
use IO::Socket::UNIX ();
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep time);
use WxOpenid::Nginx ();
use WxOpenid::Servers qw(uri_escape);

our @EXPORT = qw(
    start_dns dns free_port start_wechat stop_wechat freeze_wechat wechat_at
    start_nginx stop_nginx reload_nginx nginx_dir nginx_pid worker_pids
    is_running descriptors log_text log_count status_json
    new_code ask start_client end_client start_load end_load until_true
    certificates
);

our $Secret = $WxOpenid::Servers::Secret;

my $Root = $WxOpenid::Servers::Root;
my $Dir = File::Temp::tempdir('wx_openid_XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $Http = HTTP::Tiny->new(timeout => 30, keep_alive => 0);
my $Owner = $$;
my $Codes = 0;

delete @ENV{qw(http_proxy https_proxy all_proxy HTTP_PROXY ALL_PROXY)};


# Programs of t/tools; each ends with its standard input

sub start_tool {
    my ($program, @args) = @_;
    my $tool = start_program("$Root/t/tools/$program", @args);

    while (my $line = readline $tool->{out}) {
        return $tool if $line eq "ready\n";
        my ($name, $port) = split ' ', $line;
        $tool->{$name} = $port;
    }

    die "t/tools/$program @args did not start\n";
}

sub start_program {
    my @command = @_;

    pipe my $stdin, my $hold or die "pipe: $!";
    pipe my $out, my $stdout or die "pipe: $!";

    my $pid = fork() // die "fork: $!";

    if ($pid == 0) {
        open STDIN, '<&', $stdin;
        open STDOUT, '>&', $stdout;
        exec @command or POSIX::_exit(127);
    }

    return { pid => $pid, hold => $hold, out => $out };
}

sub end_tool {
    my ($tool) = @_;
    close $tool->{hold};
    kill TERM => $tool->{pid};
    kill CONT => $tool->{pid};
    waitpid $tool->{pid}, 0;
}

sub control {
    my ($tool, $what) = @_;
    my $res = $Http->get("http://127.0.0.1:$tool->{ctl}/_ctl/$what");
    die "control $what: $res->{status} $res->{content}" if !$res->{success};

    return $res->{content} if $what !~ /^(?:log|connections)/;
    return JSON::PP->new->latin1->decode($res->{content});
}


# DNS: dns($server, 'set?name=wechat.test&a=127.0.0.1'), ...

my @Dns;

sub start_dns {
    my ($listen) = @_;
    push @Dns, start_tool('dns', $listen ? ('--listen', $listen) : ());
    return $Dns[-1];
}

sub dns {
    my ($server, $what) = @_;
    my $said = control($server, $what);
    die "dns $what: $said\n" if $said =~ /^(?:bad|unknown)/;
    return $said;
}


# WeChat: wechat_at('127.0.0.2', 'total'), ...; a tool for each address

my %Wechat;

sub bind_port {
    my ($address, $port) = @_;
    my $class = 'IO::Socket::INET';

    if ($address =~ /^\[(.*)\]$/) {
        require IO::Socket::IP;
        ($class, $address) = ('IO::Socket::IP', $1);
    }

    return $class->new(LocalAddr => $address, LocalPort => $port,
                       Proto => 'tcp', Listen => 1, ReuseAddr => 1);
}

# below those that the kernel gives to outgoing connections

sub free_port {
    my @addresses = @_;

    for (1 .. 1000) {
        my $port = 10000 + int rand 20000;
        my @bound = grep { $_ } map { bind_port($_, $port) } @addresses;
        return $port if @bound == @addresses;
    }

    die "no port is free on @addresses\n";
}

sub start_wechat {
    my ($address, $port, $options, @more) = @_;
    my $listen = "PORT=$address:$port" . ($options ? ",$options" : '');
    stop_wechat($address);
    $Wechat{$address} = start_tool('wechat', '--app', "wxtest=$Secret",
                                   map { ('--listen', $_) } $listen, @more);
}

sub stop_wechat {
    my ($address) = @_;
    my $tool = delete $Wechat{$address} or return;
    end_tool($tool);
}

# stops it where it is: the kernel still accepts for it

sub freeze_wechat {
    my ($address, $signal) = @_;
    kill $signal // 'STOP', $Wechat{$address}{pid};
}

sub wechat_at {
    my ($address, $what) = @_;
    return control($Wechat{$address}, $what);
}

sub certificates {
    my $certs = "$Dir/certs";

    if (!-d $certs) {
        system("$Root/t/tools/make-certs", $certs) == 0
            or die "t/tools/make-certs failed\n";
    }

    return $certs;
}


# nginx

my $Modules = $ENV{TEST_NGINX_LOAD_MODULES}
              // "$Root/build/ngx_http_wx_openid_module.so";
my $Nginx = $ENV{TEST_NGINX_BINARY} // 'nginx';
my $Master;
my $Run = 0;

sub nginx_dir { return "$Dir/$Run" }
sub nginx_pid { return $Master->{pid} }

sub write_conf {
    my ($conf) = @_;
    my $load = join '', map { "load_module $_;\n" } split ' ', $Modules;
    my $user = $> == 0 ? 'user root;' : '';
    my $workers = $conf->{workers} // 1;
    my $server = $conf->{server} // '';
    my $events = WxOpenid::Nginx::event_type();

    open my $out, '>', nginx_dir() . '/nginx.conf' or die "nginx.conf: $!";
    print $out <<"END";
$load $user
daemon            off;
pid               nginx.pid;
error_log         error.log info;
worker_processes  $workers;

events { worker_connections 1024; $events }

http {
    access_log             off;
    client_body_temp_path  body;
    proxy_temp_path        proxy;
    fastcgi_temp_path      fastcgi;
    uwsgi_temp_path        uwsgi;
    scgi_temp_path         scgi;
    keepalive_requests     100000;

    wx_openid_app          wxtest $Secret;
    $conf->{http}

    server {
        listen unix:$Dir/$Run/nginx.sock backlog=1024;

        location = /ready  { return 204; }
        location = /status { wx_openid_status json; }
        location /t        { wx_openid on; empty_gif; }

        $server
    }
}
END
    close $out or die "nginx.conf: $!";
}

# start_nginx({ http => TEXT, server => TEXT, workers => N,
#               wrap => [COMMAND...] })

sub start_nginx {
    my ($conf) = @_;

    stop_nginx();
    $Run++;
    mkdir nginx_dir() or die nginx_dir() . ": $!";
    write_conf($conf);

    local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
    my $dir = nginx_dir();

    $Master = start_program(@{ $conf->{wrap} // [] }, 'sh', '-c',
                            "exec '$Nginx' -p '$dir/' -c '$dir/nginx.conf'"
                            . " -e '$dir/error.log' 2> '$dir/stderr'");

    until_true(sub { -e "$dir/nginx.sock" && ask_path('/ready') =~ / 204 / },
               30) or die "nginx did not start\n" . log_text();
}

sub stop_nginx {
    return if !$Master;
    kill QUIT => $Master->{pid};
    until_true(sub { waitpid($Master->{pid}, POSIX::WNOHANG()) != 0 }, 15)
        or do { kill KILL => $Master->{pid}; waitpid $Master->{pid}, 0 };
    $Master = undef;
}

# returns the workers there were, when there are others

sub reload_nginx {
    my %old = map { $_ => 1 } worker_pids();
    kill HUP => $Master->{pid};
    until_true(sub { grep { !$old{$_} } worker_pids() }, 15)
        or die "no new worker\n" . log_text();
    return keys %old;
}

sub worker_pids {
    my $pid = $Master->{pid};
    open my $in, '<', "/proc/$pid/task/$pid/children" or return;
    return split ' ', <$in> // '';
}

sub is_running {
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/stat" or return 0;
    return (<$in> // '') !~ /\) Z /;
}

# of the master and its workers

sub descriptors {
    my $n = 0;
    $n += () = glob "/proc/$_/fd/*" for $Master->{pid}, worker_pids();
    return $n;
}

sub log_text {
    my @names = @_ ? @_ : qw(stderr error.log);
    my $text = '';

    for my $name (@names) {
        open my $in, '<', nginx_dir() . "/$name" or next;
        local $/;
        $text .= <$in> // '';
    }

    return $text;
}

sub log_count {
    my ($pattern) = @_;
    return scalar grep { /$pattern/ } split /\n/, log_text();
}


# Asking it

sub new_code {
    my ($kind) = @_;
    return ($kind // 'good') . "-$$-l" . ++$Codes;
}

sub ask_text {
    my ($text, $timeout) = @_;
    my $s = IO::Socket::UNIX->new(Peer => nginx_dir() . '/nginx.sock')
        or return '';
    local $SIG{PIPE} = 'IGNORE';
    my $select = IO::Select->new($s);
    my $end = time + ($timeout // 20);
    my $got = '';

    syswrite $s, $text;

    while ($select->can_read($end - time > 0 ? $end - time : 0)) {
        last if !sysread $s, $got, 65536, length $got;
    }

    return $got;
}

sub ask_path {
    my ($path, $headers) = @_;
    $headers //= '';
    return ask_text("GET $path HTTP/1.1\r\nHost: localhost\r\n"
                    . "Connection: close\r\n$headers\r\n");
}

# the status that a new code gets and the seconds it took

sub ask {
    my ($path, $code) = @_;
    $code //= new_code();
    my $start = time;
    my $answer = ask_path($path // '/t', "X-WX-Code: $code\r\n");
    my $took = time - $start;
    my ($status) = $answer =~ m{\AHTTP/1\.1 (\d+)};
    $status //= 'none';
    return wantarray ? ($status, $took) : $status;
}

# a request in a client of its own, for those that WeChat holds

sub start_client {
    my ($code, $path) = @_;
    pipe my $in, my $out or die "pipe: $!";
    my $pid = fork() // die "fork: $!";

    if ($pid == 0) {
        syswrite $out, scalar ask($path, $code);
        POSIX::_exit(0);
    }

    return { pid => $pid, in => $in };
}

sub end_client {
    my ($client) = @_;
    sysread $client->{in}, my $status, 16;
    waitpid $client->{pid}, 0;
    return $status;
}

sub status_json {
    my ($body) = ask_path('/status') =~ /\r\n\r\n(.*)\z/s;
    return JSON::PP->new->decode($body);
}

# a client that asks until end_load(), or --count times

sub start_load {
    my @args = @_;
    my $tool = start_tool('load', '--socket', nginx_dir() . '/nginx.sock',
                          @args);
    $tool->{counts} = grep { $_ eq '--count' } @args;
    return $tool;
}

sub end_load {
    my ($tool) = @_;
    close $tool->{hold} if !$tool->{counts};
    my $line = readline $tool->{out};
    waitpid $tool->{pid}, 0;
    return JSON::PP->new->decode($line // '{"statuses":{}}');
}

sub until_true {
    my ($true, $seconds) = @_;
    my $end = time + ($seconds // 10);

    while (time < $end) {
        return 1 if $true->();
        sleep 0.02;
    }

    return $true->();
}

# children of a test may leave through here too

END {
    if ($$ == $Owner) {
        local $?;
        stop_nginx();
        stop_wechat($_) for keys %Wechat;
        end_tool($_) for @Dns;
    }
}

1;

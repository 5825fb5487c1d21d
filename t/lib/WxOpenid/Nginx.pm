package WxOpenid::Nginx;

# An nginx of a suite's own, with a master and workers, for what is seen in
# processes: signals, reloads, deaths.  Knows nothing of Test::Nginx.
#
#     my $nginx = WxOpenid::Nginx->start(workers => 4, http => TEXT);
#
# TEXT is what stands in http {}; "main" and "events" likewise.  %PORT% and
# %PORT2% in it are free ports of 127.0.0.1; get() and flood() use the first,
# port2() tells the second; %DIR% is a folder of its own.  It ends with the
# suite.

use strict;
use warnings;

use Cwd ();
use Exporter 'import';
use File::Basename ();
use File::Temp ();
use HTTP::Tiny;
use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(until_true);

# a proxy of the environment must not come between
BEGIN {
    delete @ENV{qw(http_proxy https_proxy all_proxy HTTP_PROXY ALL_PROXY)};
}

our $Root = Cwd::abs_path(File::Basename::dirname(__FILE__) . '/../../..');

my $Owner = $$;
my %Running;

sub modules {
    return $ENV{TEST_NGINX_LOAD_MODULES}
           // "$Root/build/ngx_http_wx_openid_module.so";
}

sub event_type {
    my $type = $ENV{TEST_NGINX_EVENT_TYPE};
    return $type ? "use $type;" : '';
}

sub until_true {
    my ($true, $seconds) = @_;
    my $end = time + ($seconds // 10);

    while (time < $end) {
        return 1 if $true->();
        sleep 0.01;
    }

    return $true->();
}


# Starting and ending

# below the ports that the kernel gives to outgoing connections

sub free_port {
    for (1 .. 1000) {
        my $port = 10000 + int rand 22000;
        return $port if IO::Socket::INET->new(
            Listen => 1, LocalAddr => "127.0.0.1:$port");
    }

    die "no free port\n";
}

sub start {
    my ($class, %conf) = @_;

    for (1 .. 5) {
        my $self = bless {
            workers => $ENV{TEST_NGINX_WORKERS} || 1, load => modules(),
            main => '', events => event_type(),
            env => {}, %conf, port => free_port(),
            port2 => free_port(),
            dir => File::Temp::tempdir('wx_openid_XXXXXX', TMPDIR => 1,
                                       CLEANUP => 1),
        }, $class;

        $self->write_conf;
        return $self if $self->run;

        die $self->log if $self->log !~ /Address already in use/;
    }

    die "nginx does not start\n";
}

sub write_conf {
    my ($self) = @_;
    my $load = join '', map { "load_module $_;\n" } split ' ', $self->{load};
    my $user = $> == 0 ? 'user root;' : '';
    my $text = <<"END";
$load
$user
daemon            off;
worker_processes  $self->{workers};
pid               nginx.pid;
error_log         error.log info;
$self->{main}
events {
    worker_connections  4096;
    $self->{events}
}
http {
    access_log             off;
    client_body_temp_path  body;
    proxy_temp_path        proxy;
    fastcgi_temp_path      fastcgi;
    uwsgi_temp_path        uwsgi;
    scgi_temp_path         scgi;
$self->{http}
}
END
    $text =~ s/%PORT%/$self->{port}/g;
    $text =~ s/%PORT2%/$self->{port2}/g;
    $text =~ s/%DIR%/$self->{dir}/g;

    open my $out, '>', "$self->{dir}/nginx.conf" or die "nginx.conf: $!\n";
    print $out $text;
    close $out or die "nginx.conf: $!\n";
}

sub run {
    my ($self) = @_;
    my $dir = $self->{dir};
    my $program = $ENV{TEST_NGINX_BINARY} // 'nginx';

    my $pid = fork() // die "fork: $!\n";

    if ($pid == 0) {
        local %ENV = (%ENV, %{ $self->{env} },
                      PATH => "$ENV{PATH}:/usr/sbin");
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$dir/out";
        open STDERR, '>&', \*STDOUT;
        exec $program, '-p', "$dir/", '-c', "$dir/nginx.conf",
             '-e', "$dir/error.log" or POSIX::_exit(127);
    }

    $self->{pid} = $pid;
    $Running{$pid} = 1;

    # the pid file is there once the ports are; then come the workers
    return until_true(sub {
        $self->ended || (-s "$dir/nginx.pid"
                         && $self->workers >= $self->{workers});
    }) && !$self->ended;
}

sub ended {
    my ($self) = @_;

    if (!$self->{ended} && waitpid($self->{pid}, POSIX::WNOHANG()) != 0) {
        $self->{ended} = 1;
        delete $Running{ $self->{pid} };
    }

    return $self->{ended};
}

sub signal {
    my ($self, $name) = @_;
    kill $name => $self->{pid} if !$self->{ended};
}

# a worker that does not let anybody in any more

sub retires {
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/cmdline" or return 1;
    return (<$in> // '') =~ /shutting down/;
}

# with new text for what is given; returns when new workers have taken over

sub reload {
    my ($self, %conf) = @_;
    my %old = map { $_ => 1 } $self->workers;

    @$self{keys %conf} = values %conf;
    $self->write_conf;
    $self->signal('HUP');

    return until_true(sub {
        (grep { !$old{$_} } $self->workers) >= $self->{workers}
            && !grep { !retires($_) } keys %old;
    });
}

sub stop {
    my ($self) = @_;

    return if $self->{ended};

    $self->signal('TERM');
    until_true(sub { $self->ended }) or $self->signal('KILL');
    return $self->ended;
}

sub DESTROY {
    my ($self) = @_;
    local $?;
    $self->stop if $$ == $Owner && $self->{pid};
}

END {
    if ($$ == $Owner) {
        local $?;
        kill TERM => keys %Running;
    }
}


# Looking at it

sub port {
    my ($self) = @_;
    return $self->{port};
}

sub port2 {
    my ($self) = @_;
    return $self->{port2};
}

sub log {
    my ($self) = @_;
    my $text = '';

    for my $name (qw(error.log out)) {
        open my $in, '<', "$self->{dir}/$name" or next;
        $text .= do { local $/; <$in> } // '';
    }

    return $text;
}

sub log_lines {
    my ($self, $pattern) = @_;
    return grep { /$pattern/ } split /^/, $self->log;
}

# lines of the log that no test should see
sub alerts {
    my ($self) = @_;
    return join '', $self->log_lines(qr/\[(?:alert|crit|emerg)\]|Sanitizer/);
}

sub workers {
    my ($self) = @_;
    my $pid = $self->{pid};

    open my $in, '<', "/proc/$pid/task/$pid/children" or return ();
    return split ' ', <$in> // '';
}

# the workers that have a connection whose other end is this port

sub workers_at {
    my ($self, $port) = @_;
    my $end = sprintf ':%04X', $port;
    my %inodes;

    open my $in, '<', '/proc/net/tcp' or die "/proc/net/tcp: $!\n";

    while (my $line = <$in>) {
        my @field = split ' ', $line;
        $inodes{"socket:[$field[9]]"} = 1 if $field[2] =~ /$end\z/;
    }

    return grep {
        grep { $inodes{ readlink($_) // '' } } glob "/proc/$_/fd/*"
    } $self->workers;
}


# Asking it

sub get {
    my ($self, $path, $code, %headers) = @_;

    $headers{'X-WX-Code'} = $code if defined $code;

    return HTTP::Tiny->new(timeout => 20, keep_alive => 0)
        ->get("http://127.0.0.1:$self->{port}$path",
              { headers => \%headers });
}

# wx_openid_status json at /json

sub counters {
    my ($self) = @_;
    my $status = JSON::PP::decode_json($self->get('/json')->{content});

    # what the worker that answered knows of its own line
    delete $status->{lines};
    return $status;
}

# returns when so many requests are in their phases; needs stub_status at
# /stub

sub until_waiting {
    my ($self, $n) = @_;

    return until_true(sub {
        my $text = $self->get('/stub')->{content};
        return $text =~ /Writing: (\d+)/ && $1 > $n;
    });
}

# t/tools/flood in the background: returns when its connections are made

sub flood {
    my ($self, @args) = @_;
    my @cmd = ("$Root/t/tools/flood", '--port', $self->{port}, @args);

    open my $out, '-|', @cmd or die "flood: $!\n";
    my $line = <$out> // '';
    die "flood: no connections\n" if $line ne "connected\n";

    return $out;
}

# what came of it

sub flood_end {
    my ($self, $out) = @_;

    my $text = do { local $/; <$out> } // '';
    close $out;
    return JSON::PP::decode_json($text);
}

1;

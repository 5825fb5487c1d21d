package WxOpenid::Memory;

# An nginx's memory in a suite's hands: t/tools/memory.c is preloaded into it
# and read and told by a file that both have mapped or open.
#
#     my $memory = WxOpenid::Memory->new or plan skip_all => ...;
#     WxOpenid::Nginx->start(env => $memory->env, ...)
#
# Knows nothing of what nginx is asked.

use strict;
use warnings;

use File::Temp ();
use POSIX ();
use WxOpenid::Nginx ();

my ($FailAt, $FailOn, $Live, $LiveBytes, $Keep, $Spare, $Alone, $Words)
    = 0 .. 7;
my $Dir = File::Temp::tempdir('wx_openid_XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $Files = 0;

sub library {
    my $file = "$Dir/memory.so";

    if (!-f $file) {
        my $source = "$WxOpenid::Nginx::Root/t/tools/memory.c";
        system($ENV{CC} // 'cc', '-O2', '-g', '-W', '-Wall', '-Wextra',
               '-Werror', '-shared', '-fPIC', '-o', $file, $source, '-ldl')
            == 0 or die "cannot compile t/tools/memory.c\n";
    }

    return $file;
}

# undef for an nginx that has an allocator of its own built in, as one with
# AddressSanitizer has

sub new {
    my ($class) = @_;
    my $self = bless { file => "$Dir/words" . ++$Files,
                       trace => "$Dir/trace$Files" }, $class;

    open my $out, '>', $self->{file} or die "$self->{file}: $!\n";
    print $out pack "q$Words", (0) x $Words;
    close $out or die "$self->{file}: $!\n";
    open $self->{words}, '+<:raw', $self->{file}
        or die "$self->{file}: $!\n";

    # a worker may be another user
    chmod 0666, $self->{file};
    chmod 0755, $Dir;

    $self->set($FailAt, 1 << 40);
    $self->run('-t', '-e', 'stderr', '-c', '/dev/null');
    return $self->left == 1 << 40 ? undef : $self->clear;
}

sub env {
    my ($self) = @_;
    return { LD_PRELOAD => library(), WX_MEMORY => $self->{file},
             WX_MEMORY_TRACE => $self->{trace} };
}

# nginx with these arguments: its status, as of waitpid(), and what it said

sub run {
    my ($self, @args) = @_;
    my $env = $self->env;
    my $program = $ENV{TEST_NGINX_BINARY} // 'nginx';

    my $pid = open(my $in, '-|') // die "fork: $!\n";

    if ($pid == 0) {
        local %ENV = (%ENV, %$env, PATH => "$ENV{PATH}:/usr/sbin");
        open STDERR, '>&', \*STDOUT;
        exec $program, @args or POSIX::_exit(127);
    }

    my $said = do { local $/; <$in> } // '';
    close $in;
    return ($?, $said);
}

sub get {
    my ($self, $word) = @_;
    my $text;
    sysseek $self->{words}, 8 * $word, 0;
    sysread $self->{words}, $text, 8;
    return unpack 'q', $text;
}

sub set {
    my ($self, $word, $value) = @_;
    sysseek $self->{words}, 8 * $word, 0;
    syswrite $self->{words}, pack 'q', $value;
    return $self;
}


# The N-th allocation from now fails, and with "on" all after it

sub fail {
    my ($self, $n, $on) = @_;
    unlink $self->{trace};
    $self->set($FailAt, $n);
    $self->set($FailOn, $on ? 1 : 0);
}

# or the N-th that neither OpenSSL nor the C library asks for

sub spare_libraries {
    my ($self) = @_;
    return $self->set($Spare, 1);
}

sub clear {
    my ($self) = @_;
    return $self->set($FailOn, 0)->set($FailAt, 0);
}

# how many it is still away: 0 once it failed

sub left {
    my ($self) = @_;
    return $self->get($FailAt);
}

# where it failed

sub trace {
    my ($self) = @_;
    open my $in, '<', $self->{trace} or return '';
    return do { local $/; <$in> } // '';
}


# What is not freed: (allocations, bytes)

sub live {
    my ($self) = @_;
    return ($self->get($Live), $self->get($LiveBytes));
}

# of the master alone, for one that is not started yet

sub master_alone {
    my ($self) = @_;
    return $self->set($Alone, 1);
}

# the next calls of free() do nothing, as if they had been forgotten

sub forget_free {
    my ($self, $n) = @_;
    $self->set($Keep, $n);
}

1;

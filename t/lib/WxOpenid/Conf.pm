package WxOpenid::Conf;

# What "nginx -t" says of a configuration.  Starts no server and knows
# nothing of Test::Nginx; nginx is the one that the suites run.

use strict;
use warnings;

use Cwd ();
use Exporter 'import';
use File::Basename ();
use File::Temp ();

our @EXPORT_OK = qw(check_conf conf_file write_file certificates);

my $Root = Cwd::abs_path(File::Basename::dirname(__FILE__) . '/../../..');
my $Dir = File::Temp::tempdir('wx_openid_XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $Nginx = $ENV{TEST_NGINX_BINARY} // 'nginx';
my $Modules = $ENV{TEST_NGINX_LOAD_MODULES}
              // "$Root/build/ngx_http_wx_openid_module.so";

sub write_file {
    my ($name, $text) = @_;
    open my $out, '>', "$Dir/$name" or die "$Dir/$name: $!";
    print $out $text;
    close $out or die "$Dir/$name: $!";
    return "$Dir/$name";
}

# a folder as t/tools/make-certs makes it
sub certificates {
    my $dir = "$Dir/certs";

    if (!-d $dir) {
        system("$Root/t/tools/make-certs", $dir) == 0
            or die "t/tools/make-certs failed\n";
    }

    return $dir;
}

# conf_file({ main => TEXT, http => TEXT }): nginx's arguments for it
sub conf_file {
    my ($text) = @_;
    my $load = join '', map { "load_module $_;\n" } split ' ', $Modules;
    my $main = $text->{main} // '';
    my $events = $text->{events} // '';

    my $file = write_file('nginx.conf', <<"END");
$load
pid nginx.pid;
$main
events { $events }
http {
    access_log             off;
    client_body_temp_path  body;
    proxy_temp_path        proxy;
    fastcgi_temp_path      fastcgi;
    uwsgi_temp_path        uwsgi;
    scgi_temp_path         scgi;
$text->{http}
}
END
    return ('-p', "$Dir/", '-c', $file);
}

# whether nginx takes it, and all that it says
sub check_conf {
    my ($text) = @_;
    my $arguments = join ' ', conf_file($text);

    local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
    open my $in, '-|', "exec '$Nginx' -t -e stderr $arguments 2>&1"
        or die "$Nginx: $!";
    my $said = do { local $/; <$in> } // '';
    close $in;

    return ($? == 0, $said);
}

1;

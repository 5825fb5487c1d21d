#!/bin/bash
#
# Installing what building and testing need, for build.sh and the runners
# below t/, which source it with "root" set to the project's directory.
# Knows packages and where they come from; not what they are for.

build=$root/build

say() {
    printf 'build.sh: %s\n' "$*"
}

die() {
    say "$*" >&2
    exit 1
}


# installing

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        -o DPkg::Lock::Timeout=600 "$@" < /dev/null > /dev/null
}

installed() {
    dpkg-query -W -f '${db:Status-Status}\n' "$1" 2> /dev/null \
        | grep -qx installed
}

# Elsewhere than on Debian the compiler and configure say what is missing.

install_packages() {
    local name missing=()

    command -v dpkg-query > /dev/null || return 0

    for name; do
        installed "$name" || missing+=("$name")
    done

    [ ${#missing[@]} -gt 0 ] || return 0

    [ "$(id -u)" = 0 ] \
        || die "packages are missing; as root: apt-get install ${missing[*]}"

    apt_get update || say "apt-get update failed, going on" >&2

    keeps_nginx "${missing[@]}" \
        || die "installing ${missing[*]} would change the nginx that is" \
               "installed: build elsewhere, or upgrade it yourself"

    say "installing ${missing[*]}"

    apt_get install --no-install-recommends "${missing[@]}" \
        || die "cannot install ${missing[*]}"
}

# nginx-dev is of one version of nginx, and would bring it along: an nginx that
# serves is not replaced by a build.

keeps_nginx() {
    ! LC_ALL=C apt-get -s install --no-install-recommends "$@" 2>&1 \
        | grep -Eq '^(Inst nginx[^ ]* \[|Remv nginx)'
}

# what the suites need beside an nginx and the module

suite_packages=(
    perl ca-certificates curl openssl python3
    php-fpm uwsgi-core uwsgi-plugin-python3 python3-grpcio
    python3-cryptography
)

install_suites() {
    install_packages "${suite_packages[@]}"
    install_test_nginx
    install_promtool
}

# The archives of Debian that the machine's own apt sources name, as lines
# "URI SUITE COMPONENT", security updates included.

debian_archives() {
    known_archives | grep -q . || apt_get update
    known_archives
}

known_archives() {
    apt-get indextargets 'Created-By: Packages' 'Origin: Debian' \
        --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' | sort -u
}

# The same of another release: the archives of one have the others too, and
# sid has no updates.

archives_of() {
    local release=$1 uri suite part

    debian_archives | while read -r uri suite part; do
        case $suite in
            *-*) [ "$release" != sid ] || continue
                 suite=$release-${suite#*-} ;;
            *)   suite=$release ;;
        esac

        echo "$uri $suite $part"
    done
}

# apt-get with sources of its own, read from stdin; the system's sources do
# not change, its other apt settings hold.  Debian's keyring verifies them:
# one too old to know the key that signs sid today is brought up to date.

private_apt() {
    local dir=$build/apt/$1 options
    shift

    mkdir -p "$dir/lists/partial" "$dir/archives/partial"
    cat > "$dir/sources.list"

    options=(
        -o Dir::Etc::SourceList="$dir/sources.list"
        -o Dir::Etc::SourceParts=-
        -o Dir::State::Lists="$dir/lists"
        -o Dir::Cache="$dir"
        -o APT::Sandbox::User=root
        -o APT::Update::Error-Mode=any
        -o Acquire::Check-Valid-Until=false
    )

    if ! apt_get "${options[@]}" update; then
        apt_get install --only-upgrade debian-archive-keyring
        apt_get "${options[@]}" update
    fi

    (cd "$dir" && apt_get "${options[@]}" "$@")
}

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

have_test_nginx() {
    perl -MTest::Nginx::Socket -e 1 2> /dev/null
}

# Debian has Test::Nginx in sid only; what it depends on comes from the
# release installed here.

install_test_nginx() {
    local uri

    have_test_nginx && return

    uri=$(debian_archives | awk '$2 !~ /-/ { print $1; exit }')

    [ -n "$uri" ] && [ "$(id -u)" = 0 ] \
        || die "Test::Nginx is missing: cpanm Test::Nginx"

    say "installing libtest-nginx-perl from sid"

    rm -rf "$build/apt/sid"
    echo "deb [signed-by=$keyring] $uri sid main" \
        | private_apt sid download libtest-nginx-perl \
        || die "cannot fetch libtest-nginx-perl from sid"

    apt_get install --no-install-recommends \
        "$build"/apt/sid/libtest-nginx-perl_*.deb && have_test_nginx \
        || die "cannot install libtest-nginx-perl"
}

# Others than Debian package the two as one, which its npm conflicts with.

install_node() {
    command -v node > /dev/null && command -v npm > /dev/null \
        || install_packages nodejs npm
}

# promtool without the server it comes with, which would be started.

install_promtool() {
    local dir=$build/promtool

    [ ! -x "$dir/usr/bin/promtool" ] || return 0
    [ "$(id -u)" = 0 ] || die "promtool is missing: run as root"

    say "unpacking promtool"

    rm -rf "$dir"
    mkdir -p "$dir"
    (cd "$dir" && apt_get download prometheus \
         && dpkg-deb -x prometheus_*.deb . && rm prometheus_*.deb) \
        || die "cannot fetch Debian's prometheus"
}

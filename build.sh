#!/bin/bash
#
# Builds, tests and shows the module.  Writes only under build/ (Test::Nginx
# also keeps its servers in t/servroot_*).

set -euo pipefail

usage() {
    cat <<END
usage: ./build.sh [option ...] [-- nginx's configure arguments]
       ./build.sh test
       ./build.sh demo [--once]
       ./build.sh matrix|coverage|fuzz|soak|bench|deb|examples [option ...]

Without options builds build/ngx_http_wx_openid_module.so for Debian's
nginx, and build/wx-openid, the operator's command.  What is missing is
installed by apt-get when run as root, and named otherwise.

  --nginx=TREE  build for this nginx source tree instead
  --static      a whole nginx with the module built in: build/nginx-static;
                without --nginx its source is Debian's
  --asan        the same with AddressSanitizer, UBSan and every allocation
                by itself (NGX_DEBUG_PALLOC): build/nginx-asan
  --coverage    the same with gcov's counters instead: build/nginx-coverage

  test          install, build and run every test
  demo          run the main job on this machine; --once ends it afterwards

  matrix        run the suites on other nginxes and in other ways
  coverage      measure what the tests cover; valgrind and leak checks
  fuzz          fuzz each parser, and nginx itself, for ten minutes
  soak          --minutes=N of mixed load, faults, reloads and kills
  bench         measure beside the alternatives
  deb           make the Debian package, and try it in a fresh system
  examples      run the example applications

CC names the compiler, gcc or clang (C++ is compiled by it too).
END
}


# Our C++ has no warning, by this compiler; others' may have new ones.

export WX_OPENID_CFLAGS=-Werror


# Debian's packages, by what needs them

tool_packages=(g++ make libcjson-dev)
command_packages=(g++ libcjson-dev libssl-dev libcurl4-openssl-dev)
tree_packages=(libssl-dev libpcre2-dev zlib1g-dev)
debian_packages=(dpkg-dev nginx nginx-dev)
demo_packages=(ca-certificates curl openssl python3)
test_packages=(libgtest-dev clang libclang-rt-dev binutils)


root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

case $root in
    *[[:space:]]*)
        echo "build.sh: nginx's configure takes no path with blanks: $root" >&2
        exit 1
        ;;
esac

module=ngx_http_wx_openid_module.so

. "$root/t/tools/packages.sh"


# building

# Sets "tree" to the source of Debian's nginx: of the version installed here,
# or, where the mirror lacks it (security updates come late to some), of the
# version that the release was made with.

fetch_debian_source() {
    local version release found

    install_packages "${tool_packages[@]}" "${debian_packages[@]}"

    version=$(dpkg-query -W -f '${source:Version}' nginx)
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    tree=$build/source/nginx-$version

    if [ ! -d "$tree" ]; then
        say "fetching the source of nginx $version"

        rm -rf "$build/apt/source" "$tree.part"
        mkdir -p "$build/source"

        debian_source "nginx=$version" 2> /dev/null \
            || debian_source "nginx/$release" \
            || die "cannot fetch the source of Debian's nginx"

        dpkg-source --no-check --no-copy -x \
            "$build"/apt/source/nginx_*.dsc "$tree.part" > /dev/null
        mv "$tree.part" "$tree"
    fi

    found=$(dpkg-parsechangelog -l "$tree/debian/changelog" -S Version)

    [ "$found" = "$version" ] \
        || say "the mirror has no source of nginx $version: using $found"
}

debian_source() {
    debian_archives | sed "s,^,deb-src [signed-by=$keyring] ," \
        | private_apt source source --download-only "$1"
}


source_tree() {
    [ -f "$1/src/core/nginx.h" ] || die "'$1' is not an nginx source tree"
    (cd "$1" && pwd -P)
}

# nginx's configure writes into the directory it runs in, so it runs in one
# that is ours, made of links to all that the source tree has.

link_tree() {
    local tree=$1 dir=$2 file

    mkdir -p "$dir"

    for file in "$tree"/*; do
        case ${file##*/} in
            Makefile | objs) ;;
            *) ln -s "$file" "$dir/" ;;
        esac
    done
}

# compile NAME TREE TARGET ARGUMENT...: configures once for the same
# arguments, then makes TARGET, in build/NAME.

compile() {
    local name=$1 tree=$2 target=$3 dir=$build/$1 configure=./configure
    local stamp
    shift 3

    # a checkout has it elsewhere than a release
    [ -x "$tree/configure" ] || configure=auto/configure

    stamp=$(printf '%s\n' "$tree" "${CC-}" "${CFLAGS-}" "$@"
            echo "$WX_OPENID_CFLAGS"
            cksum < "$root/config"; cksum < "$root/config.make"
            cksum < "$tree/src/core/nginx.h")

    if [ "$(cat "$dir/stamp" 2> /dev/null)" != "$stamp" ]; then
        rm -rf "$dir"
        link_tree "$tree" "$dir"

        # what nginx's own probes leak is nothing to us

        (cd "$dir" && ASAN_OPTIONS=detect_leaks=0 "$configure" "$@") \
            > "$dir/configure.log" 2>&1 < /dev/null \
            || { tail -n 12 "$dir/configure.log" >&2
                 die "configure failed, see build/$name/configure.log"; }

        echo "$stamp" > "$dir/stamp"
    fi

    make -s -j "$(nproc)" -C "$dir" -f objs/Makefile "$target" \
        || die "the build in build/$name failed"
}

# A new file in place of the old one: an nginx that runs keeps what it has.

publish() {
    cp "$1" "$2.part"
    mv "$2.part" "$2"
    say "built ${2#"$root/"}"
}

# As debhelper's nginx_mod builds modules: nginx-dev's headers, with the
# arguments and flags that Debian's nginx was built with.

build_debian() {
    local cflags ldflags
    local src=/usr/share/nginx/src NGX_CONF_FLAGS

    install_packages "${tool_packages[@]}" "${debian_packages[@]}"

    [ -f $src/conf_flags ] || die "no Debian nginx here: use --nginx=TREE"
    . $src/conf_flags

    cflags="$(cd "$root" && dpkg-buildflags --get CFLAGS) -fPIC"
    cflags="$cflags $(dpkg-buildflags --get CPPFLAGS)"
    ldflags="$(dpkg-buildflags --get LDFLAGS) -fPIC"

    compile "debian$suffix" $src modules \
        --with-cc-opt="$cflags" --with-ld-opt="$ldflags" \
        "${NGX_CONF_FLAGS[@]}" "${arguments[@]}" \
        --add-dynamic-module="$root"

    publish "$build/debian$suffix/objs/$module" "$build/$module"
}

# what every nginx is configured with here: its own and the tests' needs

features=(
    --with-threads --with-debug --with-poll_module --with-select_module
    --with-http_ssl_module --with-http_v2_module
    --with-http_auth_request_module --with-http_realip_module
    --with-http_addition_module --with-http_dav_module
    --with-http_slice_module --with-http_stub_status_module
    --with-http_sub_module
)

# nginx itself copies no bytes from a null pointer, stores words where x86
# lets it and shifts into the sign, so those three checks are off; what any
# other finds is fatal.

asan_cflags="-O1 -g -fno-omit-frame-pointer -DNGX_DEBUG_PALLOC=1
             -fsanitize=address,undefined -fno-sanitize-recover=undefined
             -fno-sanitize=nonnull-attribute,alignment,shift"

# gcov's counters in our files alone, and every allocation by itself, so
# that each can be made to fail.

coverage_cflags="-O0 -g -DNGX_DEBUG_PALLOC=1 --coverage
                 -fprofile-update=atomic -fprofile-filter-files=wx_openid"

# what nginxes that check themselves are configured with besides

check_features=(--error-log-path=stderr)

# As shared libraries gcc's UBSan ignores log_path beside ASan.

asan_ldflags() {
    local flags="-fsanitize=address,undefined"

    if ! ${CC:-cc} --version | grep -q clang; then
        flags="$flags -static-libasan -static-libubsan"
    fi

    echo "$flags"
}

build_tree() {
    local name

    install_packages "${tool_packages[@]}" "${tree_packages[@]}"

    name=nginx-$(sed -n 's/^#define NGINX_VERSION *"\(.*\)"/\1/p' \
                     "$tree/src/core/nginx.h")$suffix

    case $kind in
        dynamic)
            compile "$name" "$tree" modules --with-compat \
                "${features[@]}" "${arguments[@]}" \
                --add-dynamic-module="$root"
            publish "$build/$name/objs/$module" "$build/$module"
            ;;

        static)
            compile "$name-static" "$tree" binary \
                "${features[@]}" "${arguments[@]}" --add-module="$root"
            publish "$build/$name-static/objs/nginx" "$build/nginx-static"
            ;;

        asan)
            compile "$name-asan" "$tree" binary \
                "${features[@]}" "${check_features[@]}" \
                --with-cc-opt="${asan_cflags//$'\n'/}" \
                --with-ld-opt="$(asan_ldflags)" \
                "${arguments[@]}" --add-module="$root"
            publish "$build/$name-asan/objs/nginx" "$build/nginx-asan"
            ;;

        coverage)
            compile "$name-coverage" "$tree" binary \
                "${features[@]}" "${check_features[@]}" \
                --with-cc-opt="${coverage_cflags//$'\n'/}" \
                --with-ld-opt=--coverage \
                "${arguments[@]}" --add-module="$root"
            publish "$build/$name-coverage/objs/nginx" \
                    "$build/nginx-coverage"
            ;;
    esac
}

# The operator's command, build/wx-openid, made anew when what it is made of
# or by has changed.

build_command() {
    local dir=$build/command stamp name
    local sources=("$root"/src/tool/*.cpp)

    for name in text reply base64 claims wrap gcm compact keys opened token
    do
        sources+=("$root/src/core/wx_openid_$name.cpp")
    done

    install_packages "${command_packages[@]}"
    mkdir -p "$dir"

    stamp=$(echo "${CC-} ${CFLAGS-}"
            cat "$root"/src/tool/* "$root"/src/core/* | cksum)

    if [ "$(cat "$dir/stamp" 2> /dev/null)" = "$stamp" ] \
        && [ -x "$build/wx-openid" ]
    then
        return
    fi

    ${CC:-cc} -std=c++20 -O2 -g -fno-exceptions -fno-rtti \
        -W -Wall -Wextra -Werror ${CFLAGS-} -o "$dir/wx-openid" \
        "${sources[@]}" \
        -lcurl -lcjson -lssl -lcrypto -lstdc++ \
        || die "the build of wx-openid failed"

    publish "$dir/wx-openid" "$build/wx-openid"
    echo "$stamp" > "$dir/stamp"
}


# One build at a time in one place; the lock ends with the subshell.

build() (
    flock 9

    case ${CC-} in
        '' | cc | gcc) suffix= ;;
        *)             suffix=${CC%% *}; suffix=-${suffix##*/} ;;
    esac

    if [ -n "$tree" ]; then
        build_tree
    elif [ $kind = dynamic ]; then
        build_debian
    else
        fetch_debian_source
        build_tree
    fi

    [ $kind != dynamic ] || build_command
) 9> "$build/lock"


# testing

failed=()

step() {
    local name=$1
    shift

    say "$name (after $SECONDS s)"
    "$@" < /dev/null || failed+=("$name")
}

suites() {
    (cd "$root" && PATH=$PATH:$build/promtool/usr/bin \
         TEST_NGINX_RANDOMIZE=1 prove -j 2 -r t)
}

suites_debian() {
    TEST_NGINX_BINARY=$(PATH=$PATH:/usr/sbin command -v nginx) \
    TEST_NGINX_LOAD_MODULES=$build/$module \
        suites
}

# A report fails the run even where the test beside it did not notice.  At
# exit nginx leaves much to the system, so leaks are the unit tests' to find.

suites_asan() {
    local dir=$build/asan status=0

    rm -rf "$dir"
    mkdir -p "$dir"

    ASAN_OPTIONS=detect_leaks=0,log_path=$dir/report \
    UBSAN_OPTIONS=print_stacktrace=1,log_path=$dir/report \
    TEST_NGINX_BINARY=$build/nginx-asan \
    TEST_NGINX_LOAD_MODULES='' \
        suites || status=1

    if ls "$dir"/report* > /dev/null 2>&1; then
        head -n 60 "$dir"/report*
        status=1
    fi

    return $status
}

test_all() {
    install_packages "${tool_packages[@]}" "${debian_packages[@]}" \
        "${demo_packages[@]}" "${test_packages[@]}"
    install_suites
    install_node

    kind=dynamic build < /dev/null
    kind=asan build < /dev/null

    step "unit tests" "$root/t/unit/run"
    step "symbols of src/core" "$root/t/unit/check-symbols"
    FUZZ_NGINX_BUILT=1 \
    step "fuzzing" "$root/t/fuzz/run" --seconds=5 --nginx-seconds=10
    step "checks of the soak" "$root/t/soak/run" --self-test
    step "session tokens of another library" "$root/t/tools/jose/run"
    step "documentation" "$root/t/tools/check-docs"
    step "demo" "$root/t/demo/run" --once
    step "suites with Debian's nginx" suites_debian
    step "suites with AddressSanitizer" suites_asan

    [ ${#failed[@]} -eq 0 ] \
        || die "FAILED: $(printf '%s; ' "${failed[@]}" | sed 's/; $//')"
}


demo() {
    install_packages "${demo_packages[@]}"
    build
    exec "$root/t/demo/run" "$@"
}


kind=dynamic
tree=
arguments=()
command=build

# what builds by itself takes none of the options before it

alone() {
    [ $kind = dynamic ] && [ -z "$tree" ] \
        || die "\"$1\" takes no option before it"
}

while [ $# -gt 0 ]; do
    case $1 in
        --nginx=*)   tree=$(source_tree "${1#*=}") ;;
        --static)    kind=static ;;
        --asan)      kind=asan ;;
        --coverage)  kind=coverage ;;
        test)        alone test; command=test_all ;;
        demo)        alone demo; shift; mkdir -p "$build"; demo "$@" ;;
        --)          shift; arguments=("$@"); break ;;
        matrix | coverage | fuzz | soak | bench | examples)
                     alone "$1"; exec "$root/t/$1/run" "${@:2}" ;;
        deb)         alone deb; exec "$root/t/package/run" "${@:2}" ;;
        -h | --help) usage; exit ;;
        *)           usage >&2; exit 2 ;;
    esac
    shift
done

mkdir -p "$build"
$command

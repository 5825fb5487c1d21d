# Gets and builds the nginx of a row of the matrix, for t/matrix/run, which
# sources it: "source", "built" and "cc" are the row's columns, "label" its
# nginx by name, "out" the folder of all this.


# nginx's sources

# Sets "tree" to the source of what the row names, as Debian patched it.

find_tree() {
    case $1 in
        installed) tree= ;;
        */*)       tree=$1 ;;
        *)         tree=$out/source/$1
                   [ -d "$tree" ] || fetch_source "$1" ;;
    esac
}

download() {
    archives_of "$suite" | sed "s,^,deb-src [signed-by=$keyring] ," \
        | private_apt "source-$suite" source --download-only "$1"
}

fetch_source() {
    local suite=$1 dir=$build/apt/source-$1

    say "fetching the source of nginx in Debian $suite"
    rm -rf "$dir" "$tree.part"
    mkdir -p "$out/source"

    # security updates come late to some mirrors

    download nginx 2> /dev/null || download "nginx/$suite" || return

    dpkg-source --no-check --no-copy -x "$dir"/nginx_*.dsc "$tree.part" \
        > /dev/null || return
    mv "$tree.part" "$tree"
}


# Building.  build.sh builds where it lies, so it lies, as a link, in a folder
# for each nginx, way and compiler; rows that differ in the rest share it.

# Sets "nginx", "modules" and "hooks" to what the suites are to use.

build_row() {
    local dir=$out/$label-$built-$cc arguments=()

    nginx=$dir/build/nginx-static
    modules=
    hooks=

    find_tree "$source" || return
    [ -z "$tree" ] || arguments=(--nginx="$tree")

    mkdir -p "$dir"

    for file in build.sh config config.make src t; do
        ln -sfn "$root/$file" "$dir/$file"
    done

    if [ "$built" = static ]; then
        CC=$cc "$dir/build.sh" "${arguments[@]}" --static
        return
    fi

    CC=$cc "$dir/build.sh" "${arguments[@]}" || return
    build_hooks "$dir/hooks.so" "${arguments[@]}" || return

    modules=$dir/build/ngx_http_wx_openid_module.so
    hooks=$dir/hooks.so
    nginx=nginx

    [ -z "$tree" ] || build_binary "$dir"
}

build_hooks() {
    local target=$1 made
    shift

    made=$(CC=$cc "$root/t/tools/build-hooks" "$@") || return
    cp "$made" "$target"
}

# the nginx that the module was configured for

build_binary() {
    local dir=$1 suffix= version
    [ "$cc" = gcc ] || suffix=-$cc

    version=$(version_of "$tree")
    dir=$dir/build/nginx-$version$suffix

    nginx=$dir/objs/nginx
    make -s -j "$(nproc)" -C "$dir" -f objs/Makefile binary
}

version_of() {
    sed -n 's/^#define NGINX_VERSION *"\(.*\)"/\1/p' "$1/src/core/nginx.h"
}

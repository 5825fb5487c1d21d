# The servers of t/examples/run, which sources this: the examples, nginx in
# front of them, and the stand-in for WeChat.  Owns how each is made, found a
# port and started; all end with "pids".


# Making what is started.  Node's modules are kept for the next run, and so
# is Go's cache, which has its standard library compiled.

# install_modules NAME: build/examples/NAME becomes a copy with its modules
install_modules() (
    out=$build/examples/$1

    mkdir -p "$out"
    exec 9> "$out/lock"
    flock 9

    cp "$here/$1"/*.js* "$out/"

    ! cmp -s "$here/$1/package-lock.json" "$out/installed" || exit 0

    say "installing what $1 needs from npm"

    (cd "$out" && npm ci --ignore-scripts --no-audit --no-fund) \
        > "$out/npm.log" 2>&1 \
        || { cat "$out/npm.log" >&2; die "npm failed"; }

    cp "$here/$1/package-lock.json" "$out/installed"
)

build_go() {
    GOCACHE=$build/examples/go-cache GO111MODULE=off \
        go build -o "$dir/whoami" "$here/go/main.go" \
        || die "the Go example does not build"
}

write_php_config() {
    cat > "$dir/php-fpm.conf" << END
[global]
error_log = /dev/stderr
daemonize = no

[www]
$([ "$(id -u)" -ne 0 ] || printf 'user = root\ngroup = root')
listen = 127.0.0.1:$1
pm = static
pm.max_children = 1
END
}

write_nginx_config() {
    local user= name mode path

    [ "$(id -u)" -ne 0 ] || user='user root;'

    cat << END
load_module $build/ngx_http_wx_openid_module.so;
$user
daemon off;
pid $dir/nginx.pid;
error_log $dir/error.log info;
events {}

http {
    access_log off;
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi;
    uwsgi_temp_path $dir/uwsgi;
    scgi_temp_path $dir/scgi;

    # so that X_WX_OPENID gets past nginx's own check of names
    underscores_in_headers on;

    wx_openid_app           $appid  file:$dir/secret;
    wx_openid_session_keys  $dir/keys.json;

    # the stand-in instead of the real WeChat
    wx_openid_pass  https://127.0.0.1:${port[wechat-tls]};
    wx_openid_host  api.weixin.qq.com;
    wx_openid_ssl_trusted_certificate  $dir/certs/ca.pem;

    # whether an upstream was asked
    add_header X-Upstream "\$upstream_addr" always;

    server {
        listen 127.0.0.1:$1;
        listen 127.0.0.1:$2 http2;

        location = /openid {
            wx_openid_login;
        }

        # what the mini program asks, whatever its path
        location /api/ {
            wx_openid   on;
            rewrite     ^ /whoami break;
            proxy_pass  http://127.0.0.1:${port[express]};
        }
END

    for name in "${examples[@]}"; do
        for mode in on optional; do
            echo "        location /$mode/$name/ {"
            echo "            wx_openid $mode;"

            if [ "$name" = php ]; then
                echo "            fastcgi_param SCRIPT_FILENAME" \
                     "$here/php/index.php;"
                echo "            fastcgi_param REQUEST_METHOD" \
                     '$request_method;'
                echo "            fastcgi_pass 127.0.0.1:${port[php]};"
            else
                echo "            proxy_pass http://127.0.0.1:${port[$name]}/;"
            fi

            echo "        }"
        done
    done

    printf '    }\n}\n'
}


# Starting

free_port() {
    /usr/bin/python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

# as a person would, to listen on PORT

start_flask()   { run /usr/bin/python3 -B "$here/flask/app.py"; }
start_express() { run node "$build/examples/express/app.js"; }
start_go()      { run "$dir/whoami"; }
start_java()    { run java "$here/java/WhoAmI.java"; }

start_php() {
    local program

    program=$(printf '%s\n' /usr/sbin/php-fpm* | sort -V | tail -n 1)
    write_php_config "$PORT"

    run "$program" -n -F $([ "$(id -u)" -ne 0 ] || echo -R) \
        -y "$dir/php-fpm.conf"
}

start_nginx() {
    write_nginx_config "$PORT" "$PORT2" > "$dir/nginx.conf"
    run "$nginx" -p "$dir/" -e "$dir/error.log" -c "$dir/nginx.conf"
}

run() {
    exec setpriv --pdeathsig TERM "$@" > "$dir/log" 2>&1
}

# start NAME: on a free port, port[NAME].  It may be taken again before the
# program has it, so a few are tried.

start() {
    local name=$1 end=$((SECONDS + 60)) try pid

    for try in 1 2 3 4 5; do
        port[$name]=$(free_port)
        port[$name-2]=$(free_port)

        (PORT=${port[$name]} PORT2=${port[$name-2]}; export PORT
         "start_$name") &
        pid=$!

        while kill -0 "$pid" 2> /dev/null; do
            if (: < "/dev/tcp/127.0.0.1/${port[$name]}") 2> /dev/null; then
                pids=("$pid" "${pids[@]}")
                return
            fi
            [ $SECONDS -lt $end ] || kill "$pid"
            sleep 0.05
        done
    done

    cat "$dir/log" >&2
    die "$name did not start"
}

# It prints its ports, which become port[wechat-...], and ends with its
# standard input, which is held open.

start_wechat() {
    local key value

    (umask 077; openssl rand -hex 16 > "$dir/secret")
    "$tools/make-certs" "$dir/certs" || die "no certificates"

    mkfifo "$dir/wechat.in" "$dir/wechat.out"
    "$tools/wechat" --app "$appid=$(cat "$dir/secret")" \
        --listen "tls=127.0.0.1:0,tls=$dir/certs/good" \
        < "$dir/wechat.in" > "$dir/wechat.out" &
    pids+=($!)

    exec {wechat}> "$dir/wechat.in"

    while read -r key value; do
        [ "$key" != ready ] || return 0
        port[wechat-$key]=$value
    done < "$dir/wechat.out"

    die "the stand-in for WeChat did not start"
}

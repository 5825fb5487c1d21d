# C++ flags for our objects alone: nginx's own CFLAGS are for C as well, and
# another addon's C++ must not get ours.  Debian 13 builds with a -Werror= that
# C++ does not have, which -Werror makes an error.  Needs GNU make.

wx_openid_cflags="\$(filter-out -Werror=implicit-function-declaration,\
\$(CFLAGS)) $wx_openid_flags"

for wx_openid_name in $wx_openid_core; do
    cat << END >> $NGX_MAKEFILE

$NGX_OBJS/addon/core/wx_openid_$wx_openid_name.$ngx_objext: \\
	CFLAGS := $wx_openid_cflags
END
done

for wx_openid_name in $wx_openid_glue; do
    cat << END >> $NGX_MAKEFILE

$NGX_OBJS/addon/src/ngx_http_wx_openid_$wx_openid_name.$ngx_objext: \\
	CFLAGS := $wx_openid_cflags
END
done

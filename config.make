# C++ flags for our objects alone: nginx's own CFLAGS are for C as well, and
# another addon's C++ must not get ours.  Distributions build with flags that
# C++ does not have, which nginx's -Werror would make errors: it and they stay
# out.  WX_OPENID_CFLAGS, of the environment, comes last.  Needs GNU make.

wx_openid_c_only="-Werror -Werror=implicit% -Werror=int-conversion \
-Werror=incompatible-pointer-types -Werror=strict-prototypes \
-Wstrict-prototypes -Wmissing-prototypes -std=%"

wx_openid_cflags="\$(filter-out $wx_openid_c_only,\$(CFLAGS)) \
$wx_openid_flags $WX_OPENID_CFLAGS"

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

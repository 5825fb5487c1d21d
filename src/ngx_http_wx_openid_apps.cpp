/*
 * Copyright (C) wx_openid authors
 *
 * The apps that a location has credentials of: sorted while the
 * configuration is merged, found at request time.
 */

#include "ngx_http_wx_openid.h"

#include <algorithm>


namespace wx_openid {


namespace {


bool
appid_less(const App *a, const App *b) noexcept
{
    return view(a->appid) < view(b->appid);
}


/* sorts the apps of one level for find_app(), and finds one given twice */

ngx_int_t
index_apps(ngx_conf_t *cf, LocConf &conf) noexcept
{
    auto apps = elements<App>(conf.apps);

    conf.apps_by_appid = static_cast<App **>(
        ngx_palloc(cf->pool, apps.size() * sizeof(App *)));
    if (conf.apps_by_appid == nullptr) {
        return NGX_ERROR;
    }

    std::span<App *> sorted(conf.apps_by_appid, apps.size());

    for (std::size_t i = 0; i < apps.size(); i++) {
        sorted[i] = &apps[i];
    }

    std::sort(sorted.begin(), sorted.end(), appid_less);

    for (std::size_t i = 1; i < sorted.size(); i++) {
        if (view(sorted[i]->appid) == view(sorted[i - 1]->appid)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate app \"%V\" in \"wx_openid_app\"",
                               &sorted[i]->appid);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


}


ngx_int_t
merge_apps(ngx_conf_t *cf, LocConf &conf, LocConf &prev) noexcept
{
    if (conf.apps == nullptr) {

        /* http{} itself is never merged, so its list is sorted here */

        if (prev.apps && prev.apps_by_appid == nullptr
            && index_apps(cf, prev) != NGX_OK)
        {
            return NGX_ERROR;
        }

        conf.apps = prev.apps;
        conf.apps_by_appid = prev.apps_by_appid;

        return NGX_OK;
    }

    return index_apps(cf, conf);
}


const App *
find_app(const LocConf &conf, std::string_view appid) noexcept
{
    std::span<App *const> apps(conf.apps_by_appid,
                               elements<App>(conf.apps).size());

    auto it = std::lower_bound(apps.begin(), apps.end(), appid,
                               [](const App *app, std::string_view id) {
                                   return view(app->appid) < id;
                               });

    if (it == apps.end() || view((*it)->appid) != appid) {
        return nullptr;
    }

    return *it;
}


}

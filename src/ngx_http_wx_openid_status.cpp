/*
 * Copyright (C) wx_openid authors
 *
 * wx_openid_status: the counters as Prometheus's text format or as JSON.
 * Reads them, changes none; no appid, openid, code or secret is among them.
 */

#include "ngx_http_wx_openid_peers.h"
#include "ngx_http_wx_openid_zone.h"


namespace wx_openid {


namespace {


/* of the counters, of a line without its host, of an address of it */

constexpr std::size_t max_counters = 16 * 1024;
constexpr std::size_t max_line = 256;
constexpr std::size_t max_address = 128 + NGX_SOCKADDR_STRLEN;

/* by Status; the first is no status */

constexpr const char *result_names[] = {
    nullptr, "miss", "hit", "wait", "session", "none", "error"
};


/* text into a buffer that is known to be large enough */

class Writer {
public:
    explicit Writer(ngx_buf_t &b) noexcept : b_(b) {}

    template <typename... Args>
    void put(const char *format, Args... args) noexcept
    {
        b_.last = ngx_slprintf(b_.last, b_.end, format, args...);
    }

private:
    ngx_buf_t &b_;
};


struct Snapshot {
    const Stats *stats;
    ngx_uint_t entries;
    ngx_uint_t evictions;
    std::span<Line *> lines;
};


const char *
refusal_name(std::size_t i) noexcept
{
    /* the table's names are literals, and so end in NUL */

    return refusal_info(static_cast<Refusal>(i)).name.data();
}


ngx_uint_t
exchange_count(const Stats &stats) noexcept
{
    ngx_uint_t n = 0;

    for (ngx_atomic_uint_t bucket : stats.exchanges) {
        n += bucket;
    }

    return n;
}


void
put_head(Writer &out, const char *name, const char *help,
    const char *type) noexcept
{
    out.put("# HELP wx_openid_%s %s\n# TYPE wx_openid_%s %s\n", name, help,
            name, type);
}


void
put_counters(Writer &out, const Stats &stats) noexcept
{
    put_head(out, "requests_total", "Requests by how they got their identity.",
             "counter");

    for (std::size_t i = 1; i < std::size(result_names); i++) {
        out.put("wx_openid_requests_total{result=\"%s\"} %uA\n",
                result_names[i], stats.results[i]);
    }

    put_head(out, "errors_total", "Refused requests by error.", "counter");

    for (std::size_t i = 1; i < refusals; i++) {
        out.put("wx_openid_errors_total{error=\"%s\"} %uA\n",
                refusal_name(i), stats.errors[i]);
    }

    put_head(out, "wechat_errcode_total", "Replies of WeChat by errcode.",
             "counter");

    for (std::size_t i = 0; i < std::size(counted_errcodes); i++) {
        out.put("wx_openid_wechat_errcode_total{errcode=\"%d\"} %uA\n",
                counted_errcodes[i], stats.errcodes[i]);
    }

    out.put("wx_openid_wechat_errcode_total{errcode=\"other\"} %uA\n",
            stats.errcodes[std::size(counted_errcodes)]);
}


/* seconds as Prometheus's own clients write a bound: 0.01, 2.5, 1 */

ngx_str_t
bound_text(ngx_msec_t time, std::span<u_char, 32> buf) noexcept
{
    u_char *end = ngx_sprintf(buf.data(), "%M.%03M", time / 1000,
                              time % 1000);

    while (end[-1] == '0') {
        end--;
    }

    if (end[-1] == '.') {
        end--;
    }

    return {static_cast<std::size_t>(end - buf.data()), buf.data()};
}


void
put_histogram(Writer &out, const Stats &stats) noexcept
{
    put_head(out, "exchange_seconds",
             "Time of exchanges with WeChat, repeats included.", "histogram");

    ngx_uint_t n = 0;

    for (std::size_t i = 0; i < std::size(exchange_bounds); i++) {
        u_char buf[32];
        ngx_str_t bound = bound_text(exchange_bounds[i], buf);

        n += stats.exchanges[i];
        out.put("wx_openid_exchange_seconds_bucket{le=\"%V\"} %ui\n",
                &bound, n);
    }

    n += stats.exchanges[std::size(exchange_bounds)];

    ngx_msec_t sum = stats.exchange_msec;

    out.put("wx_openid_exchange_seconds_bucket{le=\"+Inf\"} %ui\n"
            "wx_openid_exchange_seconds_sum %M.%03M\n"
            "wx_openid_exchange_seconds_count %ui\n",
            n, sum / 1000, sum % 1000, n);
}


void
put_prometheus(Writer &out, const Snapshot &s) noexcept
{
    put_counters(out, *s.stats);
    put_histogram(out, *s.stats);

    put_head(out, "exchanges_in_flight", "Exchanges that are running.",
             "gauge");
    out.put("wx_openid_exchanges_in_flight %ui\n", in_flight(*s.stats));

    put_head(out, "connections_total", "Connections to WeChat, tried or made.",
             "counter");
    out.put("wx_openid_connections_total %uA\n", s.stats->connections);

    put_head(out, "cache_entries", "Entries in the shared zone.", "gauge");
    out.put("wx_openid_cache_entries %ui\n", s.entries);

    put_head(out, "cache_evictions_total",
             "Entries that made room for others.", "counter");
    out.put("wx_openid_cache_evictions_total %ui\n", s.evictions);
}


/* as this worker sees it; each resolves and connects for itself */

void
put_line(Writer &out, const Line &line, const Peers &peers) noexcept
{
    out.put("{\"host\":\"%V\",\"idle\":%ui,\"resolved\":", &line.host,
            peers.idle_count);

    if (peers.resolved) {
        out.put("{\"ok\":%s,\"age\":%T}", peers.failing ? "false" : "true",
                ngx_time() - peers.resolved);
    } else {
        out.put("null");
    }

    out.put(",\"addresses\":[");

    const Addresses &addresses = *peers.addresses;

    for (ngx_uint_t i = 0; i < addresses.count; i++) {
        const Address &a = addresses.list[i];

        out.put("%s{\"address\":\"%V\",\"state\":\"%s\",\"failures\":%ui}",
                i ? "," : "", &a.name, is_rested(a) ? "up" : "rests",
                a.failures);
    }

    out.put("]}");
}


std::size_t
max_answer(std::span<Line *> lines) noexcept
{
    std::size_t size = max_counters;

    for (const Line *line : lines) {
        if (!line->group) {
            size += max_line + line->host.len
                    + peers_of(*line)->addresses->count * max_address;
        }
    }

    return size;
}


void
put_json(Writer &out, const Snapshot &s) noexcept
{
    out.put("{\"requests\":{");

    for (std::size_t i = 1; i < std::size(result_names); i++) {
        out.put("%s\"%s\":%uA", i == 1 ? "" : ",", result_names[i],
                s.stats->results[i]);
    }

    out.put("},\"errors\":{");

    for (std::size_t i = 1; i < refusals; i++) {
        out.put("%s\"%s\":%uA", i == 1 ? "" : ",", refusal_name(i),
                s.stats->errors[i]);
    }

    out.put("},\"wechat_errcode\":{");

    for (std::size_t i = 0; i < std::size(counted_errcodes); i++) {
        out.put("\"%d\":%uA,", counted_errcodes[i], s.stats->errcodes[i]);
    }

    ngx_msec_t sum = s.stats->exchange_msec;

    out.put("\"other\":%uA},\"exchanges\":{\"count\":%ui,"
            "\"seconds\":%M.%03M,\"in_flight\":%ui},"
            "\"connections\":%uA,"
            "\"cache\":{\"entries\":%ui,\"evictions\":%ui},\"lines\":[",
            s.stats->errcodes[std::size(counted_errcodes)],
            exchange_count(*s.stats), sum / 1000, sum % 1000,
            in_flight(*s.stats), s.stats->connections, s.entries,
            s.evictions);

    bool first = true;

    for (const Line *line : s.lines) {
        if (!line->group) {
            out.put(first ? "" : ",");
            put_line(out, *line, *peers_of(*line));
            first = false;
        }
    }

    out.put("]}\n");
}


/* where the module is not used there is no zone, and nothing was counted */

const Stats &
no_stats() noexcept
{
    static constinit const Stats none{};

    return none;
}


ngx_int_t
send(ngx_http_request_t *r, ngx_buf_t *b, std::string_view type) noexcept
{
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = b->last - b->pos;
    r->headers_out.content_type = to_str(type);
    r->headers_out.content_type_len = type.size();

    ngx_int_t rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->last_buf = r == r->main;
    b->last_in_chain = 1;

    ngx_chain_t out = { b, nullptr };

    return ngx_http_output_filter(r, &out);
}


}


ngx_int_t
status_handler(ngx_http_request_t *r) noexcept
{
    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    ngx_int_t rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    const MainConf &mcf = *main_conf(r);

    ngx_buf_t *b = ngx_create_temp_buf(
        r->pool, max_answer(elements<Line *>(&mcf.lines)));
    if (b == nullptr) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    Snapshot snapshot{};

    snapshot.stats = zone_stats(mcf);
    snapshot.lines = elements<Line *>(&mcf.lines);
    zone_usage(mcf, snapshot.entries, snapshot.evictions);

    if (snapshot.stats == nullptr) {
        snapshot.stats = &no_stats();
    }

    Writer out(*b);

    if (loc_conf(r)->status_format == status_json) {
        put_json(out, snapshot);
        return send(r, b, "application/json");
    }

    put_prometheus(out, snapshot);

    return send(r, b, "text/plain; version=0.0.4; charset=utf-8");
}


}

/*
 * Copyright (C) wx_openid authors
 *
 * What each file of the glue offers the others, beside what makes the
 * configuration.
 */

#ifndef NGX_HTTP_WX_OPENID_H
#define NGX_HTTP_WX_OPENID_H

#include "ngx_http_wx_openid_ctx.h"


namespace wx_openid {


/* headers.cpp */

/* removes guarded headers where a request enters; NGX_DECLINED or 500 */
ngx_int_t post_read_handler(ngx_http_request_t *r) noexcept;
ngx_int_t redirect_handler(ngx_http_request_t *r) noexcept;

/* what $http_NAME gave so far may be what the client had sent */
void forget_variable(ngx_http_request_t *r, ngx_int_t index) noexcept;

/*
 * A credential's header is removed from what any upstream gets, yet has to
 * be found later: the first value that is not empty stays in a variable.
 */
void keep_in_variable(ngx_http_request_t *r, ngx_int_t index,
    std::string_view value) noexcept;

/* gives the upstream its identity headers; NGX_OK, NGX_ERROR or a status */
ngx_int_t set_identity_headers(ngx_http_request_t *r,
    const LocConf &conf) noexcept;

/* tokens.cpp */

/* the header that is known to carry tokens under this name, or nullptr */
const TokenName *find_token_header(const ngx_array_t &names,
    std::string_view name) noexcept;

/* the same of a cookie */
const TokenName *find_token_cookie(const ngx_array_t &names,
    std::string_view name) noexcept;

/* whether a header is, or a Cookie has, a token */
bool carries_token(const MainConf &mcf, const ngx_table_elt_t &h) noexcept;

/*
 * Keeps the token of such a header aside: NGX_OK when nothing of the header
 * is left, NGX_DECLINED when other cookies are, NGX_ERROR.
 */
ngx_int_t take_token(ngx_http_request_t *r, const MainConf &mcf,
    ngx_table_elt_t &h) noexcept;

/* of a token that did not come nginx finds none either, as it would else */
void settle_token_variables(ngx_http_request_t *r,
    const MainConf &mcf) noexcept;

/* what a source gives, empty if nothing */
std::string_view token_at(ngx_http_request_t *r, const Ctx &ctx,
    const TokenSource &source) noexcept;

/* session.cpp */

/* how long a token may be used before it is replaced; 0: for ever */
time_t renew_after(const LocConf &conf) noexcept;

/*
 * Opens the token of a request: NGX_OK with the identity in ctx,
 * NGX_DECLINED without one or with one that is refused (ctx.token_fault),
 * NGX_ERROR.
 */
ngx_int_t open_token(ngx_http_request_t *r, const LocConf &conf,
    Ctx &ctx) noexcept;

/* a link with ?code= shall not plant another person's login */
bool cookie_allowed(const Ctx &ctx) noexcept;

/* a new token for who was just let in, where one is due */
ngx_int_t issue_token(ngx_http_request_t *r, const LocConf &conf,
    Ctx &ctx) noexcept;

/* login.cpp */

char *set_login(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) noexcept;

ngx_int_t login_handler(ngx_http_request_t *r) noexcept;

/* 405 with Allow for a method that a login does not take, else NGX_OK */
ngx_int_t check_login_method(ngx_http_request_t *r) noexcept;

/* access.cpp */

ngx_int_t access_handler(ngx_http_request_t *r) noexcept;

/* code.cpp */

/*
 * Looks for a code: NGX_OK with ctx.code set, NGX_DECLINED, NGX_AGAIN when
 * the body must be read first, NGX_ERROR.
 */
ngx_int_t find_code(ngx_http_request_t *r, const LocConf &conf,
    Ctx &ctx) noexcept;

/* body.cpp */

/* whether the method may have a body and how long it is at least */
bool may_have_body(const ngx_http_request_t *r) noexcept;

/*
 * Starts reading the body and runs the phases again when it is there;
 * returns what a phase handler returns: NGX_DONE or a status.
 */
ngx_int_t read_body(ngx_http_request_t *r, Ctx &ctx) noexcept;

/*
 * The body in one piece, in the pool: NGX_OK, NGX_DECLINED if there is none
 * or it is longer than the limit, NGX_ERROR.
 */
ngx_int_t body_text(ngx_http_request_t *r, size_t limit,
    std::string_view &text) noexcept;

/* exchange.cpp */

/*
 * Asks WeChat: NGX_AGAIN, NGX_OK when it is settled at once, NGX_ERROR, or
 * NGX_DONE when the request was finalized.
 */
ngx_int_t begin_exchange(ngx_http_request_t *r, Ctx &ctx) noexcept;

/* goes on where state is "repeating"; as begin_exchange() */
ngx_int_t repeat_exchange(ngx_http_request_t *r, Ctx &ctx) noexcept;

/* another subrequest is due when "pause" milliseconds are over */
void repeat_after(Ctx &ctx, ngx_msec_t pause) noexcept;

/* the result of ctx.session is known: stops what waits for it */
void settle(Ctx &ctx, Refusal refusal) noexcept;

/* an event of ours in a request: runs its phases again */
void resume(Ctx &ctx) noexcept;

/* bounds the time that a request waits for its result; once is enough */
void start_deadline(Ctx &ctx) noexcept;

/* the request to WeChat holds the secret: after its use nobody shall */
void wipe_request(Attempt &attempt) noexcept;

/* ends what still runs when the request's pool goes */
void drop_exchange(Ctx &ctx) noexcept;

/* judge.cpp */

/*
 * What a subrequest came to, of which nginx says "rc": the request is
 * settled or repeating then.
 */
void judge(Ctx &ctx, ngx_int_t rc) noexcept;

/* flight.cpp */

/*
 * The result of ctx.code for "app": NGX_OK when it is known already,
 * NGX_AGAIN while it is waited for or exchanged, NGX_ERROR.
 */
ngx_int_t get_result(ngx_http_request_t *r, const LocConf &conf,
    const App &app, Ctx &ctx) noexcept;

/* goes on where state is "looking"; as get_result() */
ngx_int_t look_again(ngx_http_request_t *r, Ctx &ctx) noexcept;

/* heads.cpp */

/* gives a result to all who wait for it; a no-op for who does not lead */
void publish(Ctx &ctx) noexcept;

/* leaves a flight when the request goes before its result came */
void leave_flight(Ctx &ctx) noexcept;

/* in "conf", for get_result(); nullptr on no memory */
Worker *create_worker(ngx_conf_t *cf) noexcept;

/* zone.cpp */

/* the zone of cache_size bytes; logs, then nullptr */
Zone *create_zone(ngx_conf_t *cf, const MainConf &mcf) noexcept;

bool zone_digest(const MainConf &mcf, const Ctx &ctx,
    Digest &digest) noexcept;

/* as the table's, under the zone's lock; to find is to wait, too */
Lookup zone_find(const MainConf &mcf, const Digest &digest, Owner owner,
    std::span<char> result) noexcept;
Poll zone_poll(const MainConf &mcf, Ticket ticket,
    std::span<char> result) noexcept;
bool zone_take_over(const MainConf &mcf, Ticket ticket, Owner dead,
    Owner owner) noexcept;
void zone_renew(const MainConf &mcf, Ticket ticket, Owner owner,
    Owner heir) noexcept;
void zone_forget(const MainConf &mcf, Ticket ticket) noexcept;
void zone_abandon(const MainConf &mcf, Ticket ticket, Owner owner) noexcept;
void zone_finish(const MainConf &mcf, Ticket ticket, Owner owner,
    Outcome outcome, std::string_view result) noexcept;

/* warns that the zone is full, at most once a minute */
void zone_full(const MainConf &mcf, ngx_http_request_t *r) noexcept;

/* stats.cpp: counters in the zone, atomics without a lock */

struct Stats;

Stats *zone_stats(const MainConf &mcf) noexcept;
void zone_usage(const MainConf &mcf, ngx_uint_t &entries,
    ngx_uint_t &evictions) noexcept;

void count_request(const MainConf &mcf, Ctx &ctx) noexcept;
void count_reply(const MainConf &mcf, int errcode) noexcept;
void count_exchange(const MainConf &mcf, ngx_msec_t time) noexcept;
void count_connection(const MainConf &mcf) noexcept;
void count_in_flight(const MainConf &mcf, ngx_int_t change) noexcept;
ngx_uint_t in_flight(const Stats &stats) noexcept;

/* status.cpp */

ngx_int_t status_handler(ngx_http_request_t *r) noexcept;

/* idle.cpp */

/* a kept connection's end, without waiting for the peer's */
void close_connection(ngx_connection_t *c) noexcept;

/* upstream.cpp */

/* the subrequest's content: asks WeChat; a content handler */
ngx_int_t ask_wechat(ngx_http_request_t *sr) noexcept;

/* balancer.cpp */

/* peer.init of a line */
ngx_int_t init_peer(ngx_http_request_t *sr,
    ngx_http_upstream_srv_conf_t *us) noexcept;

/* response.cpp */

/*
 * Refuses as README's table says, and logs why, which for a result of
 * WeChat's is known; returns what an access handler returns.
 */
ngx_int_t refuse(ngx_http_request_t *r, Ctx &ctx, Refusal refusal,
    std::string_view why = {}) noexcept;

/* nullptr on no memory; the views must live as long as the request */
ngx_table_elt_t *add_header_out(ngx_http_request_t *r, std::string_view key,
    std::string_view value) noexcept;

/* Cache-Control: no-store instead of what is there; NGX_OK or NGX_ERROR */
ngx_int_t forbid_storing(ngx_http_request_t *r) noexcept;

/* takes back the headers of a refusal that an error_page led away from */
void forget_refusal(Ctx &ctx) noexcept;

/* variables.cpp */

ngx_int_t add_variables(ngx_conf_t *cf) noexcept;

/* NGX_OK with the text, which may be nginx's own to keep; NGX_ERROR */
ngx_int_t evaluate(ngx_http_request_t *r, Value &value,
    ngx_str_t &text) noexcept;

/* log.cpp */

/* one line, "wx_openid: " before it, without the request's arguments */
void log_line(ngx_http_request_t *r, ngx_uint_t level,
    std::string_view text) noexcept;

/* keeps arguments out of nginx's own lines while a code is exchanged */
void hide_arguments(ngx_http_request_t *r, Ctx &ctx) noexcept;
void show_arguments(ngx_http_request_t *r, Ctx &ctx) noexcept;

/* why the request was refused, at the level of whose fault it is */
void log_refusal(ngx_http_request_t *r, const Ctx &ctx, Refusal refusal,
    std::string_view why) noexcept;


}

#endif /* NGX_HTTP_WX_OPENID_H */

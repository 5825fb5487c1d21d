"""Counts the instructions of a worker by callgrind, kind of request by kind
of request: those that ran inside our handlers, and all.  Knows nothing of
what is asked, nor of what is too much.
"""

import os
import re

import callgrind
from client import Client
from servers import MODULE, Servers
import module

OURS = os.path.basename(MODULE)
WARM = 20

# nothing else here redirects, and Debian's nginx has few names of functions

MARK = '''
        location = /mark { error_page 404 =200 /marked; return 404; }
        location = /marked { internal; return 200 ""; }
'''
MARKED = 'ngx_http_internal_redirect'

# nginx calls these while a handler of ours that is counted runs

INSIDE = {'create_request', 'init_peer', 'get_peer', 'get_text'}

# the rest of nginx's chain of filters is not ours

CHAINED = {'header_filter', 'body_filter'}


def plain_name(name):
    """wx_openid::(anonymous namespace)::f(int) is f."""
    name = name.replace('(anonymous namespace)::', '')
    name = re.sub(r'<.*?>|\(.*', '', name)
    return name.split()[-1].replace('wx_openid::', '')


def profiles(conf, prepare, kinds, requests, module_file=MODULE):
    """{kind: Profile}; prepare() gives what asks once for a kind."""
    with Servers(['wechat', 'backend', 'module']) as servers:
        servers.keys()
        servers.nginx('wechat', module.WECHAT)
        servers.nginx('backend', module.BACKEND)

        # the worker writes them, as another user than its master
        out = servers.dir + '/callgrind'
        os.mkdir(out)
        os.chmod(out, 0o777)

        gateway = servers.nginx(
            'module', conf.replace('location /off',
                                   MARK + '        location /off'),
            [module_file],
            under=['valgrind', '-q', '--tool=callgrind',
                   '--dump-before=' + MARKED,
                   '--callgrind-out-file=%s/%%p' % out])

        with Client(servers.values['module']) as client:
            ask = prepare(client)

            for kind in kinds:
                for _ in range(WARM):
                    ask(kind)

            for kind in kinds:
                client.ask('/mark')
                for _ in range(requests):
                    ask(kind)

            client.ask('/mark')

        servers.stop(gateway)
        parts = callgrind.parts('%s/%d' % (out, servers.pids['module'][0]))

    # before the first mark, and after the last, is another's
    return dict(zip(kinds, parts[1:1 + len(kinds)], strict=True))


def handlers(profile):
    """{name: [times, instructions]} of those that nginx calls."""
    found = {}

    for full, (times, cost) in profile.entries(OURS).items():
        name = plain_name(full)

        if name in INSIDE:
            continue

        if name in CHAINED:
            cost -= sum(n for (source, to), n in profile.calls.items()
                        if source == (OURS, full) and to[0] == 'nginx')

        entry = found.setdefault(name, [0, 0])
        entry[0] += times
        entry[1] += cost

    return found


def figures(profile, requests):
    ours = {name: round(cost / requests, 1)
            for name, (_, cost) in handlers(profile).items()
            if cost >= requests}
    return {
        'handlers': round(sum(ours.values())),
        'worker': round(profile.total / requests),
        'by_handler': dict(sorted(ours.items(), key=lambda i: -i[1])),
    }

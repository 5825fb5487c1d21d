"""What t/bench/speed measured, as text: a table in Markdown, the machine.
The figure is plot.py's.
"""

import datetime
import os
import platform
import re
import statistics
import subprocess

import plot
from servers import HERE, ROOT

TITLES = {
    'plain': 'plain proxy',
    'off': 'plain proxy, module off',
    'module': 'wx_openid',
    'lua': 'Lua in nginx',
    'njs': 'njs in nginx',
    'auth': 'auth_request and Go',
    'go': 'Go alone, no nginx',
}
JOBS = {
    'first': 'SESSION: a token that comes for the first time',
    'session': 'SESSION: a token that came before',
    'hit': 'HIT: a code once more',
    'miss': 'MISS: a new code, asked over TLS',
}

# what there is none of, and why

MISSING = {('hit', 'njs'): "Debian 12's njs has no memory that requests "
                           'share'}


def first_line(*command):
    said = subprocess.run(command, capture_output=True, text=True)
    return (said.stdout or said.stderr).splitlines()[0].strip()


def machine():
    with open('/proc/cpuinfo') as info:
        model = re.search(r'model name\s*: (.*)', info.read())

    packages = {}
    for name in ('nginx', 'libnginx-mod-http-lua', 'libnginx-mod-http-js',
                 'golang-go', 'libssl3', 'wrk'):
        packages[name] = re.sub(r'^\d+:|[-+~].*', '', first_line(
            'dpkg-query', '-W', '-f', '${Version}', name))

    return {
        'date': datetime.date.today().isoformat(),
        'cpu': model[1] if model else platform.machine(),
        'cores': os.cpu_count(),
        'kernel': platform.release(),
        'compiler': first_line('cc', '--version'),
        'packages': packages,
    }


class Figures:
    """The medians of the rounds."""

    def __init__(self, rounds):
        self.rounds = rounds

    def has(self, run):
        return run in self.rounds[0]

    def of(self, run, what):
        return statistics.median(r[run][what] for r in self.rounds)

    def ratio(self, of, to, what):
        return statistics.median(r[of][what] / r[to][what]
                                 for r in self.rounds)


def rows(figures):
    """(job, gateway, run or None) in the order they are shown."""
    yield None, 'plain', 'plain plain'
    yield None, 'off', 'off module'
    for job in JOBS:
        for name in ('module', 'lua', 'njs', 'auth', 'go'):
            if job == 'first' and name != 'module':
                continue        # theirs is checked anew each time
            run = '%s %s' % (job, name)
            yield job, name, run if figures.has(run) else None


def table(figures):
    out = ['| | CPU a request | of plain | requests/s | p99 |',
           '|---|---:|---:|---:|---:|']
    last = None
    notes = []

    for job, name, run in rows(figures):
        if job != last:
            out.append('| **%s** | | | | |' % JOBS[job])
            last = job
        title = '**wx_openid**' if name == 'module' else TITLES[name]
        if run is None:
            notes.append('%s: %s.' % (TITLES[name], MISSING[job, name]))
            out.append('| %s | - | - | - | - |' % title)
            continue
        out.append('| %s | %.1f us | %.2f | %s | %.1f ms |' % (
            title, figures.of(run, 'cpu'),
            figures.ratio(run, 'plain plain', 'cpu'),
            '{:,.0f}'.format(figures.of(run, 'rate')),
            figures.of(run, 'p99')))

    return '\n'.join(out + [''] + notes)


def about(found):
    m = found['machine']
    return ('%s, %d cores, Linux %s; %s; %s. %s: %d clients that keep their '
            'connection and ask as fast as they are answered, medians of %d '
            'rounds of %d s; other processes took %.0f %% of the machine.' % (
                m['cpu'], m['cores'], m['kernel'], m['compiler'],
                ', '.join('%s %s' % p for p in m['packages'].items()),
                m['date'], found['at_once'], len(found['rounds']),
                found['seconds'], found['others'] * 100))


def in_readme(mark, text):
    """In place of what was between the marks, wherever they are."""
    for name in os.listdir(ROOT):
        if not re.fullmatch(r'README.*\.md', name):
            continue
        path = '%s/%s' % (ROOT, name)
        with open(path) as readme:
            old = readme.read()
        new = re.sub(r'(<!-- {0} -->\n).*(<!-- /{0} -->)'.format(mark),
                     lambda m: m[1] + text + m[2], old, flags=re.S)
        if new != old:
            with open(path, 'w') as readme:
                readme.write(new)


def write(found, update):
    figures = Figures(found['rounds'])
    text = '%s\n\n%s\n' % (table(figures), about(found))
    svg = plot.draw(figures, [(JOBS[job] if job else None, TITLES[name],
                               name == 'module', run)
                              for job, name, run in rows(figures)])

    for path in [ROOT + '/build/bench/speed'] + [HERE + '/speed'] * update:
        with open(path + '.svg', 'w') as out:
            out.write(svg)

    with open(ROOT + '/build/bench/speed.md', 'w') as out:
        out.write(text)

    if update:
        in_readme('speed', '\n' + text + '\n')

    print(text)

    if found['others'] > 0.1:
        print('Others had so much of the machine that only CPU a request is '
              'of use.')

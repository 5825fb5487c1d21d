"""Shows that every check of t/soak/checks.py can fail.

Evidence that all of them accept is spoilt in one place at a time: the check
that this concerns must say so.
"""

import copy

import checks
import expect


def entry(code, start, end=None, peer=1000, number=1, wrote=100):
    return {'code': code, 'listener': 'TLS', 'peer': peer, 'number': number,
            'start': start, 'end': end or start + 0.01, 'wrote': wrote}


def anomaly(what, got, code='good-0c0de0-9', start=50.0, end=50.1):
    return {'what': what, 'got': got, 'code': code, 'start': start,
            'end': end, 'proto': 'HTTP/1.1', 'path': '/on'}


def sample(phase, t):
    return {'phase': phase, 'time': t, 'master': 9000,
            'workers': [12000, 12500], 'entries': 2000, 'evictions': 9}


def clean():
    line = '2026/11/22 15:00:00 [%s] 7#7: %s'
    return {
        'log': '\n'.join([
            line % ('notice', 'worker process 11 exited with code 0'),
            line % ('alert', 'worker process 12 exited on signal 9'),
            line % ('alert',
                    'shared memory zone "wx_openid_1" was locked by 12'),
            line % ('info', 'wx_openid: "[alert] " in a text'), '']),
        'kills': [{'time': 100.0, 'pid': 12, 'ports': {4000}}],
        'hups': list(range(10)), 'upgrade': (200.0, 210.0), 'ended': True,
        'reports': '', 'ttl': 5, 'error_ttl': 3, 'faults': 0.9,
        'rss_share': 1.02,
        'upstream': {'wrong': [], 'identified': 500},
        'journal': [
            *(entry('good-0c0de0-%d' % i, 10 + i / 100)
              for i in range(300)),
            # used again when it was over; killed; over the upgrade
            entry('good-0c0de0-900', 20), entry('good-0c0de0-900', 26),
            entry('good-0c0de0-901', 99.9, 100.4, peer=4000),
            entry('good-0c0de0-901', 101),
            entry('good-0c0de0-902', 201), entry('good-0c0de0-902', 202),
            entry('busy-1-0c0de0-1', 30), entry('busy-1-0c0de0-1', 30.2),
            entry('err-45011-0c0de0-1', 30), entry('err-45011-0c0de0-1', 31),
            entry('fault-close-0c0de0-2', 30, number=5, wrote=0),
            entry('fault-close-0c0de0-2', 31, number=1, wrote=0),
        ],
        'load': {
            'requests': 1000, 'hung_up': 300, 'slowest': 6,
            'answers': dict.fromkeys(('%d %s' % pair
                                      for pair in expect.TABLE), 1),
            'sends': {'err-45011-0c0de0-1': 2},
            'anomalies': [
                anomaly('lost: EOF', 'EOF', start=99.9, end=100.1),
                anomaly('not the identity', '401 invalid_code',
                        'good-0c0de0-901'),
                anomaly('not the identity', '401 invalid_code',
                        'good-0c0de0-902')]},
        'master_files': (['file a'], ['file a']), 'worker_files': {11: []},
        'samples': [sample(phase, t) for phase in ('storm', 'calm')
                    for t in range(30)],
        'zone': (1000, 1000), 'in_flight': 0, 'disk': [],
    }


def spoil_log(text):
    def spoil(evidence):
        evidence['log'] += '2026/11/22 15:00:00 ' + text + '\n'
    return spoil


def spoil_journal(*entries):
    return lambda evidence: evidence['journal'].extend(entries)


def spoil_answer(**change):
    return lambda evidence: evidence['load']['anomalies'].append(
        {**anomaly('not the identity', '502 bad_gateway'), **change})


def spoil_samples(phase, **change):
    def spoil(evidence):
        for each in evidence['samples'][20:30] if phase == 'storm' \
                else evidence['samples'][50:]:
            each.update(change)
    return spoil


def spoil(**change):
    return lambda evidence: evidence.update(change)


SPOILT = (
    (checks.severe_lines, spoil_log('[alert] 7#7: open socket #3 left')),
    (checks.severe_lines, spoil_log('[crit] 7#7: *1 connect() failed')),
    (checks.severe_lines, spoil_log('[emerg] 7#7: x')),
    (checks.severe_lines,
     spoil_log('[alert] 7#7: worker process 13 exited on signal 9')),
    (checks.severe_lines,
     spoil_log('[alert] 7#7: worker process 12 exited on signal 11')),
    (checks.severe_lines, spoil_log(
        '[alert] 7#7: shared memory zone "wx_openid_1" was locked by 13')),
    (checks.sanitizer, spoil(reports='ERROR: AddressSanitizer')),
    (checks.processes,
     spoil_log('[notice] 7#7: worker process 14 exited with code 1')),
    (checks.processes, spoil(ended=False)),
    (checks.upstream, lambda e: e['upstream']['wrong'].append('forged')),
    (checks.exchanges, spoil_journal(entry('good-0c0de0-7', 12))),
    (checks.exchanges, spoil_journal(entry('err-40029-0c0de0-1', 12),
                                     entry('err-40029-0c0de0-1', 14))),
    (checks.exchanges, spoil_journal(entry('err-45011-0c0de0-1', 40))),
    (checks.exchanges, spoil_journal(entry('busy-1-0c0de0-1', 40))),
    (checks.exchanges, spoil_journal(entry('fault-close-0c0de0-1', 40),
                                     entry('fault-close-0c0de0-1', 41))),
    (checks.exchanges, spoil_journal(
        entry('fault-close-0c0de0-3', 30, number=5, wrote=8),
        entry('fault-close-0c0de0-3', 31, number=1))),
    (checks.exchanges, spoil_journal(
        entry('fault-close-0c0de0-2', 32, number=1))),
    (checks.exchanges, spoil_journal(
        entry('good-0c0de0-903', 100, peer=4001),
        entry('good-0c0de0-903', 101))),
    (checks.exchanges, spoil_journal(entry('good-0c0de0-904', 211),
                                     entry('good-0c0de0-904', 212))),
    (checks.untold, spoil_journal(entry('good-badline-wrong-1', 1))),
    (checks.untold, spoil_journal(entry('0c0de0-xxx', 1))),
    (checks.answers, spoil_answer()),
    (checks.answers, spoil_answer(what='lost: EOF')),
    (checks.answers, spoil_answer(got='200', code='good-0c0de0-901')),
    (checks.answers, lambda e: e['load'].update(slowest=11)),
    (checks.descriptors, spoil(master_files=(['a'], ['a', 'b']))),
    (checks.descriptors, spoil(worker_files={11: ['pipe:[1]']})),
    (checks.descriptors, spoil_log('[alert] 7#7: *1 open socket #3 left in '
                                   'connection 4')),
    (checks.memory, spoil_samples('storm', master=9600)),
    (checks.memory, spoil_samples('storm', workers=[18000])),
    (checks.memory, spoil_samples('calm', workers=[13100])),
    (checks.memory, spoil_samples('calm', entries=2300)),
    (checks.memory, spoil(samples=[])),
    (checks.zone, spoil(zone=(1000, 970))),
    (checks.zone, spoil(zone=(0, 0))),
    (checks.zone, spoil(in_flight=1)),
    (checks.disk, spoil(disk=['error.log: a code'])),
    (checks.worked, spoil(kills=[])),
    (checks.worked, spoil(upgrade=None)),
    (checks.worked, lambda e: e['load'].update(answers={})),
)


def main():
    wrong = ['%s: %s' % (check.__name__, text) for check in checks.ALL
             for text in check(clean())]

    for i, (check, change) in enumerate(SPOILT):
        evidence = copy.deepcopy(clean())
        change(evidence)
        if not list(check(evidence)):
            wrong.append('%s does not see fault %d' % (check.__name__, i))

    unproved = set(checks.ALL) - {check for check, _ in SPOILT}
    wrong += ['%s cannot fail' % check.__name__ for check in unproved]

    print('\n'.join(wrong) or '%d checks see all of %d faults'
          % (len(checks.ALL), len(SPOILT)))
    return bool(wrong)

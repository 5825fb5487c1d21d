"""What must hold after a soak, as functions of the evidence it left.

Each takes the evidence, a dict that t/soak/soak.py fills, and returns what is
wrong, in words.  t/soak/run --self-test shows that each of them can fail.
"""

import collections
import re
import statistics

import expect

SEVERE = re.compile(r'(?m)^\S+ \S+ \[(?:alert|crit|emerg)\] .*$')

# nginx's own words on a worker that we killed
KILLED = re.compile(r'\[alert\] \d+#\d+: worker process (\d+) exited on '
                    r'signal 9$')
UNLOCKED = re.compile(r'\[alert\] \d+#\d+: shared memory zone "wx_openid_1" '
                      r'was locked by (\d+)$')

SLOWEST = 10                    # seconds; an exchange may take 6

# wx_openid_busy_retries is 1
BUSY = ('busy-', 'err--1-')


def severe_lines(evidence):
    """No alert, crit or emerg line but for the workers that we killed."""
    killed = {kill['pid'] for kill in evidence['kills']}
    for line in SEVERE.findall(evidence['log']):
        match = KILLED.search(line) or UNLOCKED.search(line)
        if not match or int(match[1]) not in killed:
            yield line


def sanitizer(evidence):
    """No report of a sanitizer."""
    if evidence['reports']:
        yield evidence['reports'][:4000]


def processes(evidence):
    """No worker died but by our hand, and nginx ended when asked to."""
    killed = {kill['pid'] for kill in evidence['kills']}
    for pid, how in re.findall(r'worker process (\d+) exited (?:with code '
                               r'[1-9]|on signal)(.*)', evidence['log']):
        if int(pid) not in killed:
            yield 'worker %s died%s' % (pid, how)
    if not evidence['ended']:
        yield 'nginx did not end when asked to'


def upstream(evidence):
    """No forged header, no half identity and no credential came through."""
    return evidence['upstream']['wrong']


# exchanges

def was_killed(evidence, entry):
    """Whether a worker of ours was killed before it could tell."""
    return any(entry['peer'] in kill['ports']
               and entry['start'] <= kill['time'] + 0.05
               and entry['end'] >= kill['time'] - 0.5
               for kill in evidence['kills'])


def in_upgrade(evidence, entry):
    """Two zones knew of codes, or the old one's results were forgotten."""
    start, end = evidence['upgrade'] or (0, 0)
    return start - evidence['ttl'] <= entry['start'] <= end


def by_code(evidence):
    found = collections.defaultdict(list)
    for entry in sorted(evidence['journal'], key=lambda e: e['start']):
        found[entry['code']].append(entry)
    return found


def excused(evidence):
    """Codes that a kill or the upgrade may have had exchanged again."""
    killed, upgraded = set(), set()
    for code, entries in by_code(evidence).items():
        if any(was_killed(evidence, entry) for entry in entries):
            killed.add(code)
        elif keeps_result(code) and any(in_upgrade(evidence, entry)
                                        for entry in entries[:-1]):
            upgraded.add(code)
    return killed, upgraded


def allowed(evidence, code, entries):
    """How often WeChat may have seen a code whose results are not kept.

    Once for each that sent it; again after errcode -1, and, on a fresh
    connection, after a kept one that ended before it answered a byte.
    """
    sends = evidence['load']['sends'].get(code, 1)
    stale = sum(first['number'] > 1 and first['wrote'] == 0
                and second['number'] == 1
                for first, second in zip(entries, entries[1:]))
    return (sends * (2 if code.startswith(BUSY) else 1)
            + min(stale, sends))


def keeps_result(code):
    """Whether a result answers the same code for a while."""
    kind = code.split('-')[0]
    if kind == 'err':
        return code.startswith(('err-40029', 'err-40163', 'err-41008'))
    if kind == 'fault':
        return False
    return kind not in ('busy', 'status') and 'late' not in code


def exchanges(evidence):
    """Each code was exchanged once, or its result had come to its end."""
    killed, upgraded = excused(evidence)

    for code, entries in by_code(evidence).items():
        if code in killed or code in upgraded:
            continue
        if not keeps_result(code):
            most = allowed(evidence, code, entries)
            if len(entries) > most:
                yield '%s was exchanged %d times, sent %d' % (
                    code, len(entries), most)
            continue
        ttl = evidence['error_ttl' if code.startswith('err')
                       else 'ttl'] - 0.05
        for first, second in zip(entries, entries[1:]):
            if second['start'] - first['end'] < ttl:
                yield '%s was exchanged again after %.2f s' % (
                    code, second['start'] - first['end'])


def untold(evidence):
    """No code went where it must not."""
    for code in by_code(evidence):
        if 'badline' in code:
            yield '%s was sent over a line that is not WeChat\'s' % code
        if code.startswith('0c0de0'):
            yield 'a code that is none was sent: %s' % code


# answers

def near_kill(evidence, anomaly):
    return any(anomaly['start'] - 0.05 <= kill['time']
               <= (anomaly['end'] or anomaly['start']) + 0.5
               for kill in evidence['kills'])


def excuse(evidence, anomaly, killed, upgraded):
    """Why an answer was not as it had to be, or None."""
    if anomaly['what'].startswith('lost: '):
        return 'killed' if near_kill(evidence, anomaly) else None
    if anomaly['got'] in ('401 invalid_code', '502 bad_gateway'):
        if anomaly['code'] in killed:
            return 'killed'
        if anomaly['code'] in upgraded:
            return 'upgrade'
    return None


def answers(evidence):
    """Every client got what it had to, unless its worker was killed."""
    killed, upgraded = excused(evidence)
    for anomaly in evidence['load']['anomalies']:
        if not excuse(evidence, anomaly, killed, upgraded):
            yield '%(proto)s %(path)s %(code)s at %(start).2f: %(what)s' \
                % anomaly
    if evidence['load']['slowest'] > SLOWEST:
        yield 'an answer took %.1f s' % evidence['load']['slowest']


def excuses(evidence):
    """How many answers had which excuse."""
    killed, upgraded = excused(evidence)
    return collections.Counter(
        excuse(evidence, anomaly, killed, upgraded) or 'none'
        for anomaly in evidence['load']['anomalies'])


# what is left

def descriptors(evidence):
    """The same files are open as at the start."""
    before, after = evidence['master_files']
    if before != after:
        yield 'master: %s, at the start %s' % (after, before)
    for pid, names in evidence['worker_files'].items():
        if names:
            yield 'worker %d: %s' % (pid, ' '.join(names))
    for line in re.findall(r'.*open socket #\d+ left.*', evidence['log']):
        yield line


def thirds(samples, value):
    """Medians of the first and the last third."""
    values = [value(sample) for sample in samples]
    values = [v for v in values if v]
    n = len(values) // 3
    if n == 0:
        return None
    return (statistics.median(values[:n]), statistics.median(values[-n:]))


def in_phase(evidence, name):
    return [sample for sample in evidence['samples']
            if sample['phase'] == name]


def growths(evidence):
    """(what, first third, last third, how much more is too much)."""
    storm, calm = in_phase(evidence, 'storm'), in_phase(evidence, 'calm')
    for what, samples, value, share, more in (
            ('RSS of the master, kB', storm, lambda s: s['master'],
             1.02, 300),
            ('RSS of workers in the storm, kB', storm,
             lambda s: s['workers'] and max(s['workers']), 1.25, 2048),
            ('RSS of workers in the calm, kB', calm,
             lambda s: s['workers'] and max(s['workers']),
             evidence['rss_share'], 256),
            ('entries of the zone', calm, lambda s: s['entries'], 1.1, 50)):
        pair = thirds(samples, value)
        if pair:
            yield what, *pair, pair[0] * share + more


def filling(evidence):
    """A zone keeps what is over until it needs the place."""
    return evidence['samples'][-1]['evictions'] == 0


def memory(evidence):
    """Flat: what grows with the load does not grow with time."""
    rows = list(growths(evidence))
    if len(rows) < 4:
        yield 'too few samples'
    for what, first, last, most in rows:
        if last > most and not (what.startswith('entries')
                                and filling(evidence)):
            yield '%s: %d in the first third, %d in the last' % (
                what, first, last)


def zone(evidence):
    """A zone that went through it all holds as much as a new one."""
    new, old = evidence['zone']
    if not new or abs(new - old) > new * 0.01:
        yield 'a new zone holds %d entries, this one %d' % (new, old)
    if evidence['in_flight']:
        yield '%d exchanges are still in flight' % evidence['in_flight']


def disk(evidence):
    """No secret, session_key, code or token in a file."""
    return evidence['disk']


def worked(evidence):
    """The soak did what it is for."""
    least = {
        'reloads': len(evidence['hups']) > 3,
        'kills': bool(evidence['kills']),
        'the upgrade': bool(evidence['upgrade']),
        'requests': evidence['load']['requests'] > 500,
        'hang-ups': evidence['load']['hung_up']
        > evidence['load']['requests'] * 0.2,
        'exchanges': len(evidence['journal']) > 200,
        'identities': evidence['upstream']['identified'] > 100,
        'refusals': {'%d %s' % pair for pair in expect.TABLE}
        <= set(evidence['load']['answers']),
        'faults': evidence['faults'] > 0.5,
    }
    return ['too few: ' + name for name, true in least.items() if not true]


ALL = (worked, severe_lines, sanitizer, processes, upstream, exchanges,
       untold, answers, descriptors, memory, zone, disk)

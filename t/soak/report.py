"""Shows the figures of a soak, and what is wrong with them."""

import checks


def figures(evidence, minutes):
    load, journal = evidence['load'], evidence['journal']
    killed, upgraded = checks.excused(evidence)
    codes = checks.by_code(evidence)
    excuses = checks.excuses(evidence)

    yield 'minutes', minutes
    yield 'requests', load['requests']
    yield 'of these hung up', load['hung_up']
    yield 'reached the upstream', evidence['upstream']['requests']
    yield 'of these with an identity', evidence['upstream']['identified']
    yield 'slowest answer, s', '%.2f' % load['slowest']
    yield 'reloads', len(evidence['hups'])
    yield 'workers killed', len(evidence['kills'])
    yield 'binary upgrades', 1 if evidence['upgrade'] else 0
    yield 'codes that WeChat saw', len(codes)
    yield 'its exchanges', len(journal)
    yield 'codes in flight in a killed worker', len(killed)
    yield 'codes exchanged again over the upgrade', len(
        [code for code in upgraded if len(codes[code]) > 1])
    yield 'answers excused by a kill', excuses['killed']
    yield 'answers excused by the upgrade', excuses['upgrade']
    yield 'kinds of faults that WeChat had', '%d %%' % (
        evidence['faults'] * 100)
    for what, first, last, _ in checks.growths(evidence):
        yield what + ', first and last third', '%d, %d' % (first, last)
    yield 'entries in a full zone, new and old', '%d, %d' % evidence['zone']
    yield 'evictions', max([s['evictions'] for s in evidence['samples']],
                           default=0)
    for answer, n in sorted(load['answers'].items()):
        yield 'answers ' + answer, n


def judge(evidence, minutes):
    for name, value in figures(evidence, minutes):
        print('%-48s %s' % (name, value))
    print()

    failed = False
    for check in checks.ALL:
        wrong = list(check(evidence))
        failed |= bool(wrong)
        print('%-7s %s' % ('WRONG' if wrong else 'ok',
                           check.__doc__.splitlines()[0]))
        for text in wrong[:20]:
            print('        ' + text)
        if len(wrong) > 20:
            print('        and %d more' % (len(wrong) - 20))
    return failed

"""What a process has open, in words that two processes can be compared by."""

import collections
import pathlib
import re

import nginx

ESTABLISHED, LISTEN = '01', '0A'

# channels to the other processes come and go with these
CHANNELS = 12


def table(name):
    """inode: (local port, remote port, state)"""
    found = {}
    for line in pathlib.Path('/proc/net/' + name).read_text() \
            .splitlines()[1:]:
        field = line.split()
        found[field[9]] = (int(field[1].split(':')[1], 16),
                           int(field[2].split(':')[1], 16), field[3])
    return found


def inode(name):
    match = re.fullmatch(r'socket:\[(\d+)\]', name)
    return match and match[1]


def ends(pid, ports):
    """Our ends of the connections that it has to these ports."""
    tcp = table('tcp')
    mine = [tcp[inode(name)] for name in nginx.files(pid).values()
            if inode(name) in tcp]
    return {local for local, remote, _ in mine if remote in ports.values()}


def name_of(name, tcp, udp, ports):
    number = inode(name)
    if not number:
        return re.sub(r'^/.*/', 'file ', name)
    if number in udp:
        return 'resolver'
    if number not in tcp:
        return 'channel'

    local, remote, state = tcp[number]
    if state == LISTEN:
        return 'listens'
    if remote in ports.values():
        return 'kept' if state == ESTABLISHED else 'not closed: %d' % remote
    return 'a client: %d' % local


def names(pid, ports):
    """Sorted, each with its number: "3 listens"."""
    tcp, udp = table('tcp'), table('udp')
    found = collections.Counter(name_of(name, tcp, udp, ports)
                                for name in nginx.files(pid).values())
    return ['%d %s' % (n, name) for name, n in sorted(found.items())]


def counted(list_):
    return {name: int(n) for n, name in (text.split(' ', 1)
                                         for text in list_)}


def strange(now, new):
    """What a worker has that a new one has not, and may not have either."""
    may = collections.Counter(counted(new))
    may['kept'] += 200
    may['resolver'] += 2
    may['channel'] += CHANNELS
    return ['%d %s' % (n, name) for name, n in counted(now).items()
            if n > may[name]]

"""What valgrind's callgrind wrote: reads its files, nothing else.

A profile is in parts, one a dump.  Of each the cost of every function by
itself is kept, and that of every call with all that it led to; functions are
(object, name), an object being the file's name without folder and version.
"""

import collections
import glob
import os
import re


class Profile:
    def __init__(self):
        self.own = collections.Counter()
        self.calls = collections.Counter()      # (from, to): instructions
        self.times = collections.Counter()      # (from, to): how often
        self.total = 0

    def inclusive(self):
        """By function; recursion is counted once for each depth."""
        cost = collections.Counter(self.own)
        for (source, to), n in self.calls.items():
            if source != to:
                cost[source] += n
        return cost

    def entries(self, of):
        """{name: [times, instructions]} of calls into that object."""
        found = collections.defaultdict(lambda: [0, 0])
        for (source, to), n in self.calls.items():
            if to[0] == of and source[0] != of:
                found[to[1]][0] += self.times[source, to]
                found[to[1]][1] += n
        return found


def short(path):
    return re.sub(r'\.so[.\d]*$', '.so', os.path.basename(path))


def read(path):
    profile = Profile()
    names = {'ob': {}, 'fn': {}}
    here = {'ob': None, 'fn': None}
    there = {'ob': None, 'fn': None}
    times = None

    def name(kind, text):
        """Names are written once, then only their number."""
        number, text = re.match(r'\((\d+)\)(?: (.*))?', text).groups()
        if text is not None:
            names[kind][number] = text
        return names[kind][number]

    with open(path) as lines:
        for line in lines:
            line = line.rstrip('\n')
            key, equals, value = line.partition('=')

            if equals and key in ('ob', 'fn'):
                here[key] = name(key, value)
                there['ob'] = here['ob']

            elif equals and key in ('cob', 'cfn'):
                there[key[1:]] = name(key[1:], value)

            elif equals and key == 'calls':
                times = int(value.split()[0])

            elif line[:1] in '0123456789+-*' and line:
                cost = int(line.split()[1])
                source = short(here['ob'] or ''), here['fn']

                if times is None:
                    profile.own[source] += cost
                    profile.total += cost
                    continue

                call = source, (short(there['ob'] or ''), there['fn'])
                profile.calls[call] += cost
                profile.times[call] += times
                times = None
                there['ob'] = here['ob']

    return profile


def parts(stem):
    """The profiles of a process, as they were dumped."""
    paths = [p for p in glob.glob(stem + '.*') if p[len(stem) + 1:].isdigit()]
    return [read(p) for p in sorted(
        paths, key=lambda p: int(p[len(stem) + 1:]))]

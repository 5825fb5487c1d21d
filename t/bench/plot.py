"""A figure of two columns of bars, in SVG: CPU a request, requests a second.
Readable on light and on dark pages.  Knows where to draw, not what it means.
"""

from html import escape

ROW = 22
TOP = 58
LABEL = 238             # width of the names
BAR = 212               # of the longest bar
GAP = 88                # for the figure behind it
WIDTH = LABEL + 2 * (BAR + GAP) + 12

STYLE = '''
    .page { fill: #ffffff; }
    text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif;
           fill: #1f2328; }
    .title { font-size: 15px; font-weight: 600; }
    .job { font-weight: 600; }
    .small { font-size: 12px; fill: #59636e; }
    .ours { fill: #1a7f37; }
    .other { fill: #8c959f; }
    .plain { stroke: #d1d9e0; }
    @media (prefers-color-scheme: dark) {
        .page { fill: #0d1117; }
        text { fill: #f0f6fc; }
        .small { fill: #9198a1; }
        .ours { fill: #3fb950; }
        .other { fill: #656c76; }
        .plain { stroke: #3d444d; }
    }
'''

COLUMNS = [('cpu', 'CPU a request, less is better', '%.1f us'),
           ('rate', 'requests a second, more is better', '%s')]


def text(x, y, what, css='', anchor='start'):
    return '<text x="%.1f" y="%.1f" class="%s" text-anchor="%s">%s</text>' % (
        x, y, css, anchor, escape(what))


def figure(value, form):
    return form % (value if '.' in form else '{:,.0f}'.format(value))


def draw(figures, rows):
    """rows: (group or None, name, ours, run or None for a bar's lack)."""
    shown = [run for _, _, _, run in rows if run]
    scale = {what: BAR / max(figures.of(run, what) for run in shown)
             for what, _, _ in COLUMNS}
    start = {what: LABEL + i * (BAR + GAP)
             for i, (what, _, _) in enumerate(COLUMNS)}
    out = [text(8, 24, 'What the identity of a request costs', 'title')]

    for what, title, _ in COLUMNS:
        out.append(text(start[what], TOP - 12, title, 'small'))

    y = TOP
    last = None

    for group, name, ours, run in rows:
        if group != last:
            y += ROW * 1.4
            out.append(text(8, y - 6, group, 'job'))
            last = group

        out.append(text(20 if group else 8, y + 15, name,
                        'job' if ours else ''))

        for what, _, form in COLUMNS:
            x = start[what]

            if run is None:
                out.append(text(x, y + 15, '-', 'small'))
                continue

            value = figures.of(run, what)
            size = value * scale[what]
            out.append('<rect x="%.1f" y="%.1f" width="%.1f" height="%d" '
                       'rx="2" class="%s"/>'
                       % (x, y + 3, size, ROW - 6,
                          'ours' if ours else 'other'))
            out.append(text(x + size + 6, y + 15, figure(value, form),
                            'job' if ours else ''))

        y += ROW

    # the plain proxy, to compare with, behind all else

    lines = []
    for what, _, _ in COLUMNS:
        x = start[what] + figures.of(rows[0][3], what) * scale[what]
        lines.append('<line x1="%.1f" y1="%d" x2="%.1f" y2="%.1f" '
                     'class="plain"/>' % (x, TOP, x, y))

    height = y + 14

    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" '
            'width="%d" height="%d" role="img">\n'
            '<title>CPU a request and requests a second of wx_openid and the '
            'alternatives</title>\n'
            '<style>%s</style>\n'
            '<rect width="100%%" height="100%%" rx="6" class="page"/>\n'
            '%s\n</svg>\n' % (WIDTH, height, WIDTH, height, STYLE,
                              '\n'.join(lines + out)))

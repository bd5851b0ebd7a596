#!/usr/bin/python3
"""Cost of kept flows against their number, as an SVG: bench/plot.py OUT.svg RESULTS.json...

Each is of script/bench store: with other --flows, for questions of all flows; with --parts growth and --growth-times, for that of one hour of more and more."""

import json
import math
import sys

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 430, 70, 20, 250, 50
LINES = [("top_filtered_s", "ten with most bytes of tcp to 443", "#b45309"), ("top_s", "ten addresses with most bytes", "#1d4ed8"),
         ("selective_s", "every flow of a rare address", "#047857"), ("sums_s", "sums of that address", "#7c3aed")]
HOUR = ("hour_s", "one client's servers in one hour", "#be123c")


def decades(values):
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))


def read(names):
    """[(name, color, [(flows, seconds), ...]), ...]. The hour is of growth alone, where it is a part of what is kept."""
    results = [json.load(open(name)) for name in names]
    kept = [r["weir"] for r in results if r.get("weir")]
    grown = [g for r in results for g in r.get("growth") or []]
    lines = [(name, color, sorted((w["flows"], w[key]) for w in rows)) for rows, keys in ((kept, LINES), (grown, [HOUR])) for key, name, color in keys]
    return [line for line in lines if line[2]]


def main():
    lines = read(sys.argv[2:])
    if not lines:
        sys.exit("nothing was measured of what is drawn")
    x0, x1 = decades([flows for _, _, points in lines for flows, _ in points])
    y0, y1 = decades([seconds for _, _, points in lines for _, seconds in points if seconds > 0])
    x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)

    def x(flows):
        return LEFT + (math.log10(flows) - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)

    def y(seconds):
        return HEIGHT - BOTTOM - (math.log10(seconds) - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>']
    for d in range(x0, x1 + 1):
        out.append(f'<path d="M{x(10**d):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/><text x="{x(10**d):.1f}" y="{HEIGHT - BOTTOM + 18}" '
                   f'text-anchor="middle">{10**d:,}</text>')
    for d in range(y0, y1 + 1):
        label = f"{10**d:g} s" if d >= 0 else f"{10**(d + 3):g} ms" if d >= -3 else f"{10**(d + 6):g} us"
        out.append(f'<path d="M{LEFT} {y(10**d):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/><text x="{LEFT - 6}" y="{y(10**d) + 4:.1f}" '
                   f'text-anchor="end">{label}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">flows kept</text>')
    used = []
    for name, color, measured in sorted(lines, key=lambda line: -line[2][-1][1]):
        points = [(x(flows), y(max(seconds, 10**y0))) for flows, seconds in measured]
        out.append(f'<polyline points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in points)}" fill="none" stroke="{color}" stroke-width="2"/>')
        out += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{color}"/>' for a, b in points]
        at = max([points[-1][1] + 4] + [u + 15 for u in used])
        used.append(at)
        out.append(f'<text x="{points[-1][0] + 10:.1f}" y="{at:.1f}" fill="{color}">{name}</text>')
    with open(sys.argv[1], "w") as f:
        f.write("\n".join(out) + "\n</svg>\n")


if __name__ == "__main__":
    main()

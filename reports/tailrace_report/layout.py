# SPDX-License-Identifier: MIT
"""Places labels so that none covers another."""


def spread(wanted, gap, low, high):
    """Positions nearest to `wanted` (any order) at least `gap` apart within [low, high].

    Labels that would touch form a cluster, which sits at the mean of what its members want.
    If there is no room for all, they are spaced evenly.
    """
    if len(wanted) > 1:
        gap = min(gap, (high - low) / (len(wanted) - 1))
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    clusters = []  # of (first position, members)
    for index in order:
        clusters.append((min(max(wanted[index], low), high), [index]))
        while len(clusters) > 1 and clusters[-2][0] + gap * len(clusters[-2][1]) > clusters[-1][0]:
            members = clusters[-2][1] + clusters[-1][1]
            del clusters[-2:]
            first = sum(wanted[i] - gap * k for k, i in enumerate(members)) / len(members)
            first = max(min(first, high - gap * (len(members) - 1)), low)
            clusters.append((first, members))
    placed = [0.0] * len(wanted)
    for first, members in clusters:
        for rank, index in enumerate(members):
            placed[index] = first + gap * rank
    return placed

# SPDX-License-Identifier: MIT
"""Holds the forest plot to its frame: no text is clipped or covered, whatever the ratios."""

import math

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from tailrace_report.forest import forest
from tailrace_report.paired import compare_logs


def bars(comparisons, repeat=1):
    """Rows of a forest plot from {word: logs}; their names are long, `repeat` times."""
    return [("a workload with a long name (parameter=12345) · " * repeat + word,
             compare_logs(logs), word) for word, logs in comparisons.items()]


@pytest.mark.parametrize("width_in, repeat", [(11.0, 1), (11.0, 3), (4.2, 1), (4.2, 3)])
def test_forest_plot_clips_and_covers_no_text(width_in, repeat):
    figure = forest(bars({"worse": [0.5, 0.6, 0.4] * 3, "better": [-math.inf] * 9,
                          "host": [9.0, 8.0, 7.0] * 3, "inconclusive": [-2.0, 2.0, 0.1] * 3,
                          "equivalent": [0.001] * 9}, repeat), 0.1, width_in=width_in)
    FigureCanvasAgg(figure).draw()
    texts = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()]
    assert len(texts) >= 10
    for place, box in enumerate(texts):
        assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0
        assert not any(box.overlaps(other) for other in texts[:place])


def test_forest_plot_of_no_blocks_and_of_failures_alone():
    for comparisons in ({"inconclusive": []}, {"worse": [math.inf] * 8}):
        FigureCanvasAgg(forest(bars(comparisons), 0.05)).draw()

"""Which points are drawn, and how."""

from dvc_bucket.jobs.report.chart import chart
from dvc_bucket.jobs.report.plots import Plot, Point


def points(values: dict[str, float]) -> list[Point]:
    return [Point(label, value) for label, value in values.items()]


def drawn(before: dict[str, float], after: dict[str, float]) -> tuple[str, str]:
    plot = Plot("A `title`\n```", "x", "y", points(before), points(after), has_changed=True)
    lines, legend = chart(plot)
    return "\n".join(lines), legend


def test_names_are_bars_from_zero_with_the_values_before_as_a_line() -> None:
    text, legend = drawn({"a": 1.0, 'b "c"': 2.0}, {"a": 3.0, 'b "c"': 4.0, "new": 5.0})
    assert '  title "A title"\n  x-axis "x" ["a", "b c"]\n  y-axis "y" 0 --> 4.2\n' in text
    assert "  bar [3, 4]\n  line [1, 2]\n" in text
    assert text.count("```") == 2
    assert legend == "Bars: after. Grey line: before. Not every point is shown."


def test_bars_that_would_not_begin_at_zero_are_lines() -> None:
    text, legend = drawn({"a": 1.0, "b": -2.0}, {"a": 3.0, "b": 4.0})
    assert "bar" not in text
    assert legend == "Blue: after. Grey: before."


def test_long_names_stand_beside_their_bars() -> None:
    names = {f"a model with a long name, {number}": 1.0 for number in range(4)}
    assert "xychart-beta horizontal" in drawn(names, names)[0]


def test_of_many_steps_some_are_shown() -> None:
    steps = {str(number): float(number) for number in range(1000)}
    text, legend = drawn(steps, dict(list(steps.items())[:700]))
    assert '  x-axis "x" 0 --> 693\n' in text
    assert legend.endswith("Not every point is shown.")
    # At distances that differ, each has its own label.
    text, _ = drawn({"1": 1.0, "2": 2.0, "10": 3.0}, {"1": 1.0, "2": 2.0, "10": 4.0})
    assert '["1", "2", "10"]' in text


def test_what_a_diagram_cannot_show_is_left_to_the_table() -> None:
    many = {f"name {number}": 1.0 for number in range(30)}
    assert drawn(many, many) == ("", "")
    assert drawn({"a": 1.0, "b": 1.0}, {"c": 1.0, "d": 1.0}) == ("", "")
    twice = Plot("", "", "", [Point("a", 1.0), Point("a", 2.0)], [], has_changed=True)
    assert chart(twice) == ([], "")

import pandas as pd

from pipeline.clean import MEASUREMENTS, Clean, clean

RAW = pd.DataFrame(
    [
        ("hill", "2025-06-02", 17.5),
        ("hill", "2025-06-01", 16.0),
        ("dale", "2025-06-01", 85.0),
        ("dale", "2025-06-02", None),
    ],
    columns=["site", "day", "celsius"],
)


def test_readings_that_cannot_be_are_left_out() -> None:
    cleaned = clean(RAW, Clean(max_celsius=60.0))
    assert list(cleaned["celsius"]) == [16.0, 17.5]


def test_the_table_has_the_columns_of_its_schema_sorted_by_site_and_day() -> None:
    cleaned = clean(RAW, Clean(max_celsius=100.0))
    assert list(cleaned.columns) == MEASUREMENTS.names
    assert list(cleaned["site"]) == ["dale", "hill", "hill"]

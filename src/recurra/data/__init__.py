"""Bytes to tables to windows: readers, series, splits, scaling, calendar, catalogue; numpy only."""

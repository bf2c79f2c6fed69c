"""Tests of the Python interpreter that need neither Spark nor the agent: `python3 -m unittest` in the folder above."""

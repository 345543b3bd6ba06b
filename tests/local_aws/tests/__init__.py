"""Tests of the emulated AWS: each correction to moto has one that fails without it.

Run from `tests/` with the packages of requirements.txt: python -m unittest discover -t . -s local_aws/tests
"""

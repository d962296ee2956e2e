"""Tests of Tallystick, one folder per kind."""

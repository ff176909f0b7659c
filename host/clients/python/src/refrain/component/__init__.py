"""Scheduler components, run by wasmtime."""

"""Kernels: numpy in and out, no reading or writing, no Dask."""

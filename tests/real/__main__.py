"""`python -m tests.real`: numbers on real data, a JSON line each."""

from tests.real.numbers import lines

for line in lines():
    print(line, flush=True)
